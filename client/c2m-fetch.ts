import { retryAfterMsOf } from "../src/c2m/answers.ts";
import { type Clock, systemClock } from "../src/ports/clock.ts";
import { PermanentError } from "../src/ports/errors.ts";
import { waitFor } from "./abort.ts";
import { outgoing } from "./outgoing.ts";
import type { TokenSource } from "./token-source.ts";
import { authorizationOf, type Token } from "./tokens.ts";

/** What is used of a `Response`, so that clients that are only like fetch will do, too. */
export interface FetchAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body?: unknown;
}

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
  /** What the short-term token may do. Default: all that the long-term token may. */
  scopes?: readonly string[];
  /**
   * How long one call may wait in all for C2M's rate limit (429 with `Retry-After`), in ms. A 429 that asks for more, or
   * does not say how long, is returned.
   *
   * @default 60_000
   */
  maxWaitMs?: number;
  /** What sends. It must leave redirects alone when told `redirect: "manual"`. Default: the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Answer>;
  /** For tests. */
  clock?: Clock;
}

/** A 429 that asks for no time at all would else be repeated for ever. */
const maxRateLimited = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * A `fetch` that brings the token along. It overwrites `Authorization`. After a 401 it has the secret read, takes
 * another token and sends once more; the 401 is returned where there is no other token. It does not follow redirects:
 * returns them with `redirect: "manual"`, and else throws. It throws what the source throws, and the signal's reason.
 *
 * The body of a `Request` is read into memory first, so that it can be sent again. A stream in `init.body` can't be: a
 * call that would have to repeat it throws `body_not_replayable`, with the source ready for the next call.
 *
 * @example
 * ```ts
 * const c2mFetch = createC2mFetch(createTokenSource({ secretId: "c2m/api-token" }), { scopes: ["jobs:submit"] });
 * const answer = await c2mFetch("/jobs", { method: "POST", body: JSON.stringify(job) });
 * ```
 * Its calls throw PermanentError `other_origin`, before anything is sent, `redirected` or `body_not_replayable`.
 */
export function createC2mFetch<Answer extends FetchAnswer = Response>(
  tokens: TokenSource,
  options: C2mFetchOptions<Answer> = {},
): C2mFetch<Answer> {
  const { maxWaitMs = 60_000, clock = systemClock } = options;
  const take = tokenOf(tokens, options);
  // Without a fetch of its own, Answer is Response.
  const send = options.fetch ?? ((url, init) => fetch(url, init) as Promise<unknown> as Promise<Answer>);

  return async (input, init) => {
    const request = await outgoing(input, init, tokens.baseUrl);
    const { signal } = request;
    let token = await take({ signal });
    let replaced = false;
    let leftMs = maxWaitMs;
    for (let sent = 1; ; sent += 1) {
      const headers = { ...request.headers, authorization: authorizationOf(token) };
      const answer = await send(request.url, { ...request.init, headers });
      if (redirects.has(answer.status) && !request.seesRedirects) {
        await discard(answer);
        throw redirected(answer.status);
      }
      if (answer.status === 401 && !replaced) {
        const next = await otherToken(take, token, answer, signal);
        if (!next) return answer;
        await discard(answer);
        if (!request.repeatable) throw notRepeatable();
        token = next;
        replaced = true;
        continue;
      }
      const waitMs = answer.status === 429 && request.repeatable ? retryAfterMs(answer, clock.now()) : undefined;
      if (waitMs === undefined || waitMs > leftMs || sent > maxRateLimited) return answer;
      await discard(answer);
      leftMs -= waitMs;
      await waitFor(clock.sleep(waitMs, signal), signal);
      token = await take({ signal });
    }
  };
}

type Take = (request: { rejected?: Token; signal: AbortSignal | undefined }) => Promise<Token>;

function tokenOf(tokens: TokenSource, { token, scopes }: Pick<C2mFetchOptions, "token" | "scopes">): Take {
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

function retryAfterMs(answer: FetchAnswer, now: number): number | undefined {
  const headers = { "retry-after": answer.headers.get("retry-after") ?? undefined };
  return retryAfterMsOf({ status: answer.status, headers, body: "", bodyFault: undefined }, now);
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
