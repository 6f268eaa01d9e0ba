import type { C2mToken } from "../../../local-cloud/c2m/token-register.ts";
import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import { isLedgerEvent } from "../../../src/formats/ledger.ts";
import type { LogLine } from "./in-memory-ledger.ts";
import { nameOf, type Place, type Precision } from "./life.ts";
import type { World } from "./parts.ts";
import { Sketch } from "./sketch.ts";
import { storedFields, tokenTextOf, valueText } from "./stored-text.ts";

const minute = 60_000;
const hour = 60 * minute;

/** What is so near, in ms, may be told from what is a second nearer, where something comes at once. */
const soon = 6 * minute;

/** Added to dates that tell the seconds, too. */
const soonFrom = 100_000_000;

/**
 * A key of all that decides how a world goes on from a moment in which nothing runs; undefined where something is
 * still on its way. Dates are told from the full hour, since everything that happens by itself happens at one; ids
 * by the order in which they appear. Left out is what is over: a token that is dead and known to be, in no labelled
 * version, with the lines of the log about it; and what nobody reads.
 */
export function fingerprint(world: World, place: Place): string | undefined {
  if (world.functions.running > 0 || !world.effects.isQuiet) return undefined;
  const { name, precision } = nameOf(world, place);
  const { effects, c2ms, clock, ledger, watch, secrets, scenario } = world;
  const now = clock.now();
  const base = Math.floor(now / hour) * hour;
  const placed = (date: number) => {
    const when = whenOf(date - base, precision);
    const isSoon = precision === "second" && Math.abs(now - date) < soon;
    return isSoon ? soonFrom + when * 1_000 + Math.ceil((now - date) / 1_000) : when;
  };
  const sketch = new Sketch(placed);
  sketch.value(scenario.name);
  sketch.value(name);
  sketch.value(new Date(base).getUTCHours());
  if (precision !== "hour") sketch.value(Math.floor((now - base) / minute));
  sketch.date(world.wrongUntil);
  for (const [spell, until] of effects.spells) {
    sketch.value(spell);
    sketch.date(until);
  }
  for (const { at, ...what } of world.appointments) {
    sketch.value(what);
    sketch.date(at);
  }
  const longTokens = c2ms.tokens.filter(({ kind }) => kind === "long");
  const past = pastOf(world, longTokens);
  for (const { index, settings } of secrets) {
    sketch.fixed(settings);
    const secret = world.secret(index);
    writeSecret(sketch, secret, world, past);
    const open = world.engine.openRotation(secret);
    sketch.id(open?.versionId);
    sketch.value(open?.next);
  }
  for (const token of longTokens) {
    if (past.has(token.id)) continue;
    writeToken(sketch, token, now);
    sketch.value(watch.memoryOf(token, placed));
  }
  const settled = settledIn(world, past, base);
  writeLines(sketch, ledger.lines, { past, settled, base, now, graceMs: scenario.graceSeconds * 1_000 });
  sketch.value(watch.memory(placed));
  for (const credentials of [world.credentials, world.credentialsBefore, world.rightCredentials]) {
    if (credentials) sketch.fixed(credentials);
    else sketch.value(credentials);
  }
  sketch.value(world.memory());
  return sketch.key;
}

/**
 * How much later a date is than a full hour, both in ms, as a number that is as coarse as the date is far from every span that
 * the protocol or the play knows. What comes at full hours only, or ten minutes later, needs no exact minute; but what comes
 * in the middle of a run comes for some of its requests.
 */
function whenOf(later: number, precision: Precision): number {
  // A token that ends before the next rotation is another than one that ends after it.
  if (later > 10 * 24 * hour) return 20_000 + Math.round(later / (5 * 24 * hour));
  if (later > hour && later % (10 * minute) < minute) return 1_000_000 + Math.ceil(later / 10);
  // A date at the very minute is over when the next one is as far on.
  if (later > -3 * hour) return Math.ceil(later / (precision === "hour" ? 5 * minute : minute));
  for (const hours of [6, 26, 50]) if (later > -hours * hour) return -60 * hours;
  return later > -80 * 24 * hour ? -10_000 : -20_000;
}

/** Ids of the tokens that are over. */
function pastOf({ ledger, secrets, clock, secret }: World, longTokens: readonly C2mToken[]): ReadonlySet<string> {
  const past = new Set<string>();
  const dead = longTokens.filter(({ refusedFrom }) => refusedFrom !== undefined && refusedFrom <= clock.now());
  if (dead.length === 0) return past;
  const labelled = new Set<string | undefined>();
  for (const { index } of secrets) {
    for (const { stages, value } of secret(index).state.versions.values()) {
      if (stages.size > 0) labelled.add(tokenTextOf(value));
    }
  }
  const told = new Set<unknown>();
  for (const { event, stream, fields } of ledger.lines) {
    if (event === "token.revoked" && stream === "functions") told.add(fields.token_id);
  }
  for (const { id, accessToken } of dead) if (told.has(id) && !labelled.has(accessToken)) past.add(id);
  return past;
}

function writeSecret(sketch: Sketch, { state }: Secret, { c2ms, clock }: World, past: ReadonlySet<string>): void {
  const now = clock.now();
  for (const { id, stages, value, createdDate, fromRotationFunction } of state.versions.values()) {
    const text = valueText(value);
    // An empty version without a label is never looked at again.
    if (stages.size === 0 && text === undefined) continue;
    const token = c2ms.byAccessToken(tokenTextOf(value) ?? "");
    if (stages.size === 0 && token && past.has(token.id)) continue;
    sketch.id(id);
    for (const stage of stages.size < 2 ? stages : [...stages].sort()) sketch.value(stage);
    if (text !== undefined) sketch.fixed(storedFields(text));
    sketch.date(createdDate);
    sketch.value(fromRotationFunction);
  }
  sketch.date(state.lastChangedDate);
  // A grace may count from it, and a run at a full hour asks whether it is over when it has read the secret.
  if (now - state.lastChangedDate < 3 * hour) sketch.value(Math.ceil(Math.min(state.lastChangedDate % hour, 500) / 10));
  sketch.value(state.deletion !== undefined);
  sketch.value(state.tags);
  for (const { inSyncAt, ...replica } of state.replicas) {
    sketch.value(replica);
    sketch.date(Number.isFinite(inSyncAt) ? inSyncAt : undefined);
  }
  sketch.value(state.rotation?.enabled);
  sketch.date(state.rotation?.lastRotatedDate);
}

function writeToken(sketch: Sketch, token: C2mToken, now: number): void {
  const { id, accessToken, clientId, issuedAt, acceptedFrom, expiresAt, scopes, refusedFrom } = token;
  sketch.id(id);
  sketch.id(accessToken);
  sketch.value(clientId);
  sketch.date(issuedAt);
  if (acceptedFrom > now) sketch.date(acceptedFrom);
  sketch.date(expiresAt);
  sketch.value(scopes);
  sketch.date(refusedFrom);
}

/** What a line of each kind still says after so long is nothing, beyond the grace, in ms. */
const passing: Partial<Record<string, number>> = {
  "token.promotion.started": hour,
  "token.promoted": hour,
  "pending.detached": 2 * hour,
};

/** An issue call without an outcome that made no token is reported after so long, and nothing else comes of it. In ms. */
const outcomeMs = 3 * hour;

/** The attempts of which no line says anything any more that matters. */
function settledIn(world: World, past: ReadonlySet<string>, base: number): ReadonlySet<unknown> {
  const { ledger, watch, secrets, toDecommission, decommissioned } = world;
  // Whoever lets go of a secret is told of them.
  const isKept = secrets.every(({ settings }) => !settings.retire);
  const areTold = isKept && toDecommission.size === 0 && decommissioned.size === 0;
  const made = new Set<unknown>(watch.happened.attemptOf.values());
  const settled = new Set<unknown>();
  for (const { event, at, fields } of ledger.lines) {
    const isOver = event === "token.issued" && past.has(String(fields.token_id));
    const isOpen = event === "token.issue.started" && areTold && base - at > outcomeMs && !made.has(fields.attempt_id);
    if (isOver || isOpen || event === "token.issue.refused") settled.add(fields.attempt_id);
  }
  return settled;
}

function writeLines(
  sketch: Sketch,
  lines: readonly LogLine[],
  {
    past,
    settled,
    base,
    now,
    graceMs,
  }: { past: ReadonlySet<string>; settled: ReadonlySet<unknown>; base: number; now: number; graceMs: number },
): void {
  for (const { event, at, fields, stream, visibleFrom } of lines) {
    if (!isLedgerEvent(event) || settled.has(fields.attempt_id) || past.has(String(fields.token_id))) continue;
    const lasts = passing[event];
    if (lasts !== undefined && base - at > graceMs + lasts) continue;
    sketch.value(event);
    sketch.value(stream === "functions");
    sketch.date(at);
    if (visibleFrom > now) sketch.date(visibleFrom);
    sketch.fixed(fields);
  }
}
