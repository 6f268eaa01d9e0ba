/**
 * What is unknown about C2M, or differs between its documents, or may go wrong without being a fault. Each default is the
 * plainest reading of the API's description. Knobs can be turned while the engine runs; what was issued or revoked
 * before keeps the delays it was given. What isn't known to be lenient is strict.
 */
export interface C2mKnobs {
  /** Longest lifetime granted in seconds: a longer `ttl_seconds` is clamped ("server may clamp"). Default 7,776,000. */
  maximumTtlSeconds: number;
  /** Lifetime in seconds when `ttl_seconds` is absent. Default 2,592,000: the 30 days that one document tells of. */
  defaultTtlSeconds: number;
  /** Lifetime of a short token in seconds. Default 900. */
  shortTokenSeconds: number;
  /** A scope that the client, or the long token, does not have: the call is refused, or the scope left out. Default `refuse`. */
  ungrantedScopes: "refuse" | "drop";

  /** Scopes that are left out of every grant without a word, though the client has them. Default none. */
  withheldScopes: readonly string[];
  /** Whether an issue call gives the client's newest live long token with these scopes once more. Default false. */
  sameTokenAgain: boolean;
  /**
   * What issueLongTermToken wants of a caller with a short token: the bearer, with or without X-Client-Id; not both; or both.
   * Documents name two schemes and don't say whether both are wanted at once. Default `either`.
   */
  longTokenAuthorization: "either" | "exactly-one" | "both";

  /** Status of a successful issue. Default 201. */
  issueStatus: 200 | 201;
  /** Whether the optional `token_id` is in the body of an issue; `another`: one that no token has. Default true. */
  tokenIdInBody: boolean | "another";
  /** Whether an issued long token's `X-Token-Id` is sent; `another`: one that no token has. Default true. */
  tokenIdInHeader: boolean | "another";
  /** Whether the optional `scopes` is in the body of an issue. Default true. */
  scopesInBody: boolean;
  /** Whether `expires_at` is written with milliseconds. Default false. */
  expiresAtMilliseconds: boolean;
  /** A token's text: five base64url parts as a JWE has, or one without any structure. Default `jwe`. */
  tokenFormat: "jwe" | "opaque";
  /** Length of a token's text in characters. Default 1821, as a real one had. */
  tokenLength: number;

  /** Answer to a successful revoke: 204, or 200 with some JSON. Default 204. */
  revokeAnswer: "204" | "200-json";
  /** Status of revoking what is no longer live. Default 204 ("idempotent"). */
  revokeDeadStatus: 204 | 404;
  /** Status of revoking an id that this client never had. Default 404. */
  revokeUnknownStatus: 204 | 404;
  /** Whether a token may revoke itself. Default true. */
  selfRevocation: boolean;
  /** Whether the short tokens made from a long one end with its revocation, those made while it bites late too. Default false. */
  revocationEndsShortTokens: boolean;
  /** How long in ms a revoked token is still accepted; up to 300,000 at C2M. Default 0. */
  revocationDelayMs: number;
  /** How long in ms a new long token is refused with 401 before it is accepted. Default 0. */
  activationDelayMs: number;
  /** The same of a new short token. Default 0. */
  shortActivationDelayMs: number;

  /** Status of wrong client credentials; which one C2M sends was not recorded. Default 400. */
  wrongCredentialsStatus: 400 | 401;
  /** Status of a token without the scope that the call needs. Default 403. */
  insufficientScopeStatus: 401 | 403;
  /** Status of a path that does not exist: API gateways send 403, other servers 404. Default 403. */
  unknownPathStatus: 403 | 404;
  /** What an error's body holds; all but the first come from the gateway in front. Default `code-and-message`. */
  errorBody: "code-and-message" | "message" | "html" | "empty";

  /**
   * Auth calls per minute and source address before 429. Documents tell of 10 per minute and address, and of up to 1,000 per
   * minute and client. Default 10.
   */
  rateLimitPerMinute: number;
  /** Every auth call before this epoch ms is answered 429. Default 0. */
  rateLimitedUntil: number;
  /** How a 429 tells when to come back. Default `none`: the description declares no such header. */
  retryAfter: "none" | "seconds" | "date";

  /** How far in ms C2M's clock is ahead of the cloud's; negative: behind. All of C2M goes by it. Default 0. */
  clockAheadMs: number;
  /**
   * How one-time codes are made; C2M does not say. Default what authenticators take for granted: SHA1, 6 digits, 30 s.
   * `window` is the leeway in codes: how many of those before and after the present one will do; default 0.
   */
  otp: { algorithm: "SHA1" | "SHA256" | "SHA512"; digits: number; periodSeconds: number; window: number };
  /** How far in seconds `iat`, `nbf` and `exp` of an assertion may be on the wrong side of C2M's clock. Default 0. */
  assertionLeewaySeconds: number;
  /** Audiences accepted in an assertion, C2M names none. Default: the base URL called, and the URL of the call itself. */
  assertionAudiences: readonly string[] | undefined;

  /** Status of a submission with a field that is not as it must be; documents tell of both. What is not JSON is 400. Default 422. */
  invalidJobStatus: 400 | 422;
  /** Whether the `requestId` of an accepted job is a text, as in earlier versions. Default false. */
  requestIdAsText: boolean;

  /** How bodies travel. `gzip` only to callers whose Accept-Encoding does not rule it out. Default `content-length`. */
  transfer: "content-length" | "chunked" | "gzip";
}

export const plainKnobs: Readonly<C2mKnobs> = {
  maximumTtlSeconds: 7_776_000,
  defaultTtlSeconds: 2_592_000,
  shortTokenSeconds: 900,
  ungrantedScopes: "refuse",
  withheldScopes: [],
  sameTokenAgain: false,
  longTokenAuthorization: "either",
  issueStatus: 201,
  tokenIdInBody: true,
  tokenIdInHeader: true,
  scopesInBody: true,
  expiresAtMilliseconds: false,
  tokenFormat: "jwe",
  tokenLength: 1821,
  revokeAnswer: "204",
  revokeDeadStatus: 204,
  revokeUnknownStatus: 404,
  selfRevocation: true,
  revocationEndsShortTokens: false,
  revocationDelayMs: 0,
  activationDelayMs: 0,
  shortActivationDelayMs: 0,
  wrongCredentialsStatus: 400,
  insufficientScopeStatus: 403,
  unknownPathStatus: 403,
  errorBody: "code-and-message",
  rateLimitPerMinute: 10,
  rateLimitedUntil: 0,
  retryAfter: "none",
  clockAheadMs: 0,
  otp: { algorithm: "SHA1", digits: 6, periodSeconds: 30, window: 0 },
  assertionLeewaySeconds: 0,
  assertionAudiences: undefined,
  invalidJobStatus: 422,
  requestIdAsText: false,
  transfer: "content-length",
};
