import type {
  Exchange,
  ExchangeRequest,
  IssuedToken,
  IssueRequest,
  RevokeAnswer,
  RevokeRequest,
  TokenUser,
} from "../ports/c2m.ts";
import { type Clock, steady } from "../ports/clock.ts";
import { errorCodeOf, fitsHeader, isJsonObject, isTokenId, readIssuedToken } from "./answers.ts";
import { endpoint } from "./base-url.ts";
import { badAnswer, failureOf, noAnswer, type Operation, shortTokenRefused } from "./failures.ts";
import { bearer, type Grant, longTokenCall } from "./grants/grant.ts";
import { type HttpAnswer, type HttpSend, TransportError, version } from "./http.ts";
import { type Limits, retry, timeForAttempt } from "./retry.ts";

export interface AuthApiOptions {
  /** As `parseBaseUrl` returns it. Nothing is sent anywhere else. */
  baseUrl: URL;
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
export class AuthApi implements TokenUser {
  readonly #options: AuthApiOptions;

  constructor(options: AuthApiOptions) {
    this.#options = options;
  }

  /**
   * @param makeGrant called before every attempt, since a one-time code or an assertion serves once; must be done by the
   *   given time (epoch ms)
   */
  issueLongTermToken(
    { clientId, scopes, lifetimeSeconds, deadline }: IssueRequest & { clientId: string },
    makeGrant: (readyBy: number) => Promise<Grant>,
  ): Promise<IssuedToken> {
    const { random } = this.#options;
    const limits = this.#limits(deadline, issueMinimumMs);
    const attempt = async () => {
      const grant = await makeGrant(deadline - limits.minimumMs);
      const call = longTokenCall(grant, { clientId, scopes, lifetimeSeconds });
      const path = ["auth", "tokens", "long"];
      const answer = await this.#post("issueLongTermToken", path, call, limits);
      if (grant.mechanism !== "short_token") return this.#issued("issueLongTermToken", answer);
      if (!isRefusal(answer)) return this.#issued("issueLongTermToken", answer);
      // The description names the bearer and the client's key, and does not say whether both are wanted at once.
      const both = { ...call, authorization: { ...call.authorization, "x-client-id": clientId } };
      const second = await this.#post("issueLongTermToken", path, both, limits);
      if (isRefusal(second)) throw shortTokenRefused(answer);
      return this.#issued("issueLongTermToken", second);
    };
    return retry(attempt, limits, random);
  }

  async issueShortTermToken({ longToken, scopes, deadline }: ExchangeRequest): Promise<Exchange> {
    // Every token of C2M's is printable ASCII without spaces: what is not can't be sent, and is none.
    if (!fitsHeader(longToken.reveal())) return { outcome: "invalid_token" };
    const limits = this.#limits(deadline, otherMinimumMs);
    const call = { authorization: bearer(longToken), body: scopes && JSON.stringify({ scopes }) };
    const attempt = async (): Promise<Exchange> => {
      const answer = await this.#post("issueShortTermToken", ["auth", "tokens", "short"], call, limits);
      if (answer.status === 401) {
        return { outcome: errorCodeOf(answer) === "invalid_token" ? "invalid_token" : "unauthorized" };
      }
      return { outcome: "works", token: this.#issued("issueShortTermToken", answer) };
    };
    return await retry(attempt, limits, this.#options.random);
  }

  async revokeToken({ tokenId, bearer: token, deadline, beforeRetry }: RevokeRequest): Promise<RevokeAnswer> {
    // An id that can't stand in the URL, a bearer that can't be sent: nobody can revoke with them.
    if (!isTokenId(tokenId) || !fitsHeader(token.reveal())) return "refused";
    const limits = this.#limits(deadline, otherMinimumMs);
    const call = { authorization: bearer(token), body: undefined };
    let isRetry = false;
    const attempt = async (): Promise<RevokeAnswer> => {
      if (isRetry) await beforeRetry?.();
      isRetry = true;
      return this.#revoked(await this.#post("revokeToken", ["auth", "tokens", tokenId, "revoke"], call, limits));
    };
    return await retry(attempt, limits, this.#options.random);
  }

  /** Only C2M itself knows what became of a token; a gateway before it answers with the same statuses. */
  #revoked(answer: HttpAnswer): RevokeAnswer {
    const { status } = answer;
    const code = errorCodeOf(answer);
    if (status === 204) return "revoked";
    if (isSuccess(answer)) return isJsonObject(answer) ? "claimed" : "unclear";
    if (status === 404) return code === "not_found" ? "revoked" : "not_found";
    if (status === 401 || status === 403) return code === undefined ? "unclear" : "refused";
    throw failureOf("revokeToken", answer, this.#options.clock.now());
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

/** C2M, or a gateway, would not have it: nothing was made. */
function isRefusal({ status }: HttpAnswer): boolean {
  return status === 400 || status === 401 || status === 403;
}

function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}
