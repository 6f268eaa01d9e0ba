import type { C2m, IssuedToken, IssueRequest } from "../ports/c2m.ts";
import { type Clock, steady } from "../ports/clock.ts";
import { PermanentError } from "../ports/errors.ts";
import { fitsHeader, isTokenId, readIssuedToken } from "./answers.ts";
import { endpoint } from "./base-url.ts";
import { badAnswer, failureOf, noAnswer, type Operation } from "./failures.ts";
import { bearer, type Grant, longTokenCall } from "./grants/grant.ts";
import { type HttpAnswer, type HttpSend, TransportError } from "./http.ts";
import { type Limits, retry, timeForAttempt } from "./retry.ts";
import { version } from "./version.ts";

export interface AuthApiOptions {
  /** As `parseBaseUrl` returns it. Nothing is sent anywhere else. */
  baseUrl: URL;
  clientId: string;
  clock: Clock;
  send: HttpSend;
  /** Uniform in [0, 1), for the jitter of the back-off. */
  random: () => number;
  /** What one attempt may take, in ms. */
  requestTimeoutMs: number;
}

/**
 * /long has been seen to take 3.6 s, and C2M's clients are told to wait 10 s at least. An issue call that is cut short
 * leaves a token nobody knows, so with less time than that left it is not begun.
 */
const issueMinimumMs = 10_000;
const otherMinimumMs = 1_000;

/** The three calls of the C2M auth API, each with its retries. Which grant an issue call brings is the caller's. */
export class AuthApi {
  readonly #options: AuthApiOptions;

  constructor(options: AuthApiOptions) {
    this.#options = options;
  }

  /**
   * @param makeGrant called before every attempt, since a one-time code or an assertion serves once; must be done by the
   *   given time (epoch ms)
   */
  issueLongTermToken(
    { scopes, ttlSeconds, deadline }: Omit<IssueRequest, "current">,
    makeGrant: (readyBy: number) => Promise<Grant>,
  ): Promise<IssuedToken> {
    const { clientId, random } = this.#options;
    const limits = this.#limits(deadline, issueMinimumMs);
    const attempt = async () => {
      const grant = await makeGrant(deadline - limits.minimumMs);
      const call = longTokenCall(grant, { clientId, scopes, ttlSeconds });
      const answer = await this.#post("issueLongTermToken", ["auth", "tokens", "long"], call, limits);
      return this.#issued("issueLongTermToken", answer);
    };
    return retry(attempt, limits, random);
  }

  async issueShortTermToken({ longToken, scopes, deadline }: Parameters<C2m["issueShortTermToken"]>[0]) {
    if (!fitsHeader(longToken.reveal())) {
      throw new PermanentError(
        "invalid_token",
        "issueShortTermToken: the long token must be printable ASCII without spaces, as every token of C2M's is. It has to be replaced.",
      );
    }
    const limits = this.#limits(deadline, otherMinimumMs);
    const call = { authorization: bearer(longToken), body: scopes && JSON.stringify({ scopes }) };
    const attempt = async () => {
      const answer = await this.#post("issueShortTermToken", ["auth", "tokens", "short"], call, limits);
      return this.#issued("issueShortTermToken", answer);
    };
    return retry(attempt, limits, this.#options.random);
  }

  async revokeToken({
    tokenId,
    bearer: token,
    deadline,
    beforeRetry,
  }: Parameters<C2m["revokeToken"]>[0]): Promise<void> {
    if (!isTokenId(tokenId)) {
      throw new PermanentError(
        "revocation_refused",
        "revokeToken: the token id must be 1 to 256 characters and not a step in a path. The token ends with its lifetime.",
      );
    }
    if (!fitsHeader(token.reveal())) {
      throw new PermanentError(
        "revocation_refused",
        "revokeToken: the bearer must be printable ASCII without spaces, as every token of C2M's is. Use another token.",
      );
    }
    const limits = this.#limits(deadline, otherMinimumMs);
    const call = { authorization: bearer(token), body: undefined };
    let isRetry = false;
    const attempt = async () => {
      if (isRetry) await beforeRetry?.();
      isRetry = true;
      const answer = await this.#post("revokeToken", ["auth", "tokens", tokenId, "revoke"], call, limits);
      // The body of an answer says nothing here, so one that was lost on the way does no harm.
      if (isSuccess(answer) || answer.status === 404) return;
      throw failureOf("revokeToken", answer, this.#options.clock.now());
    };
    return retry(attempt, limits, this.#options.random);
  }

  #limits(deadline: number, minimumMs: number): Limits {
    const { clock, requestTimeoutMs: maximumMs } = this.#options;
    return { clock: steady(clock), deadline, minimumMs: Math.min(minimumMs, maximumMs), maximumMs };
  }

  #issued(operation: Operation, answer: HttpAnswer): IssuedToken {
    const now = this.#options.clock.now();
    if (!isSuccess(answer)) throw failureOf(operation, answer, now);
    const token = readIssuedToken(answer, now, operation === "issueShortTermToken" ? "short" : "long");
    if ("problem" in token) throw badAnswer(operation, answer, token.problem);
    return token;
  }

  async #post(
    operation: Operation,
    path: string[],
    { authorization, body }: { authorization: Record<string, string>; body: string | undefined },
    limits: Limits,
  ): Promise<HttpAnswer> {
    try {
      return await this.#options.send({
        method: "POST",
        url: endpoint(this.#options.baseUrl, ...path),
        headers: {
          ...authorization,
          accept: "application/json",
          // A token does not compress. Answers that are packed all the same are understood.
          "accept-encoding": "identity",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          "content-length": String(Buffer.byteLength(body ?? "")),
          "user-agent": `c2m-token-rotation/${version}`,
        },
        body,
        timeoutMs: timeForAttempt(limits),
        freshConnection: operation === "issueLongTermToken",
      });
    } catch (error) {
      if (error instanceof TransportError) throw noAnswer(operation, error);
      throw error;
    }
  }
}

function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}
