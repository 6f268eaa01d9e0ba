import type { Connection } from "./connection.ts";
import type { Protocol } from "./functions.ts";
import { act } from "./operator.ts";
import { checkQuiet } from "./quiescence.ts";
import { scenarioNamed } from "./scenarios.ts";
import type { Action, Schedule } from "./schedule.ts";
import { day, enableRotation, hour, minute, nextAll, rotate, settle } from "./settle.ts";
import { ProveWorld } from "./world.ts";

/** How often somebody who deploys tries again at once; then hourly. */
const mostAttempts = 4;

/** An effect of a run, as the next round of schedules needs it. */
export interface EffectSeen {
  number: number;
  /** Who asked for what: `finishSecret UpdateSecretVersionStage`. */
  name: string;
  /** `log` lines and reads have fewer ways to fail. */
  kind: "log" | "read" | "write";
  /** Whether it is the last of its invocation. */
  last: boolean;
}

/** What came of a schedule. */
export interface Outcome {
  schedule: Schedule;
  violations: string[];
  /** States of the world that were checked. */
  checks: number;
  effects: EffectSeen[];
  /** A line per effect; only when asked for. */
  trace: string[];
}

export interface PlayOptions {
  /** What is explored; default the real thing. */
  protocol?: Protocol;
  /** Another way from the functions to the world; default straight to the engines. */
  connect?: (world: ProveWorld) => Promise<Connection>;
  /** Default false. */
  trace?: boolean;
}

/** Plays one schedule from the first token to the last check. Everything in it is determined by the schedule. */
export async function play(
  schedule: Schedule,
  { protocol, connect, trace = false }: PlayOptions = {},
): Promise<Outcome> {
  const world = new ProveWorld({
    scenario: scenarioNamed(schedule.scenario),
    strikes: schedule.strikes,
    ...(protocol ? { protocol } : {}),
  });
  if (connect) world.connection = await connect(world);
  try {
    await live(world, schedule.actions);
  } catch (error) {
    world.watch.violation("crashed", `the run itself failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
  world.engine.stop();
  await world.connection.close();
  return {
    schedule,
    violations: world.watch.violations,
    checks: world.watch.checks,
    effects: effectsOf(world),
    trace: trace ? traceOf(world) : [],
  };
}

async function live(world: ProveWorld, actions: readonly Action[] | undefined): Promise<void> {
  for (const { index } of world.secrets) await bootstrap(world, index);
  await settle(world);
  if (actions) for (const action of actions) await follow(world, action);
  else await rotateOnce(world);
  checkQuiet(world, await settle(world));
  if (world.watch.violations.length > 0) return;
  for (const { index } of world.secrets) await rotateAgain(world, index);
  checkQuiet(world, await settle(world));
}

/** `pulumi up`: the first token, and rotation on, which tests a copy of it. Whoever deploys tries again when it fails. */
async function bootstrap(world: ProveWorld, index: number): Promise<void> {
  if (world.scenario.firstBy === "rotation") return await enableRotation(world, index, true);
  for (let attempt = 1; ; attempt += 1) {
    const { kind } = await world.functions.bootstrap(index);
    if (kind === "succeeded") break;
    if (attempt === 8 * mostAttempts) return world.watch.violation("stuck", "the bootstrap never succeeds");
    // Longer than a request that left before a crash may take.
    await world.clock.advanceBy(attempt < mostAttempts ? 5 * minute : hour);
  }
  await enableRotation(world, index);
}

async function rotateOnce(world: ProveWorld): Promise<void> {
  // A week on, a little after midnight: the daily run over everything is three hours away.
  await world.clock.advanceTo(Math.ceil((world.clock.now() + 6 * day) / day) * day + 10 * minute);
  for (const { index } of world.secrets) await rotate(world, index);
  if (!world.scenario.rollsBack) return;
  await world.clock.advanceBy(20 * minute);
  for (const { index } of world.secrets) await world.functions.rollback(index);
}

async function follow(world: ProveWorld, { afterHours, secret, kind }: Action): Promise<void> {
  await pass(world, afterHours);
  const { index } = world.of(secret % world.secrets.length);
  if (kind === "rotate") await rotate(world, index);
  else if (kind === "rollback") await world.functions.rollback(index);
  else act(world, kind, index);
  checkQuiet(world, await settle(world));
}

/** Lets time pass with the daily run of the reconciler only: between the settled and the next action there is nothing hourly to do. */
async function pass(world: ProveWorld, hours: number): Promise<void> {
  const end = world.clock.now() + hours * hour;
  for (let next = nextAll(world.clock.now()); next <= end; next += day) {
    await world.clock.advanceTo(next);
    await world.functions.reconcile("all");
    await world.engine.idle();
  }
  await world.clock.advanceTo(end);
}

/**
 * Whatever happened before, a rotation can be made now; one that nothing strikes succeeds: at the first attempt, or
 * where writes are seen late at a later one.
 */
async function rotateAgain(world: ProveWorld, index: number): Promise<void> {
  for (;;) {
    const { struck } = world.effects;
    const versionId = await rotate(world, index);
    if (world.holder(index, "AWSCURRENT") === versionId) return;
    const seenLate = (world.scenario.knobs?.visibilityDelayMs ?? 0) > 0;
    if (world.effects.struck === struck && !seenLate) break;
    await settle(world);
    if (world.holder(index, "AWSCURRENT") === versionId) return;
    if (world.effects.struck === struck) break;
  }
  world.watch.violation("stuck", "the next rotation does not succeed");
}

function effectsOf(world: ProveWorld): EffectSeen[] {
  return world.effects.seen.map(({ effect: { number, service, operation, mutates, run } }) => ({
    number,
    name: `${run.invocation.name} ${operation}`,
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
