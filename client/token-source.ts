import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { AuthApi } from "../src/c2m/auth-api.ts";
import { parseBaseUrl, publicBaseUrl } from "../src/c2m/base-url.ts";
import { createHttpSend } from "../src/c2m/transport.ts";
import { type Clock, systemClock } from "../src/ports/clock.ts";
import { PermanentError } from "../src/ports/errors.ts";
import { LongTermTokens } from "./long-term-tokens.ts";
import { readSecret, type SecretsManager } from "./read-secret.ts";
import { ShortTermTokens } from "./short-term-tokens.ts";
import type { LongTermToken, ShortTermToken, Token } from "./tokens.ts";

/** Options of {@link createTokenSource}. */
export interface TokenSourceOptions {
  /** The token secret's name or ARN; the ARN where it is in another account. */
  secretId: string;
  /**
   * The C2M API, without `/auth`. Tokens are sent there and nowhere else, whatever the secret says.
   *
   * @default "https://api.click2mail.com/v2"
   */
  baseUrl?: string;
  /**
   * What reads the secret: an SDK client, with your region, credentials and retries. It stays yours: `close` leaves it.
   *
   * @default new SecretsManagerClient()
   */
  secretsManager?: SecretsManager;
  /**
   * How old the reading of a long-term token may be when it is handed out, in ms. From four fifths of it on (at random,
   * so that a fleet does not read at once), the next call has it read again in the background. Not longer than the
   * rotation's grace, and no caller ever holds a token that rotation revoked.
   *
   * @default 300_000 (5 minutes)
   */
  maxAgeMs?: number;
  /**
   * Between the starts of two reads of the secret, whatever happens, in ms.
   *
   * @default 1_000
   */
  minReadIntervalMs?: number;
  /**
   * What a read may take, the SDK's own retries included, in ms.
   *
   * @default 5_000
   */
  readTimeoutMs?: number;
  /**
   * Reads the secret now, not at the first call: in a Lambda's init phase, say. A failure shows at the first call.
   *
   * @default false
   */
  prefetch?: boolean;
  /** Told when a token could not be refreshed while the last good one still serves: worth a warning in your log. */
  onRefreshError?: (error: unknown) => void;
  /** For tests. */
  clock?: Clock;
  /** Uniform in [0, 1), for jitter; for tests. */
  random?: () => number;
}

/** Hands out tokens; made by {@link createTokenSource}. */
export interface TokenSource {
  /** The C2M API that the tokens are for. */
  readonly baseUrl: string;
  /**
   * The long-term token in the secret. From memory where it can be; callers that must wait wait for the same read.
   *
   * @param request.rejected the token that C2M answered 401 to: the secret is read anew, unless the source knows another
   *   token already
   * @param request.signal ends this caller's wait
   * @throws RetryableError `secret_unavailable`; PermanentError `secret_denied`, `secret_not_found`, `not_a_token`,
   *   `expired`, `rejected` (the secret holds the rejected token still) or `closed`; the signal's reason
   */
  getLongTermToken(request?: { rejected?: Token; signal?: AbortSignal }): Promise<LongTermToken>;
  /**
   * A short-term token, made from the long-term one at C2M. Kept until a minute before its end, for each set of scopes.
   *
   * @param request.scopes narrows what it may do; default all that the long-term token may
   * @param request.rejected the token that C2M answered 401 to: the secret is read anew and another one is made
   * @param request.signal ends this caller's wait
   * @throws what `getLongTermToken` throws; RetryableError `rate_limited`, `unreachable`, `no_answer`, `server_error` or
   *   `bad_answer`; PermanentError `invalid_scope` and the like from C2M
   */
  getShortTermToken(request?: {
    scopes?: readonly string[];
    rejected?: Token;
    signal?: AbortSignal;
  }): Promise<ShortTermToken>;
  /** Ends it, and the SDK client where the source made it. Not needed in a Lambda: nothing of it keeps a process alive. */
  close(): void;
}

/** /short has been seen to take 0.4 s, C2M's clients are told to wait 10 s at least. */
const requestTimeoutMs = 10_000;

/**
 * Tokens of C2M's from a secret that is rotated. It reads the secret when it is needed and as seldom as it may, and goes
 * on with the last good token while Secrets Manager is down. No timers and nothing in the background but a refresh that
 * a call began: it works the same in a Lambda, a service and a script.
 *
 * @example
 * ```ts
 * const tokens = createTokenSource({ secretId: "c2m/api-token" });
 * const token = await tokens.getShortTermToken({ scopes: ["jobs:submit"] });
 * await myHttpClient.post(url, { headers: { authorization: authorizationOf(token) } });
 * ```
 * @throws PermanentError `invalid_option` or `invalid_base_url`
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { secretId, clock = systemClock, random = Math.random, onRefreshError = () => undefined } = options;
  if (typeof secretId !== "string" || secretId === "") throw invalid("secretId must be the secret's name or ARN");
  const maxAgeMs = positive("maxAgeMs", options.maxAgeMs ?? 300_000);
  const minReadIntervalMs = positive("minReadIntervalMs", options.minReadIntervalMs ?? 1_000);
  const readTimeoutMs = positive("readTimeoutMs", options.readTimeoutMs ?? 5_000);
  const baseUrl = parseBaseUrl(options.baseUrl ?? publicBaseUrl);

  const own = options.secretsManager ? undefined : new SecretsManagerClient({});
  const secretsManager = options.secretsManager ?? own;
  if (!secretsManager) throw invalid("secretsManager must be an SDK client");
  const longTermTokens = new LongTermTokens({
    read: () => readSecret(secretsManager, secretId, readTimeoutMs),
    maxAgeMs,
    minReadIntervalMs,
    readTimeoutMs,
    clock,
    random,
    onRefreshError,
  });
  // The client id is for issuing long-term tokens, which no app may.
  const c2m = new AuthApi({ baseUrl, clientId: "", clock, random, requestTimeoutMs, send: createHttpSend() });
  const shortTermTokens = new Map<string, ShortTermTokens>();
  let closed = false;
  if (options.prefetch) longTermTokens.get().catch(() => undefined);

  return {
    baseUrl: baseUrl.href.replace(/\/$/, ""),
    async getLongTermToken(request) {
      if (closed) throw closedError();
      return longTermTokens.get(request);
    },
    async getShortTermToken({ scopes, ...request } = {}) {
      if (closed) throw closedError();
      const key = scopes ? [...scopes].sort().join(" ") : "";
      let tokens = shortTermTokens.get(key);
      if (!tokens) {
        tokens = new ShortTermTokens({ longTermTokens, c2m, scopes, clock, random, onRefreshError });
        shortTermTokens.set(key, tokens);
      }
      return tokens.get(request);
    },
    close() {
      closed = true;
      own?.destroy();
    },
  };
}

function positive(name: string, ms: number): number {
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw invalid(`${name} must be a positive number of milliseconds`);
}

function invalid(rule: string): PermanentError {
  return new PermanentError("invalid_option", `createTokenSource: ${rule}.`);
}

function closedError(): PermanentError {
  return new PermanentError("closed", "The token source was closed. Make a new one, or close it later.");
}
