import type { C2mToken } from "../../../local-cloud/c2m/token-register.ts";
import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import type { LogLine } from "./in-memory-ledger.ts";
import type { Precision } from "./life.ts";
import type { World } from "./parts.ts";
import { tokenTextOf, valueText } from "./stored-text.ts";

const minute = 60_000;
const hour = 60 * minute;

/** What is so near, in ms, may be told from what is a second nearer, where something comes at once. */
const soon = 6 * minute;

/**
 * All that decides how a world goes on from a moment in which nothing runs, as a text; undefined where something is
 * still on its way. Dates are told from the full hour, since everything that happens by itself happens at one; ids
 * by the order in which they appear. Left out is what is over: a token that is dead and known to be, in no labelled
 * version, with the lines of the log about it.
 */
export function fingerprint(world: World, place: string, precision: Precision): string | undefined {
  if (world.functions.running > 0 || !world.effects.isQuiet) return undefined;
  const { effects, c2ms, clock, ledger, watch, secrets, scenario } = world;
  const now = clock.now();
  const base = Math.floor(now / hour) * hour;
  const atOnce = precision === "second";
  const since = (date: number | undefined) => {
    if (date === undefined) return "-";
    return atOnce && Math.abs(now - date) < soon
      ? `${ageOf(base - date)} ${Math.ceil((now - date) / 1_000)} s`
      : ageOf(base - date);
  };
  const longTokens = c2ms.tokens.filter(({ kind }) => kind === "long");
  const past = new Set<string>();
  const labelled = new Set<string | undefined>();
  for (const { index } of secrets) {
    for (const { stages, value } of world.secret(index).state.versions.values()) {
      if (stages.size > 0) labelled.add(tokenTextOf(value));
    }
  }
  const told = new Set(
    ledger.lines
      .filter(({ event, stream }) => event === "token.revoked" && stream === "functions")
      .map(({ fields }) => fields.token_id),
  );
  for (const token of longTokens) {
    const over = token.refusedFrom !== undefined && token.refusedFrom <= now;
    if (over && told.has(token.id) && !labelled.has(token.accessToken)) past.add(token.id);
  }
  const parts: unknown[] = [
    scenario.name,
    place,
    new Date(base).getUTCHours(),
    precision === "hour" ? "" : Math.floor((now - base) / minute),
    since(world.wrongUntil),
    effects.spells.map(([spell, until]) => [spell, since(until)]),
    [...world.appointments].map(({ at, ...what }) => [what, since(at)]),
    secrets.map(({ index, settings }) => [settings, stateOf(world.secret(index), since, c2ms, past)]),
    longTokens
      .filter(({ id }) => !past.has(id))
      .map((token) => [...lifeOf(token, since), ...watch.memoryOf(token, since)]),
    linesOf(ledger.lines, past, since, scenario.graceSeconds * 1_000, base),
    watch.memory(since),
    world.memory(),
  ];
  return named(JSON.stringify(parts), longTokens);
}

/** An age in ms, as coarse as it is far from every span that the protocol or the play knows. */
function ageOf(ms: number): string {
  if (ms < -10 * 24 * hour) return "far";
  if (ms < 0) return `in ${Math.round(-ms / minute)}`;
  if (ms < 3 * hour) return `${Math.floor(ms / minute)}`;
  for (const hours of [6, 26, 50, 24 * 80]) if (ms < hours * hour) return `under ${hours} h`;
  return "old";
}

function stateOf(
  { state }: Secret,
  since: (date: number | undefined) => string,
  c2ms: World["c2ms"],
  past: ReadonlySet<string>,
): unknown {
  const versions = [...state.versions.values()].flatMap(({ id, stages, value, createdDate, fromRotationFunction }) => {
    const text = valueText(value);
    const token = c2ms.byAccessToken(tokenTextOf(value) ?? "");
    if (stages.size === 0 && token && past.has(token.id)) return [];
    // An empty version without a label is never looked at again.
    if (stages.size === 0 && text === undefined) return [];
    return [
      [
        id,
        [...stages].sort(),
        text === undefined ? "-" : heldIn(text, since),
        since(createdDate),
        fromRotationFunction,
      ],
    ];
  });
  const { rotation } = state;
  return [
    versions,
    since(state.lastChangedDate),
    state.deletion !== undefined,
    state.tags,
    state.replicas.map(({ inSyncAt, ...replica }) => [replica, since(inSyncAt)]),
    rotation && [rotation.enabled, since(rotation.lastRotatedDate)],
  ];
}

function heldIn(text: string, since: (date: number | undefined) => string): unknown {
  if (!text.startsWith("{")) return text;
  const { issued_at, expires_at, ...others } = JSON.parse(text) as Record<string, string>;
  return [others, since(dateOf(issued_at)), since(dateOf(expires_at))];
}

function dateOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

function lifeOf(
  { id, issuedAt, expiresAt, scopes, refusedFrom }: C2mToken,
  since: (date: number) => string,
): unknown[] {
  return [id, since(issuedAt), since(expiresAt), scopes, refusedFrom === undefined ? "-" : since(refusedFrom)];
}

/** What a line of each kind still says after so long is nothing, beyond the grace, in ms. */
const passing: Partial<Record<string, number>> = {
  "token.promotion.started": hour,
  "token.promoted": hour,
  "pending.detached": 2 * hour,
};

function linesOf(
  lines: readonly LogLine[],
  past: ReadonlySet<string>,
  since: (date: number | undefined) => string,
  graceMs: number,
  base: number,
): unknown[] {
  const settled = new Set<unknown>();
  for (const { event, fields } of lines) {
    const over = event === "token.issued" && past.has(String(fields.token_id));
    if (over || event === "token.issue.refused") settled.add(fields.attempt_id);
  }
  return lines.flatMap(({ event, at, fields, stream }) => {
    if (!event.startsWith("token.") && event !== "pending.detached") return [];
    if (settled.has(fields.attempt_id) || past.has(String(fields.token_id))) return [];
    const lasts = passing[event];
    if (lasts !== undefined && base - at > graceMs + lasts) return [];
    const dated = Object.entries(fields).map(([name, value]) =>
      /_at$/.test(name) && typeof value === "string" ? [name, since(Date.parse(value))] : [name, value],
    );
    return [[event, stream === "functions", since(at), dated]];
  });
}

const id = /\b(?:tok_\d+|(?:version|attempt|made-by-aws)-\d{30}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/g;

/** The text with ids in the order of their appearance in place of themselves, and of tokens' texts. */
function named(text: string, tokens: readonly C2mToken[]): string {
  let plain = text;
  for (const { accessToken, id: tokenId } of tokens) plain = plain.replaceAll(accessToken, tokenId);
  const names = new Map<string, string>();
  return plain.replace(id, (found) => {
    const known = names.get(found) ?? `#${names.size + 1}`;
    names.set(found, known);
    return known;
  });
}
