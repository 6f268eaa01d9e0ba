import type { C2mToken } from "../../../local-cloud/c2m/token-register.ts";
import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import { isLedgerEvent } from "../../../src/formats/ledger.ts";
import type { LogLine } from "./in-memory-ledger.ts";
import { nameOf, type Place } from "./life.ts";
import type { World } from "./parts.ts";
import { Sketch } from "./sketch.ts";
import { storedFields, tokenTextOf, valueText } from "./stored-text.ts";

const minute = 60_000;
const hour = 60 * minute;

/** What is so near, in ms, may be told from what is a second nearer, where something comes at once. */
const soon = 6 * minute;

/** Added to ages that tell the seconds, too. */
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
  const ageOf = (date: number) => {
    const isSoon = precision === "second" && Math.abs(now - date) < soon;
    return isSoon ? soonFrom + age(base - date) * 1_000 + Math.ceil((now - date) / 1_000) : age(base - date);
  };
  const sketch = new Sketch(ageOf);
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
    writeSecret(sketch, secret, c2ms, past);
    const open = world.engine.openRotation(secret);
    sketch.id(open?.versionId);
    sketch.value(open?.next);
  }
  for (const token of longTokens) {
    if (past.has(token.id)) continue;
    writeToken(sketch, token);
    sketch.value(watch.memoryOf(token, ageOf));
  }
  writeLines(sketch, ledger.lines, { past, base, now, graceMs: scenario.graceSeconds * 1_000 });
  sketch.value(watch.memory(ageOf));
  for (const credentials of [world.credentials, world.credentialsBefore, world.rightCredentials]) {
    if (credentials) sketch.fixed(credentials);
    else sketch.value(credentials);
  }
  sketch.value(world.memory());
  return sketch.key;
}

/**
 * An age in ms as a number of minutes, as coarse as it is far from every span that the protocol or the play knows; below
 * -20,000 what is more than ten days to come.
 */
function age(ms: number): number {
  // A token that ends before the next rotation is another than one that ends after it.
  if (ms < -10 * 24 * hour) return -20_000 - Math.round(-ms / (5 * 24 * hour));
  if (ms < 0) return -1 - Math.round(-ms / minute);
  if (ms < 3 * hour) return Math.floor(ms / minute);
  for (const hours of [6, 26, 50]) if (ms < hours * hour) return hours * 60;
  return ms < 24 * 80 * hour ? 10_000 : 20_000;
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

function writeSecret(sketch: Sketch, { state }: Secret, c2ms: World["c2ms"], past: ReadonlySet<string>): void {
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
  sketch.value(state.deletion !== undefined);
  sketch.value(state.tags);
  for (const { inSyncAt, ...replica } of state.replicas) {
    sketch.value(replica);
    sketch.date(Number.isFinite(inSyncAt) ? inSyncAt : undefined);
  }
  sketch.value(state.rotation?.enabled);
  sketch.date(state.rotation?.lastRotatedDate);
}

function writeToken(
  sketch: Sketch,
  { id, accessToken, clientId, issuedAt, expiresAt, scopes, refusedFrom }: C2mToken,
): void {
  sketch.id(id);
  sketch.id(accessToken);
  sketch.value(clientId);
  sketch.date(issuedAt);
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

function writeLines(
  sketch: Sketch,
  lines: readonly LogLine[],
  { past, base, now, graceMs }: { past: ReadonlySet<string>; base: number; now: number; graceMs: number },
): void {
  const settled = new Set<unknown>();
  for (const { event, fields } of lines) {
    const isOver = event === "token.issued" && past.has(String(fields.token_id));
    if (isOver || event === "token.issue.refused") settled.add(fields.attempt_id);
  }
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
