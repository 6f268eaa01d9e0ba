import type { Connection } from "./connection.ts";
import { type EffectSeen, strikesLeft } from "./enumerate.ts";
import { fingerprint } from "./fingerprint.ts";
import type { Protocol } from "./functions.ts";
import { type KnownStates, Merged, type Rest } from "./known-states.ts";
import type { Move } from "./moves.ts";
import { act } from "./operator.ts";
import { checkQuiet } from "./quiescence.ts";
import { scenarioNamed } from "./scenarios.ts";
import type { Action, Schedule } from "./schedule.ts";
import { day, enableRotation, hour, kept, minute, nextAll, rotate, settle } from "./settle.ts";
import { ProveWorld } from "./world.ts";

/** How often somebody who deploys tries again at once; then hourly. */
const mostAttempts = 4;

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
}

/** Plays one schedule from the first token to the last check. Everything in it is determined by the schedule. */
export async function play(
  schedule: Schedule,
  { protocol, connect, trace = false, known }: PlayOptions = {},
): Promise<Outcome> {
  // What comes before the first strike is as it was without one.
  const before = Math.min(...schedule.strikes.map(({ at }) => at));
  const start = schedule.actions
    ? undefined
    : known?.checkpoints.get(schedule.scenario)?.findLast(({ checkpoint }) => checkpoint.effects < before);
  const world = new ProveWorld({
    scenario: scenarioNamed(schedule.scenario),
    strikes: schedule.strikes,
    ...(protocol ? { protocol } : {}),
    from: start?.checkpoint,
  });
  if (connect) world.connect(await connect(world));
  const states: { fingerprint: string; effects: number }[] = [];
  /** At a moment in which nothing runs. */
  const atRest = (place: string) => {
    if (!known || world.watch.violations.length > 0) return;
    const text = fingerprint(world, place);
    if (text === undefined) return;
    const rest = known.get(text);
    if (rest) throw new Merged(rest);
    states.push({ fingerprint: text, effects: world.effects.seen.length });
  };
  let merged: Rest | undefined;
  /** At the end of a phase. */
  const passed = (phase: number) => {
    if (!known || schedule.actions || schedule.strikes.length > 0 || world.watch.violations.length > 0) return;
    const { checkpoints } = known;
    const { scenario } = schedule;
    checkpoints.set(scenario, [...(checkpoints.get(scenario) ?? []), { phase, checkpoint: world.checkpoint() }]);
  };
  try {
    await live(world, schedule.actions, { atRest, passed, from: start?.phase ?? 0 });
  } catch (error) {
    if (error instanceof Merged) merged = error.rest;
    else
      world.watch.violation(
        "crashed",
        `the run itself failed: ${error instanceof Error ? error.stack : String(error)}`,
      );
  }
  const effects = effectsOf(world);
  if (world.watch.violations.length === 0) {
    const left = known && strikesLeft(effects, merged);
    for (const { fingerprint: text, effects: from } of states)
      known?.add(text, left?.[from] ?? { crashes: 0, others: 0 });
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
  };
}

async function live(
  world: ProveWorld,
  actions: readonly Action[] | undefined,
  { atRest, passed, from }: { atRest: (place: string) => void; passed: (phase: number) => void; from: number },
): Promise<void> {
  // What an action is followed by hangs on the actions still to come, which no state tells.
  const at = (phase: string) => (place: string) => (actions ? undefined : atRest(`${phase} ${place}`));
  if (from < 1) {
    for (const { index } of world.secrets) await bootstrap(world, index, at("deploying"));
    await settle(world, at("deployed"));
    at("deployed and settled")("");
    passed(1);
  }
  if (from < 2) {
    if (actions) for (const action of actions) await follow(world, action);
    else await rotateOnce(world);
    checkQuiet(world, await settle(world, at("rotated")));
    if (world.watch.violations.length > 0) return;
    at("rotated and settled")("");
    passed(2);
  }
  for (const index of kept(world)) await rotateAgain(world, index);
  checkQuiet(world, await settle(world, at("rotated again")));
}

/** `pulumi up`: the first token, and rotation on, which tests a copy of it. Whoever deploys tries again when it fails. */
async function bootstrap(world: ProveWorld, index: number, atRest: (place: string) => void): Promise<void> {
  if (world.scenario.firstBy === "rotation") return await enableRotation(world, index, true);
  for (let attempt = 1; ; attempt += 1) {
    const { kind } = await world.functions.bootstrap(index);
    if (kind === "succeeded") break;
    if (!kept(world).includes(index)) return;
    if (attempt === 8 * mostAttempts) return world.watch.violation("stuck", "the bootstrap never succeeds");
    await world.idle();
    atRest(`${index} ${attempt}`);
    // Longer than a request that left before a crash may take.
    await world.clock.advanceBy(attempt < mostAttempts ? 5 * minute : hour);
  }
  if (kept(world).includes(index)) await enableRotation(world, index);
}

async function rotateOnce(world: ProveWorld): Promise<void> {
  // A week on, a little after midnight: the daily run over everything is three hours away.
  await world.clock.advanceTo(Math.ceil((world.clock.now() + 6 * day) / day) * day + 10 * minute);
  for (const index of kept(world)) await rotate(world, index);
  if (!world.scenario.rollsBack) return;
  await world.clock.advanceBy(20 * minute);
  for (const index of kept(world)) await world.functions.command("rollback", index);
}

async function follow(world: ProveWorld, { afterHours, secret, kind }: Action): Promise<void> {
  await pass(world, afterHours);
  const { index } = world.of(secret % world.secrets.length);
  if (kind === "rotate") await rotate(world, index);
  else if (kind === "rollback") await world.functions.command("rollback", index);
  else act(world, kind, index);
  checkQuiet(world, await settle(world));
}

/** Lets time pass with the daily run of the reconciler only: between the settled and the next action there is nothing hourly to do. */
async function pass(world: ProveWorld, hours: number): Promise<void> {
  const end = world.clock.now() + hours * hour;
  for (let next = nextAll(world.clock.now()); next <= end; next += day) {
    await world.clock.advanceTo(next);
    await world.functions.reconcile("all");
    await world.idle();
  }
  await world.clock.advanceTo(end);
}

/**
 * Whatever happened before, a rotation can be made now; one that nothing disturbs succeeds: at the first attempt, or
 * where writes are seen late at a later one.
 */
async function rotateAgain(world: ProveWorld, index: number): Promise<void> {
  const { effects } = world;
  for (;;) {
    const { struck } = effects;
    const isSpellbound = () => effects.isSpellbound || world.clock.now() < world.wrongUntil;
    const wasSpellbound = isSpellbound();
    const isDisturbed = () => wasSpellbound || effects.struck !== struck || isSpellbound();
    const versionId = await rotate(world, index);
    if (world.holder(index, "AWSCURRENT") === versionId) return;
    const seenLate = (world.scenario.knobs?.visibilityDelayMs ?? 0) > 0;
    if (!isDisturbed() && !seenLate) break;
    await settle(world);
    if (!kept(world).includes(index) || world.holder(index, "AWSCURRENT") === versionId) return;
    if (!isDisturbed()) break;
  }
  world.watch.violation("stuck", "the next rotation does not succeed");
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
