import * as v from "valibot";
import type { IssuedToken } from "../ports/c2m.ts";
import { Sensitive } from "../ports/sensitive.ts";
import type { HttpAnswer } from "./http.ts";
import { retryAfterMs } from "./retry-after.ts";

/** What fits into an `Authorization` header; C2M's tokens are otherwise opaque. */
const headerText = /^[\x21-\x7e]+$/;

/** Whether this text can be sent as a bearer token, a client id or the like at all. */
export function fitsHeader(text: string): boolean {
  return headerText.test(text);
}

/** More than ten years is no lifetime, and would not fit into a date in the end. */
const longestLifetimeSeconds = 315_360_000;

/**
 * The 201 body of both issue calls. Required are only the token and its end: a live token must not be lost over a detail
 * that we can do without, so everything else that is missing or malformed counts as "not said".
 */
const issuedBody = v.object({
  access_token: v.pipe(v.string(), v.regex(headerText)),
  token_type: v.fallback(v.string(), "Bearer"),
  expires_at: v.fallback(v.optional(v.pipe(v.string(), v.check(isInstant))), undefined),
  expires_in: v.fallback(v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(longestLifetimeSeconds))), undefined),
  scopes: v.fallback(v.optional(v.array(v.string())), undefined),
});

/** A clock may be this far behind or ahead of C2M's. */
const clockSkewMs = 5 * 60_000;

/**
 * The token in a successful answer, or what is wrong with the answer (never quoting it). The content type is not
 * looked at. `expires_at` counts; when it is not a date with a time zone, the end is reckoned from `expires_in`. A short
 * token serves where clocks may be wrong: one that has ended by ours is taken all the same where C2M told its lifetime.
 *
 * @param now epoch ms
 */
export function readIssuedToken(
  answer: HttpAnswer,
  now: number,
  kind: "long" | "short",
): IssuedToken | { problem: string } {
  if (answer.bodyFault) return { problem: faultTexts[answer.bodyFault] };
  const result = v.safeParse(issuedBody, parseJson(answer.body));
  if (!result.success) return { problem: "it is not a JSON object with a usable access_token" };
  const { access_token, token_type, expires_at, expires_in, scopes } = result.output;
  if (expires_at === undefined && expires_in === undefined) {
    return { problem: "neither its expires_at nor its expires_in is usable" };
  }
  const expiresAt = expires_at ?? new Date(now + (expires_in ?? 0) * 1000).toISOString();
  const lifetimeSeconds = expires_in ?? lifetimeUntil(expiresAt, answer);
  const isJudgedByUs = kind === "long" || lifetimeSeconds === undefined;
  if (isJudgedByUs && Date.parse(expiresAt) < now - clockSkewMs) {
    return { problem: "its expires_at is in the past; compare the clocks" };
  }
  return {
    accessToken: new Sensitive(access_token),
    tokenType: token_type,
    ...tokenIdsOf(answer),
    scopes,
    expiresAt,
    lifetimeSeconds,
  };
}

/** By the answer's own `Date`: both are of C2M's clock. Undefined where that says nothing that could be. */
function lifetimeUntil(expiresAt: string, answer: HttpAnswer): number | undefined {
  const seconds = (Date.parse(expiresAt) - Date.parse(answer.headers.date ?? "")) / 1_000;
  return seconds >= 1 && seconds <= longestLifetimeSeconds ? seconds : undefined;
}

const faultTexts = {
  cut_off: "its body was cut off",
  timed_out: "its body did not arrive in time",
  too_large: "its body is larger than 1 MiB",
  undecodable: "its body can't be decoded",
};

/**
 * The ids by which the token of this answer can be revoked: `token_id` of the body, also of one that was cut off after
 * it, and the header `X-Token-Id`. Where only one could be used, or all are the same, it is `tokenId`.
 */
export function tokenIdsOf(answer: HttpAnswer): Pick<IssuedToken, "tokenId" | "headerTokenId"> {
  const said = [fieldOf(answer.body, "token_id"), ...(answer.headers["x-token-id"]?.split(repeated) ?? [])];
  const [tokenId, headerTokenId] = new Set(said.filter((id) => id !== undefined && isTokenId(id)));
  return { tokenId, headerTokenId };
}

/** What Node puts between the values of a header that comes more than once, as from C2M and a gateway. */
const repeated = ", ";

/** Whether this can be an id in the URL of a revoke call. */
export function isTokenId(id: string): boolean {
  // Servers and URL parsers take these two, encoded or not, for steps in the path.
  if (id === "." || id === "..") return false;
  return id.length > 0 && id.length <= 256 && id.isWellFormed();
}

/** Whether the body is a JSON object, as all that C2M itself says. */
export function isJsonObject({ body, bodyFault }: HttpAnswer): boolean {
  const json = bodyFault === undefined ? parseJson(body) : undefined;
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** How C2M writes its codes: a gateway's own ("AccessDenied", "1020") are not C2M's word. */
const c2mCode = /^[a-z]+(_[a-z]+)*$/;

/** Of an object that was cut off: only what stands behind texts is a field of the object itself. */
const codeOfCutOff = /^\s*\{\s*(?:"[^"\\]*"\s*:\s*"(?:[^"\\]|\\.)*"\s*,\s*)*"code"\s*:\s*"([^"\\]*)"/;

/** C2M's own `code` of an error body `{code, message, details?}`. A page or a text that quotes one says nothing. */
export function errorCodeOf({ body }: HttpAnswer): string | undefined {
  const json = parseJson(body);
  const said = json === undefined ? codeOfCutOff.exec(body)?.[1] : (json as { code?: unknown } | null)?.code;
  return typeof said === "string" && c2mCode.test(said) ? said : undefined;
}

/**
 * How long C2M asks us to wait, in ms.
 *
 * @param now epoch ms
 */
export function retryAfterMsOf(answer: HttpAnswer, now: number): number | undefined {
  const { "retry-after": header, date } = answer.headers;
  return retryAfterMs({ header, date, message: fieldOf(answer.body, "message") }, now);
}

/** A text field of a JSON object; of one that does not parse, as far as it goes. */
function fieldOf(body: string, name: "token_id" | "message"): string | undefined {
  const json = parseJson(body);
  if (json === undefined) return new RegExp(`"${name}"\\s*:\\s*"([^"\\\\]*)"`).exec(body)?.[1];
  const value = (json as Record<string, unknown> | null)?.[name];
  return typeof value === "string" ? value : undefined;
}

/** Undefined for what is not JSON: the parser's error would quote it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** ISO 8601 with a time zone: without one it would mean another time on every machine. */
function isInstant(text: string): boolean {
  return (
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(Date.parse(text))
  );
}
