import { retryAfterMs } from "../src/c2m/retry-after.ts";
import { isUnsent } from "../src/ports/cause.ts";
import { type Clock, systemClock } from "../src/ports/clock.ts";
import { PermanentError } from "../src/ports/errors.ts";
import { type FetchAnswer, readJobsError } from "./jobs-error.ts";
import { failureOf } from "./no-answer.ts";
import { outgoing } from "./outgoing.ts";
import { checkScopes, type TokenSource } from "./token-source.ts";
import { authorizationOf, isSame, settleMs, type Token } from "./tokens.ts";
import { backOff, waitFor } from "./waiting.ts";

/** As the global `fetch`, for the C2M API. A text that starts with `/` is appended to the base URL. */
export type C2mFetch<Answer extends FetchAnswer = Response> = (
  input: string | URL | Request,
  init?: RequestInit,
) => Promise<Answer>;

/** Options of {@link createC2mFetch}. */
export interface C2mFetchOptions<Answer extends FetchAnswer = Response> {
  /**
   * Which token requests carry. A short-term one that leaks is worth less: it ends after some minutes, and may be
   * narrowed with `scopes`.
   *
   * @default "short-term"
   */
  token?: "short-term" | "long-term";
  /** What the short-term token may do, at least one. Default: all that the long-term token may. */
  scopes?: readonly string[];
  /**
   * How long one call may wait in all before it is repeated, in ms: for C2M's rate limit (429, as long as `Retry-After` or
   * the error's message says) and for a connection that is refused. A 429 that asks for more, or does not say how long, is
   * returned.
   *
   * @default 60_000
   */
  maxWaitMs?: number;
  /** What sends. It must leave redirects alone when told `redirect: "manual"`. Default: the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Answer>;
  /** For tests. */
  clock?: Clock;
  /** Uniform in [0, 1), for jitter; for tests. */
  random?: () => number;
}

/** How often a call is repeated at most after a 429, and after a connection that never came about. */
const mostRepeats = { rateLimited: 5, unsent: 3 };
const firstBackOffMs = 1_000;
const longestBackOffMs = 30_000;
const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * A `fetch` that brings the token along. It overwrites `Authorization` and does not follow redirects: returns them with
 * `redirect: "manual"`, and else throws.
 *
 * It repeats a request only when C2M certainly did not take it: after a 401, with another token (or once more with one
 * that C2M may not have known yet); after a 429 that says how long to wait; and after a connection that never came about.
 * The 401 is returned where there is no other token, or where the token did not arrive (`MISSING_AUTH_HEADER`). A request
 * whose answer was lost is never sent again: C2M has no idempotency key, and would print and bill a letter twice. That is
 * told with AmbiguousError `no_answer` (RetryableError for GET, HEAD and OPTIONS). A 5xx is returned; it does not say
 * whether the request was taken either.
 *
 * The body of a `Request` is read into memory first, so that it can be sent again. A stream in `init.body` can't be: a
 * call that would have to repeat it throws `body_not_replayable`, with the source ready for the next call.
 *
 * @example
 * ```ts
 * const c2mFetch = createC2mFetch(createTokenSource({ secretId: "c2m/api-token" }), { scopes: ["jobs:submit"] });
 * const answer = await c2mFetch("/static", {
 *   method: "POST",
 *   headers: { "content-type": "application/json" },
 *   body: JSON.stringify(letter),
 * });
 * ```
 * @throws PermanentError `invalid_option`. Its calls throw what the source throws, the signal's reason, AmbiguousError
 *   `no_answer`, RetryableError `no_answer` or `unreachable`, and PermanentError `unreachable` (the certificate),
 *   `other_origin`, before anything is sent, `redirected` or `body_not_replayable`
 */
export function createC2mFetch<Answer extends FetchAnswer = Response>(
  tokens: TokenSource,
  options: C2mFetchOptions<Answer> = {},
): C2mFetch<Answer> {
  const { maxWaitMs = 60_000, clock = systemClock, random = Math.random } = options;
  const take = tokenOf(tokens, options);
  // Without a fetch of its own, Answer is Response.
  const send = options.fetch ?? ((url, init) => fetch(url, init) as Promise<unknown> as Promise<Answer>);
  /** One that was tried a second time in vain. */
  let rejectedForGood: Token | undefined;

  return async (input, init) => {
    const request = await outgoing(input, init, tokens);
    const { signal } = request;
    let token = await take({ signal });
    let leftMs = maxWaitMs;
    const repeats = { rateLimited: 0, unsent: 0 };
    let isReplaced = false;
    let isSettled = false;
    const pause = async (ms: number) => {
      leftMs -= ms;
      const ends = AbortSignal.any([signal, tokens.closing].filter((one) => one !== undefined));
      await waitFor(clock.sleep(ms, ends), ends);
      token = await take({ signal });
    };

    for (;;) {
      const headers = { ...request.headers, authorization: authorizationOf(token) };
      let answer: Answer;
      try {
        answer = await send(request.urlAt(token.baseUrl ?? tokens.baseUrl), { ...request.init, headers });
      } catch (error) {
        const waitMs = backOff(repeats.unsent + 1, firstBackOffMs, longestBackOffMs, random);
        const mayRepeat = isUnsent(error) && request.repeatable && repeats.unsent < mostRepeats.unsent;
        if (signal?.aborted || !mayRepeat || waitMs > leftMs) throw failureOf(error, request);
        repeats.unsent += 1;
        await pause(waitMs);
        continue;
      }
      if (redirects.has(answer.status) && !request.seesRedirects) {
        await discard(answer);
        throw redirected(answer.status);
      }
      if (isSettled) rejectedForGood = answer.status === 401 ? token : undefined;
      const isAboutToken = answer.status === 401 && (await readJobsError(answer)).kind !== "token_missing";
      if (isAboutToken && !isSettled) {
        const next = await otherToken(take, token, answer, signal);
        // With another token once; and once with the same, which C2M may not have known yet.
        if (next ? isReplaced : isSame(token, rejectedForGood) || settleMs > leftMs) return answer;
        await discard(answer);
        if (!request.repeatable) throw notRepeatable();
        if (next) {
          token = next;
          isReplaced = true;
        } else {
          isSettled = true;
          await pause(settleMs);
        }
        continue;
      }
      const askedMs = answer.status === 429 && request.repeatable ? await askedMsOf(answer, clock.now()) : undefined;
      if (askedMs === undefined || repeats.rateLimited === mostRepeats.rateLimited) return answer;
      repeats.rateLimited += 1;
      const waitMs = Math.max(askedMs, backOff(repeats.rateLimited, firstBackOffMs, longestBackOffMs, random));
      if (waitMs > leftMs) return answer;
      await discard(answer);
      await pause(waitMs);
    }
  };
}

type Take = (request: { rejected?: Token; signal: AbortSignal | undefined }) => Promise<Token>;

function tokenOf(tokens: TokenSource, { token, scopes }: Pick<C2mFetchOptions, "token" | "scopes">): Take {
  if (scopes) checkScopes(scopes);
  return ({ signal, ...rejected }) => {
    const request = { ...rejected, ...(signal && { signal }) };
    if (token === "long-term") return tokens.getLongTermToken(request);
    return tokens.getShortTermToken({ ...request, ...(scopes && { scopes }) });
  };
}

/** Undefined where there is none but the one that was rejected. */
async function otherToken(
  take: Take,
  rejected: Token,
  answer: FetchAnswer,
  signal: AbortSignal | undefined,
): Promise<Token | undefined> {
  try {
    return await take({ rejected, signal });
  } catch (error) {
    if (error instanceof PermanentError && error.code === "rejected") return undefined;
    await discard(answer);
    throw error;
  }
}

/** An answer that nobody reads would keep its connection. */
async function discard({ body }: FetchAnswer): Promise<void> {
  if (body instanceof ReadableStream) await body.cancel().catch(() => undefined);
}

async function askedMsOf(answer: FetchAnswer, now: number): Promise<number | undefined> {
  const header = answer.headers.get("retry-after") ?? undefined;
  const date = answer.headers.get("date") ?? undefined;
  return retryAfterMs({ header, date, message: (await readJobsError(answer)).message }, now);
}

function redirected(status: number): PermanentError {
  return new PermanentError(
    "redirected",
    `c2mFetch: C2M answered with a redirect (HTTP ${status}), which is not followed since the token goes to baseUrl only. Check the URL, or read the answer with redirect: "manual".`,
  );
}

function notRepeatable(): PermanentError {
  return new PermanentError(
    "body_not_replayable",
    "c2mFetch: C2M rejected the token, and the body is a stream, which can't be sent again. A new token is ready: call again with a new stream, or give a text or bytes.",
  );
}
