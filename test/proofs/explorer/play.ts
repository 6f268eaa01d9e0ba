import type { Checkpoint } from "./checkpoint.ts";
import type { Connection } from "./connection.ts";
import { type EffectSeen, strikesLeft } from "./enumerate.ts";
import { fingerprint } from "./fingerprint.ts";
import { forever } from "./function-run.ts";
import type { Protocol } from "./functions.ts";
import type { KnownStates, Rest } from "./known-states.ts";
import { Life, type Place } from "./life.ts";
import type { Move } from "./moves.ts";
import { putFirstValues } from "./operator.ts";
import { scenarioNamed } from "./scenarios.ts";
import type { Schedule } from "./schedule.ts";
import { ProveWorld } from "./world.ts";

/** What came of a schedule. */
export interface Outcome {
  schedule: Schedule;
  violations: string[];
  /** States of the world that were checked. */
  checks: number;
  effects: EffectSeen[];
  /** How often each kind of strike fell. */
  moves: ReadonlyMap<Move, number>;
  /** A line per effect; only when asked for. */
  trace: string[];
  /** What would have followed where a state was reached that was played before; undefined where it was played to the end. */
  merged: Rest | undefined;
  /** States that it came to, by their keys, with the number of effects in `effects` before each. */
  states: readonly { key: string; effects: number }[];
  /** Where other schedules that begin like this one can go on from, after its last strike; only when asked for. */
  checkpoints: readonly Checkpoint[];
}

export interface PlayOptions {
  /** What is explored; default the real thing. */
  protocol?: Protocol;
  /** Another way from the functions to the world; default straight to the engines. */
  connect?: (world: ProveWorld) => Promise<Connection>;
  /** Default false. */
  trace?: boolean;
  /** States that were played before: the play stops where it comes to one, and adds its own. Default: none. */
  known?: KnownStates | undefined;
  /** Of a schedule that this one begins with, from which it can go on; default: of the undisturbed one. */
  from?: readonly Checkpoint[] | undefined;
  /** Whether the outcome has checkpoints; default false. */
  keep?: boolean;
  /**
   * States after which everything that could strike was, or will be, tried. With it the play stops at these only, and adds
   * its own with what there was to try.
   */
  expanded?: Map<string, Rest> | undefined;
}

const nothing: Rest = { crashes: 0, others: 0 };

/** Plays one schedule from the first token to the last check. Everything in it is determined by the schedule. */
export async function play(schedule: Schedule, options: PlayOptions = {}): Promise<Outcome> {
  const { protocol, connect, trace = false, known, keep = false, expanded } = options;
  const start = startOf(schedule, options);
  const world = new ProveWorld({
    scenario: scenarioNamed(schedule.scenario),
    strikes: schedule.strikes.slice(start ? fallenIn(start) : 0),
    ...(protocol ? { protocol } : {}),
    from: start,
  });
  if (connect) world.connect(await connect(world));
  if (!start) putFirstValues(world);
  const life = new Life(world, schedule.actions, start?.place);
  const states: { key: string; effects: number }[] = [];
  const checkpoints: Checkpoint[] = [];
  let merged: Rest | undefined;
  /** At a moment in which nothing runs: whether the play can stop. What an action is followed by no state tells. */
  const isKnown = (place: Place): boolean => {
    if (!known || schedule.actions || world.watch.violations.length > 0) return false;
    const key = fingerprint(world, place);
    if (key === undefined) return false;
    merged = expanded ? expanded.get(key) : known.has(key) ? nothing : undefined;
    if (merged) return true;
    states.push({ key, effects: world.effects.seen.length });
    const checkpoint = keep ? world.checkpoint(place) : undefined;
    if (checkpoint) checkpoints.push(checkpoint);
    return false;
  };
  const stopped = Promise.withResolvers<void>();
  const betweenSteps = () => {
    // Other rotations can run beside the life's own.
    if (!life.midway || world.engine.rotating > 1 || !isKnown(life.midway)) return undefined;
    stopped.resolve();
    return forever();
  };
  // V8 would take each world through a garbage collection if the function had no name: a tenth of the time.
  world.betweenSteps = betweenSteps;
  const live = async () => {
    while (life.place && !(life.isAtRest && isKnown(life.place))) await life.next();
  };
  try {
    await Promise.race([live(), stopped.promise]);
  } catch (error) {
    world.watch.violation("crashed", `the run itself failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
  const effects = effectsOf(world);
  if (known && world.watch.violations.length === 0) {
    const left = expanded && strikesLeft(effects, merged);
    for (const { key, effects: from } of states) {
      known.add(key);
      expanded?.set(key, left?.[from] ?? nothing);
    }
  }
  world.engine.stop();
  await world.connection.close();
  return {
    schedule,
    violations: world.watch.violations,
    checks: world.watch.checks,
    effects,
    moves: world.effects.played,
    trace: trace ? traceOf(world) : [],
    merged,
    states,
    checkpoints,
  };
}

/** The latest checkpoint before what is still to strike. */
function startOf({ actions, strikes }: Schedule, { known, from, connect }: PlayOptions): Checkpoint | undefined {
  if (actions || connect) return undefined;
  const isBefore = (one: Checkpoint) => strikes.slice(fallenIn(one)).every(({ at }) => at > one.effects.count);
  return from?.findLast(isBefore) ?? known?.checkpoints.findLast(isBefore);
}

/** How many strikes had fallen. */
function fallenIn({ effects }: Checkpoint): number {
  let fallen = 0;
  for (const times of effects.played.values()) fallen += times;
  return fallen;
}

function effectsOf(world: ProveWorld): EffectSeen[] {
  return world.effects.seen.map(({ effect: { number, service, operation, mutates, run } }) => ({
    number,
    name: `${run.invocation.name} ${operation}`,
    service,
    operation,
    kind: service === "log" ? "log" : mutates ? "write" : "read",
    last: run.latestEffect === number,
  }));
}

function traceOf(world: ProveWorld): string[] {
  return world.effects.seen.map(({ effect, note, at }) => {
    const { invocation } = effect.run;
    const time = new Date(at).toISOString().slice(5, 19).replace("T", " ");
    const who = invocation.secret === undefined ? invocation.name : `${invocation.name} of ${invocation.secret}`;
    const what = `${effect.service} ${effect.operation} ${effect.subject}`.trimEnd();
    return `${String(effect.number).padStart(5)}  ${time}  ${who.padEnd(18)}  ${what}${note === "" ? "" : `  <- ${note}`}`;
  });
}
