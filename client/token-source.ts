import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { AuthApi } from "../src/c2m/auth-api.ts";
import { baseUrlText, parseBaseUrl, publicBaseUrl } from "../src/c2m/base-url.ts";
import type { HttpSend } from "../src/c2m/http.ts";
import { agentOptions, createHttpSend } from "../src/c2m/transport.ts";
import { type Clock, momentOf, systemClock } from "../src/ports/clock.ts";
import { PermanentError } from "../src/ports/errors.ts";
import { type Exchanged, exchanger, exchangeTimeoutMs } from "./exchange.ts";
import { type SecretsManager, secretReader } from "./read-secret.ts";
import { type Fetched, TokenCache } from "./token-cache.ts";
import type { LongTermToken, ShortTermToken, Token } from "./tokens.ts";

/** Options of {@link createTokenSource}. */
export interface TokenSourceOptions {
  /** The token secret's name or ARN; the ARN where it is in another account. */
  secretId: string;
  /**
   * The C2M API, without `/auth`. Tokens are sent there and nowhere else: one that the secret names another C2M for is
   * refused with `other_c2m`.
   *
   * @default "https://api.click2mail.com/v2"
   */
  baseUrl?: string;
  /**
   * Goes to the C2M that the secret names (`base_url`), and to `baseUrl` only where it names none: the app follows when
   * the token moves to another C2M. Who may write the secret then decides where requests go.
   *
   * @default false
   */
  followBaseUrl?: boolean;
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
  /**
   * What sends exchanges to C2M. It must not follow redirects, and should heed the request's `signal`.
   *
   * @default node:https, with the proxy that Node is told to use (`NODE_USE_ENV_PROXY=1`)
   */
  send?: HttpSend;
  /** For tests. */
  clock?: Clock;
  /** Uniform in [0, 1), for jitter; for tests. */
  random?: () => number;
}

/** Hands out tokens; made by {@link createTokenSource}. */
export interface TokenSource {
  /** The C2M API that tokens are for which name none themselves. */
  readonly baseUrl: string;
  /** Whether they may name another one than `baseUrl`. */
  readonly followsBaseUrl?: boolean;
  /** Aborted when the source is closed. */
  readonly closing?: AbortSignal;
  /**
   * The long-term token in the secret. From memory where it can be; callers that must wait wait for the same read.
   *
   * @param request.rejected the token that C2M answered 401 to: the secret is read anew, unless the source knows another
   *   token already
   * @param request.signal ends this caller's wait
   * @throws RetryableError `secret_unavailable`; PermanentError `secret_unavailable` (TLS), `secret_denied`,
   *   `secret_not_found`, `not_a_token`, `other_c2m`, `expired`, `rejected` (the secret holds the rejected token still) or
   *   `closed`; the signal's reason
   */
  getLongTermToken(request?: { rejected?: Token; signal?: AbortSignal }): Promise<LongTermToken>;
  /**
   * A short-term token, made from the long-term one at C2M. Kept until a minute before its end, for each set of scopes.
   *
   * @param request.scopes narrows what it may do, at least one; default all that the long-term token may
   * @param request.rejected the token that C2M answered 401 to: the secret is read anew and another one is made, or
   *   `rejected` thrown where it was made just now. C2M may know a token only moments after it was made: then wait a
   *   second and try once more with the same, as c2mFetch does.
   * @param request.signal ends this caller's wait
   * @throws what `getLongTermToken` throws; RetryableError `rate_limited`, `unreachable`, `no_answer`, `server_error` or
   *   `bad_answer`; PermanentError `invalid_option`, or `invalid_scope` and the like from C2M
   */
  getShortTermToken(request?: {
    scopes?: readonly string[];
    rejected?: Token;
    signal?: AbortSignal;
  }): Promise<ShortTermToken>;
  /**
   * Ends it at once, and the SDK client where the source made it: who waits for a token gets `closed`. Not needed in a
   * Lambda: nothing of it keeps a process alive.
   */
  close(): void;
}

/** /short has been seen to take 0.4 s, C2M's clients are told to wait 10 s at least. */
const requestTimeoutMs = 10_000;
/** While the secret can't be read, the next try comes no later than this, in ms. */
const longestBackOffMs = 60_000;

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
  const baseUrl = baseUrlText(parseBaseUrl(options.baseUrl ?? publicBaseUrl));
  const controller = new AbortController();
  const closing = controller.signal;
  const own = options.secretsManager ? undefined : new SecretsManagerClient({ requestHandler: agentOptions() });
  const secretsManager = options.secretsManager ?? own;
  if (!secretsManager) throw invalid("secretsManager must be an SDK client");

  const shared = { clock, random, onRefreshError, closing };
  const read = secretReader({
    secretsManager,
    secretId,
    baseUrl: options.followBaseUrl ? undefined : baseUrl,
    maxAgeMs,
    minReadIntervalMs,
    readTimeoutMs,
    ...shared,
  });
  const longTermTokens = new TokenCache<Fetched<LongTermToken>>({
    fetch: read,
    timeoutMs: readTimeoutMs,
    minIntervalMs: minReadIntervalMs,
    backOffMs: [minReadIntervalMs, Math.max(minReadIntervalMs, longestBackOffMs)],
    rejectedText: ({ tokenId }) =>
      `C2M rejects the token in the secret${tokenId === undefined ? "" : ` (${tokenId})`}, and the secret holds no other. Check that baseUrl is where it was issued, and that its rotation works.`,
    ...shared,
  });

  const send = options.send ?? createHttpSend();
  const c2mAt = (url: string) =>
    new AuthApi({
      baseUrl: parseBaseUrl(url),
      // What waits, waits no longer than the source is open.
      clock: {
        now: () => clock.now(),
        monotonic: () => momentOf(clock).monotonic,
        sleep: (ms) => clock.sleep(ms, closing),
      },
      random,
      requestTimeoutMs,
      send: (request) => send({ ...request, signal: closing }),
    });
  const shortTermTokensFor = (scopes: readonly string[] | undefined) =>
    new TokenCache<Exchanged>({
      fetch: exchanger({
        longTermTokens,
        c2mOf: (parent) => c2mAt(parent.baseUrl ?? baseUrl),
        scopes,
        ...shared,
      }),
      timeoutMs: exchangeTimeoutMs,
      minIntervalMs: 0,
      backOffMs: [1_000, 30_000],
      rejectedText: () =>
        "C2M rejects a short-term token that was made moments ago, and the secret holds no newer token. Check that the API that is called belongs to baseUrl, and what its 401 says.",
      ...shared,
    });
  const shortTermTokens = new Map<string, TokenCache<Exchanged>>();
  if (options.prefetch) longTermTokens.get().catch(() => undefined);

  return {
    baseUrl,
    followsBaseUrl: options.followBaseUrl === true,
    closing,
    getLongTermToken: (request) => longTermTokens.get(request),
    async getShortTermToken({ scopes, ...request } = {}) {
      const key = scopes ? JSON.stringify([...checkScopes(scopes)].sort()) : "";
      const tokens = shortTermTokens.get(key) ?? shortTermTokensFor(scopes && [...scopes]);
      shortTermTokens.set(key, tokens);
      return tokens.get(request);
    },
    close() {
      controller.abort(new PermanentError("closed", "The token source was closed. Make a new one, or close it later."));
      own?.destroy();
    },
  };
}

/**
 * No scope at all would be a token that can do nothing, or everything: C2M does not say. With a space, two would be one.
 *
 * @throws PermanentError `invalid_option`
 */
export function checkScopes(scopes: readonly string[]): readonly string[] {
  const areScopes = Array.isArray(scopes) && scopes.length > 0 && scopes.every((scope) => /^\S+$/.test(scope));
  if (areScopes) return scopes;
  throw invalid('scopes must be left out, or be a list of at least one, each without white space, as ["jobs:submit"]');
}

function positive(name: string, ms: number): number {
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw invalid(`${name} must be a positive number of milliseconds`);
}

function invalid(rule: string): PermanentError {
  return new PermanentError("invalid_option", `createTokenSource: ${rule}.`);
}
