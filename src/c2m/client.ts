import type { IssuedToken, IssueRequest, TokenIssuer, TokenUser } from "../ports/c2m.ts";
import type { Clock } from "../ports/clock.ts";
import { type ErrorCode, PermanentError, RetryableError } from "../ports/errors.ts";
import { fitsHeader } from "./answers.ts";
import { endpoint } from "./base-url.ts";
import { type ConnectOptions, connect } from "./connect.ts";
import type { Credentials } from "./credentials.ts";
import type { Grant } from "./grants/grant.ts";
import { makeShortTokenGrant } from "./grants/short-token.ts";

export interface C2mClientOptions extends ConnectOptions {
  /** The client that the settings name. */
  clientId: string;
  /**
   * Asked for at each issue call and never kept; those of another client are refused. Drop what you cached when an issue
   * fails with `invalid_grant`.
   */
  credentials: () => Promise<Credentials>;
  /**
   * The credentials that were stored before these, asked for once where C2M itself refuses them, or where they can't be used
   * at all; undefined: there are none of this client and this C2M. Default: none.
   */
  fallback?: () => Promise<Credentials | undefined>;
}

export interface C2mClient extends TokenIssuer, TokenUser {
  /** Ends what issuing has borrowed: the short token of the mechanism `short_token`. Never rejects. */
  close(): Promise<void>;
}

/**
 * The C2M auth API for one client, whatever its mechanism.
 *
 * @throws PermanentError `invalid_base_url` or `invalid_client_id`
 */
export function createC2mClient(options: C2mClientOptions): C2mClient {
  const { clientId, clock } = options;
  if (!fitsHeader(clientId)) {
    throw new PermanentError("invalid_client_id", "clientId must be printable ASCII without spaces");
  }
  const { api, baseUrl } = connect(options);
  const borrowed: ((now: number) => Promise<void>)[] = [];
  return {
    async issueLongTermToken(request) {
      checkIssueRequest(request);
      const issueWith = async (own: Credentials) => {
        checkOwner(own, { clientId, baseUrl });
        const makeGrant = await grantMaker(own, { api, baseUrl, clock, request, borrowed });
        return await api.issueLongTermToken({ ...request, clientId }, makeGrant);
      };
      let mechanism: Credentials["mechanism"] | undefined;
      const withCurrent = async () => {
        const credentials = await options.credentials();
        mechanism = credentials.mechanism;
        return await issueWith(credentials);
      };
      return await firstNotRefused([
        withCurrent,
        // Another process may have used the code of this moment.
        async () => (mechanism === "otp" ? await withCurrent() : undefined),
        async () => {
          const before = await options.fallback?.();
          return before && (await issueWith(before));
        },
      ]);
    },
    issueShortTermToken: (request) => api.issueShortTermToken(request),
    revokeToken: (request) => api.revokeToken(request),
    async close() {
      for (const end of borrowed.splice(0)) await end(clock.now());
    },
  };
}

/** What says that no token can have been made with these credentials: C2M itself, or their own fault. */
const refusals: ReadonlySet<string> = new Set<ErrorCode>([
  "invalid_grant",
  "invalid_client",
  "credentials_invalid",
  "client_mismatch",
]);

/** Goes on as long as the credentials are refused. */
async function firstNotRefused(attempts: readonly (() => Promise<IssuedToken | undefined>)[]): Promise<IssuedToken> {
  let refusal: unknown;
  for (const attempt of attempts) {
    try {
      const token = await attempt();
      if (token) return token;
    } catch (error) {
      const isRefusal = error instanceof PermanentError && refusals.has(error.code);
      // Too late for another one-time code is no reason of its own.
      const isTooLate = refusal !== undefined && error instanceof RetryableError && error.code === "no_time";
      if (!isRefusal && !isTooLate) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

function checkOwner(credentials: Credentials, { clientId, baseUrl }: { clientId: string; baseUrl: URL }): void {
  const said = "baseUrl" in credentials ? credentials.baseUrl : undefined;
  if (credentials.clientId === clientId && (said === undefined || isAt(said, baseUrl))) return;
  throw new PermanentError(
    "client_mismatch",
    "The client id and the base_url of the credentials must be those of the settings. Correct the one that is wrong.",
  );
}

function isAt(said: string, baseUrl: URL): boolean {
  return URL.parse(said)?.href.replace(/\/+$/, "") === baseUrl.href.replace(/\/+$/, "");
}

/** The bounds of `ttl_seconds` in C2M's API description. */
function checkIssueRequest({ lifetimeSeconds }: IssueRequest): void {
  if (Number.isInteger(lifetimeSeconds) && lifetimeSeconds >= 3_600 && lifetimeSeconds <= 7_776_000) return;
  throw new PermanentError("invalid_request", "lifetimeSeconds must be a whole number from 3600 to 7776000.");
}

interface GrantContext {
  api: TokenUser;
  baseUrl: URL;
  clock: Clock;
  request: IssueRequest;
  /** What is to be ended when the client is closed. */
  borrowed: ((now: number) => Promise<void>)[];
}

/** What makes the grant of each attempt. The libraries of a mechanism are loaded when it is used, and not before. */
async function grantMaker(
  credentials: Credentials,
  { api, baseUrl, clock, request, borrowed }: GrantContext,
): Promise<(readyBy: number) => Promise<Grant>> {
  switch (credentials.mechanism) {
    case "client_secret":
      return async () => ({ mechanism: "client_secret", clientSecret: credentials.clientSecret });
    case "otp": {
      const { makeOtpGrant } = await import("./grants/otp.ts");
      return (readyBy) => makeOtpGrant(credentials, clock, readyBy);
    }
    case "assertion": {
      const { makeAssertionGrant } = await import("./grants/assertion.ts");
      const tokenEndpoint = endpoint(baseUrl, "auth", "tokens", "long");
      return () => makeAssertionGrant(credentials, tokenEndpoint, clock.now());
    }
    case "short_token": {
      const { grant, end } = await makeShortTokenGrant(credentials, api, request.deadline);
      borrowed.push(end);
      return async () => grant;
    }
  }
}
