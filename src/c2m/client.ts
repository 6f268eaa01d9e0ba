import type { C2m, IssueRequest } from "../ports/c2m.ts";
import type { Clock } from "../ports/clock.ts";
import { PermanentError } from "../ports/errors.ts";
import type { AuthApi } from "./auth-api.ts";
import { endpoint } from "./base-url.ts";
import { type ConnectOptions, connect } from "./connect.ts";
import type { Credentials } from "./credentials.ts";
import type { Grant } from "./grants/grant.ts";
import { makeShortTokenGrant } from "./grants/short-token.ts";

export interface C2mClientOptions extends ConnectOptions {
  /**
   * Asked for at each issue call and never kept; those of another client are refused. Drop what you cached when an issue
   * fails with `invalid_grant`.
   */
  credentials: () => Promise<Credentials>;
}

/**
 * The C2M auth API for one client.
 *
 * @throws PermanentError `invalid_base_url` or `invalid_client_id`
 */
export function createC2mClient(options: C2mClientOptions): C2m {
  const { clientId, clock } = options;
  const { api, baseUrl } = connect(options);
  return {
    async issueLongTermToken(request) {
      checkIssueRequest(request);
      const credentials = await options.credentials();
      if (credentials.clientId !== clientId) {
        throw new PermanentError(
          "client_mismatch",
          "The client id of the credentials must be that of the settings. Correct the one that is wrong.",
        );
      }
      const makeGrant = await grantMaker(credentials, { api, baseUrl, clock, request });
      return api.issueLongTermToken(request, makeGrant);
    },
    issueShortTermToken: (request) => api.issueShortTermToken(request),
    revokeToken: (request) => api.revokeToken(request),
  };
}

/** The bounds of `ttl_seconds` in C2M's API description. */
function checkIssueRequest({ ttlSeconds }: IssueRequest): void {
  if (Number.isInteger(ttlSeconds) && ttlSeconds >= 3_600 && ttlSeconds <= 7_776_000) return;
  throw new PermanentError("invalid_request", "ttlSeconds must be a whole number from 3600 to 7776000.");
}

interface GrantContext {
  api: AuthApi;
  baseUrl: URL;
  clock: Clock;
  request: IssueRequest;
}

/** What makes the grant of each attempt. The libraries of a mechanism are loaded when it is used, and not before. */
async function grantMaker(
  credentials: Credentials,
  { api, baseUrl, clock, request }: GrantContext,
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
      const grant = await makeShortTokenGrant(credentials, api, request.current, request.deadline);
      return async () => grant;
    }
  }
}
