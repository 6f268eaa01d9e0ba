import type { ReconcileReport } from "../../lambdas/rotation/reconcile.ts";
import type { Scope } from "../../lambdas/rotation/reconcile-secret.ts";
import { act } from "./operator.ts";
import { checkQuiet } from "./quiescence.ts";
import { scenarioNamed } from "./scenarios.ts";
import type { Action, Schedule } from "./schedule.ts";
import { tokenTextOf } from "./stored-text.ts";
import { type Protocol, ProveWorld } from "./world.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** A world that is not quiet after so much time never will be. */
const mostHours = 60;

/** When nothing has come of so many hours, somebody rotates. */
const patience = 12;

/** How often somebody who deploys tries again, and Secrets Manager while the window is open. */
const mostAttempts = 4;

/** An effect of a run, as the next round of schedules needs it. */
export interface EffectSeen {
  number: number;
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

/** Plays one schedule from the first token to the last check. Everything in it is determined by the schedule. */
export async function play(
  schedule: Schedule,
  { protocol, trace = false }: { protocol?: Protocol; trace?: boolean } = {},
): Promise<Outcome> {
  const world = new ProveWorld({
    scenario: scenarioNamed(schedule.scenario),
    strikes: schedule.strikes,
    ...(protocol ? { protocol } : {}),
  });
  try {
    await live(world, schedule.actions);
  } catch (error) {
    world.watch.violation("crashed", `the run itself failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
  world.engine.stop();
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
    const { kind } = await world.bootstrap(index);
    if (kind === "succeeded") break;
    if (attempt === 8 * mostAttempts) return world.watch.violation("stuck", "the bootstrap never succeeds");
    // Longer than a request that left before a crash may take.
    await world.clock.advanceBy(attempt < mostAttempts ? 5 * minute : hour);
  }
  await enableRotation(world, index);
}

async function enableRotation(world: ProveWorld, index: number, immediately = false): Promise<void> {
  world.engine.rotateSecret({
    SecretId: world.of(index).arn,
    ClientRequestToken: world.id(),
    RotationLambdaARN: world.functionArn,
    RotationRules: { ScheduleExpression: "rate(30 days)" },
    RotateImmediately: immediately,
  });
  await world.engine.idle();
}

async function rotateOnce(world: ProveWorld): Promise<void> {
  // A week on, a little after midnight: the daily run over everything is three hours away.
  await world.clock.advanceTo(Math.ceil((world.clock.now() + 6 * day) / day) * day + 10 * minute);
  for (const { index } of world.secrets) await rotate(world, index);
}

async function rotate(world: ProveWorld, index: number): Promise<string> {
  const versionId = world.id();
  await tryTo(() => world.engine.rotateSecret({ SecretId: world.of(index).arn, ClientRequestToken: versionId }));
  await world.engine.idle();
  return versionId;
}

async function follow(world: ProveWorld, { afterHours, secret, kind }: Action): Promise<void> {
  await pass(world, afterHours);
  const { index } = world.of(secret % world.secrets.length);
  if (kind === "rotate") await rotate(world, index);
  else act(world, kind, index);
  checkQuiet(world, await settle(world));
}

/** Lets time pass with the daily run of the reconciler only: between the settled and the next action there is nothing hourly to do. */
async function pass(world: ProveWorld, hours: number): Promise<void> {
  const end = world.clock.now() + hours * hour;
  for (let next = nextAll(world.clock.now()); next <= end; next += day) {
    await world.clock.advanceTo(next);
    await world.reconcile("all");
    await world.engine.idle();
  }
  await world.clock.advanceTo(end);
}

/**
 * Hours pass, with the reconciler and with Secrets Manager's retries, until there is nothing left to do, and then until
 * a run over everything finds nothing either. Resolves with the report of that run.
 */
async function settle(world: ProveWorld): Promise<ReconcileReport> {
  const every = world.scenario.reconcileEveryHours ?? 1;
  for (let hours = 1; hours <= mostHours; hours += 1) {
    await world.clock.advanceTo((Math.floor(world.clock.now() / hour) + 1) * hour);
    const scope = new Date(world.clock.now()).getUTCHours() === 3 ? "all" : "recent";
    const found = hours % every === 0 ? await reconcileUndisturbed(world, scope) : undefined;
    if (found && scope === "all") return found;
    if (found) {
      await world.clock.advanceTo(nextAll(world.clock.now()));
      const all = await reconcileUndisturbed(world, "all");
      if (all) return all;
    }
    await world.clock.advanceBy(10 * minute);
    for (const { index } of world.secrets) await retry(world, index, hours);
  }
  world.watch.violation("stuck", `after ${mostHours} hours there is still something to do`);
  throw new Error("never quiet");
}

/** Runs the reconciler. Resolves with its report when it found nothing to do, and nothing happened meanwhile. */
async function reconcileUndisturbed(world: ProveWorld, scope: Scope): Promise<ReconcileReport | undefined> {
  const { struck } = world.effects;
  const end = await world.reconcile(scope);
  await world.engine.idle();
  if (world.effects.struck !== struck || end.kind !== "succeeded") return undefined;
  return isQuiet(world, end.result) ? end.result : undefined;
}

/** Secrets Manager tries the unfinished rotation again; an operator turns on again what was turned off. */
async function retry(world: ProveWorld, index: number, hours: number): Promise<void> {
  const { retryAfterHours } = world.scenario;
  if (!world.secret(index).state.rotation?.enabled) {
    if (hours > 4 && world.holder(index, "AWSPENDING", "AWSCURRENT") === undefined) await enableRotation(world, index);
    return;
  }
  if (hours > patience && holdsText(world, index)) await rotate(world, index);
  if (retryAfterHours === "never" || hours % retryAfterHours !== 0 || hours > mostAttempts * retryAfterHours) return;
  // Refused, since a rotation is unfinished; and thereby that one is tried again.
  if (world.holder(index, "AWSPENDING", "AWSCURRENT") !== undefined) await rotate(world, index);
  else await world.deliverAgain(index);
}

/** A text that an operator put there can't be told from a token without its text: only a rotation clears the way. */
function holdsText(world: ProveWorld, index: number): boolean {
  const id = world.holder(index, "AWSCURRENT");
  const text = tokenTextOf(world.secret(index).state.versions.get(id ?? "")?.value);
  return text !== undefined && world.c2m.byAccessToken(text) === undefined;
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

function isQuiet(world: ProveWorld, report: ReconcileReport): boolean {
  const isOpen = ({ index }: { index: number }) => world.holder(index, "AWSPENDING", "AWSCURRENT") !== undefined;
  if (world.secrets.some(isOpen)) return false;
  if (world.secrets.some(({ index }) => !world.secret(index).state.rotation?.enabled)) return false;
  return report.secrets.every(
    ({ error, waiting, backlog, revoked, detached }) =>
      !error && waiting === 0 && backlog === 0 && revoked.length === 0 && detached.length === 0,
  );
}

function nextAll(now: number): number {
  const today = Math.floor(now / day) * day + 3 * hour;
  return today > now ? today : today + day;
}

async function tryTo(run: () => unknown): Promise<void> {
  try {
    run();
  } catch (error) {
    if ((error as Error).name !== "AwsError") throw error;
  }
}

function effectsOf(world: ProveWorld): EffectSeen[] {
  return world.effects.seen.map(({ effect: { number, service, mutates, run } }) => ({
    number,
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
