import type { TokenUser } from "../ports/c2m.ts";
import type { Clock } from "../ports/clock.ts";
import { AuthApi } from "./auth-api.ts";
import { parseBaseUrl } from "./base-url.ts";
import type { HttpSend } from "./http.ts";
import { createHttpSend } from "./transport.ts";

/** Where C2M is and how it is called. */
export interface ConnectOptions {
  /** What stands before `/auth`, such as `https://api.click2mail.com/v2`. Nothing is ever sent to another host. */
  baseUrl: string;
  clock: Clock;
  /** Uniform in [0, 1). Default `Math.random`: it spreads retries, nothing more. */
  random?: () => number;
  /** Default: one for the process, so that its connections outlive the client. */
  send?: HttpSend;
  /** What one attempt may take, in ms, within the call's deadline. Default 15,000: /long has been seen to take 3.6 s. */
  requestTimeoutMs?: number;
}

let sharedSend: HttpSend | undefined;

/** @throws PermanentError `invalid_base_url` */
export function connect(options: ConnectOptions): { api: AuthApi; baseUrl: URL } {
  const { clock, random = Math.random, requestTimeoutMs = 15_000 } = options;
  const baseUrl = parseBaseUrl(options.baseUrl);
  sharedSend ??= createHttpSend();
  const api = new AuthApi({ baseUrl, clock, random, requestTimeoutMs, send: options.send ?? sharedSend });
  return { api, baseUrl };
}

/**
 * The C2M auth API for who has tokens and no credentials. It brings no code of the mechanisms that issue.
 *
 * @throws PermanentError `invalid_base_url`
 */
export function connectTokenUser(options: ConnectOptions): TokenUser {
  const { api } = connect(options);
  return {
    issueShortTermToken: (request) => api.issueShortTermToken(request),
    revokeToken: (request) => api.revokeToken(request),
  };
}
