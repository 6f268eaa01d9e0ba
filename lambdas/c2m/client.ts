import { PermanentError } from "../rotation/errors.ts";
import type { C2m, Clock, IssueRequest } from "../rotation/ports.ts";
import { fitsHeader } from "./answers.ts";
import { AuthApi } from "./auth-api.ts";
import { endpoint, parseBaseUrl } from "./base-url.ts";
import type { Credentials } from "./credentials.ts";
import type { Grant } from "./grants.ts";
import type { HttpSend } from "./http.ts";
import { makeShortTokenGrant } from "./short-token.ts";
import { createHttpSend } from "./transport.ts";

export interface C2mClientOptions {
  /** What stands before `/auth`, such as `https://api.click2mail.com/v2`. Nothing is ever sent to another host. */
  baseUrl: string;
  /** The client that the settings name; credentials of another one are refused. */
  clientId: string;
  /** Asked for at each issue call and never kept. Drop what you cached when an issue fails with `invalid_grant`. */
  credentials: () => Promise<Credentials>;
  clock: Clock;
  /** Uniform in [0, 1). Default `Math.random`: it spreads retries, nothing more. */
  random?: () => number;
  /** Default: one for the process, so that its connections outlive the client. */
  send?: HttpSend;
  /** What one attempt may take, in ms, within the call's deadline. Default 15,000: /long has been seen to take 3.6 s. */
  requestTimeoutMs?: number;
}

let sharedSend: HttpSend | undefined;

/**
 * The C2M auth API for one client.
 *
 * @throws PermanentError `invalid_base_url` or `invalid_client_id`
 */
export function createC2mClient(options: C2mClientOptions): C2m {
  const { clientId, clock, random = Math.random, requestTimeoutMs = 15_000 } = options;
  const baseUrl = parseBaseUrl(options.baseUrl);
  if (!fitsHeader(clientId)) {
    throw new PermanentError("invalid_client_id", "clientId must be printable ASCII without spaces");
  }
  sharedSend ??= createHttpSend();
  const api = new AuthApi({ baseUrl, clientId, clock, random, requestTimeoutMs, send: options.send ?? sharedSend });

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
      const { makeOtpGrant } = await import("./otp.ts");
      return (readyBy) => makeOtpGrant(credentials, clock, readyBy);
    }
    case "assertion": {
      const { makeAssertionGrant } = await import("./assertion.ts");
      const tokenEndpoint = endpoint(baseUrl, "auth", "tokens", "long");
      return () => makeAssertionGrant(credentials, tokenEndpoint, clock.now());
    }
    case "short_token": {
      const grant = await makeShortTokenGrant(credentials, api, request.current, request.deadline);
      return async () => grant;
    }
  }
}
