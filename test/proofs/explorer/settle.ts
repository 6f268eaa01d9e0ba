import { decisionLabel } from "../../../src/formats/labels.ts";
import type { ReconcileReport } from "../../../src/reconcile/report.ts";
import type { Scope } from "../../../src/reconcile/survey.ts";
import { decommission, rotateSecret, supplyToken, tryTo } from "./operator.ts";
import type { World } from "./parts.ts";
import { storedFields, tokenTextOf, valueText } from "./stored-text.ts";

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** A world that is not quiet after so much time never will be. */
export const mostHours = 60;

/** When nothing has come of so many hours, somebody rotates. */
const patience = 12;

/** How often Secrets Manager tries a rotation again while its window is open. */
const mostAttempts = 4;

/** Which run of the reconciler is due at a full hour. */
export function scopeAt(now: number): Scope {
  return new Date(now).getUTCHours() === 3 ? "all" : "recent";
}

/** What of the hours that have passed decides what is still to come. */
export function placeIn(world: World, hours: number, every: number): string {
  const counts =
    world.toDeploy.size > 0 ||
    world.toDecommission.size > 0 ||
    world.unlisted.size > 0 ||
    kept(world).some(
      (index) =>
        world.holder(index, "AWSPENDING", "AWSCURRENT") !== undefined ||
        lacksRotation(world, index) ||
        needsRotation(world, index) ||
        seemsToGoBack(world, index),
    );
  return counts || world.isFailing ? String(hours) : `${hours % every}`;
}

/** Indices of the secrets that are not decommissioned. */
export function kept(world: World): number[] {
  return world.secrets.map(({ index }) => index).filter((index) => !world.decommissioned.has(index));
}

/** Runs the reconciler. Resolves with its report when it found nothing to do, and nothing happened meanwhile. */
export async function reconcileUndisturbed(world: World, scope: Scope): Promise<ReconcileReport | undefined> {
  const { struck } = world.effects;
  const before = world.ledger.lines.length;
  const end = await world.functions.reconcile(scope);
  await world.idle();
  if (world.effects.struck !== struck || end.kind !== "succeeded") return undefined;
  // What was called revoked and works is there again for the next run.
  if (world.ledger.lines.slice(before).some(({ event }) => event === "token.alive")) return undefined;
  return isQuiet(world, end.result) ? end.result : undefined;
}

/**
 * Secrets Manager tries the unfinished rotation again; people do what they have begun, or what an alarm tells them.
 * Resolves with whether a rotation is to be asked for now: it is refused, and thereby the unfinished one is tried again.
 */
export async function retry(world: World, index: number, hours: number): Promise<boolean> {
  const { retryAfterHours } = world.scenario;
  if (world.unlisted.has(index)) return false;
  if (world.toDecommission.has(index)) {
    await decommission(world, index);
    return false;
  }
  if (world.toDeploy.has(index) && (await world.functions.bootstrap(index)).kind === "succeeded") {
    world.toDeploy.delete(index);
  }
  if (world.of(index).settings.retire) {
    await endRetirement(world, index, hours);
    return false;
  }
  if (lacksRotation(world, index)) {
    if (hours > 4 && world.holder(index, "AWSPENDING", "AWSCURRENT") === undefined) await enableRotation(world, index);
    return false;
  }
  if (hours > patience && needsRotation(world, index)) {
    supplyToken(world, index);
    await rotate(world, index);
  }
  if (hours > patience && seemsToGoBack(world, index)) await world.functions.command("unstick", index);
  if (retryAfterHours === "never" || hours % retryAfterHours !== 0 || hours > mostAttempts * retryAfterHours)
    return false;
  if (world.holder(index, "AWSPENDING", "AWSCURRENT") !== undefined) return true;
  await world.deliverAgain(index);
  return false;
}

function lacksRotation(world: World, index: number): boolean {
  return !world.of(index).settings.retire && !world.secret(index).state.rotation?.enabled;
}

/** What only a rotation can mend needs one: then the secret is not retired any more. */
async function endRetirement(world: World, index: number, hours: number): Promise<void> {
  if (hours <= patience || !(needsRotation(world, index) || seemsToGoBack(world, index))) return;
  const secret = world.of(index);
  secret.settings = { ...secret.settings, retire: false };
  await enableRotation(world, index);
}

/**
 * A text that somebody put there, or a token that C2M gave no id, can't be told from a token without its text; where the
 * current token is dead the newest superseded one is kept; and with the mechanism `short_token` one of another client can
 * issue none: only a rotation clears the way.
 */
export function needsRotation(world: World, index: number): boolean {
  const value = world.secret(index).state.versions.get(world.holder(index, "AWSCURRENT") ?? "")?.value;
  const text = tokenTextOf(value);
  if (text === undefined) return false;
  const token = world.c2ms.byAccessToken(text);
  if (token === undefined || token.revokedAt !== undefined) return true;
  const { settings } = world.of(index);
  const isOfSettings = token.clientId === settings.clientId && world.c2ms.baseUrlOf(token.id) === settings.baseUrl;
  if (world.scenario.shortToken && !isOfSettings) return true;
  return (
    storedFields(valueText(value) ?? "").token_id === undefined && world.watch.happened.isKnownByIdAlone(index, token)
  );
}

/**
 * A rollback that was cut short, or a revocation that was, and whose token somebody made current again by hand: nothing
 * tells the two apart, so the token at AWSPREVIOUS is kept, the backlog rings, and `unstick` ends it.
 */
function seemsToGoBack(world: World, index: number): boolean {
  const holder = world.holder(index, decisionLabel);
  return holder !== undefined && holder === world.holder(index, "AWSCURRENT");
}

/** Asks for a rotation and waits for the end of its first attempt. Resolves with the id of its version. */
export async function rotate(world: World, index: number, versionId = world.id()): Promise<string> {
  tryTo(() => rotateSecret(world, index, versionId));
  await world.idle();
  return versionId;
}

/** Turns rotation on, and waits for the end of what that begins. */
export async function enableRotation(world: World, index: number, immediately = false): Promise<void> {
  turnRotationOn(world, index, immediately);
  await world.idle();
}

/** Turns rotation on, which tests a copy of the current value or rotates at once. */
export function turnRotationOn(world: World, index: number, immediately = false): void {
  // Refused while a rotation is unfinished, which somebody else has begun meanwhile.
  tryTo(() =>
    world.engine.rotateSecret({
      SecretId: world.of(index).arn,
      ClientRequestToken: world.id(),
      RotationLambdaARN: world.functionArn,
      RotationRules: { ScheduleExpression: "rate(30 days)" },
      RotateImmediately: immediately,
    }),
  );
}

/** When the next run of the reconciler over everything is due. */
export function nextAll(now: number): number {
  const today = Math.floor(now / day) * day + 3 * hour;
  return today > now ? today : today + day;
}

function isQuiet(world: World, report: ReconcileReport): boolean {
  const isOpen = (index: number) => world.holder(index, "AWSPENDING", "AWSCURRENT") !== undefined;
  if (world.toDeploy.size > 0 || world.toDecommission.size > 0 || world.unlisted.size > 0) return false;
  if (kept(world).some(isOpen)) return false;
  if (kept(world).some((index) => lacksRotation(world, index))) return false;
  return report.secrets.every(
    ({ error, waiting, backlog, revoked, detached }) =>
      !error && waiting === 0 && backlog === 0 && revoked.length === 0 && detached.length === 0,
  );
}
