import type { Clock } from "../ports/clock.ts";
import { PermanentError } from "../ports/errors.ts";
import { fitsHeader } from "./answers.ts";
import { AuthApi } from "./auth-api.ts";
import { parseBaseUrl } from "./base-url.ts";
import type { HttpSend } from "./http.ts";
import { createHttpSend } from "./transport.ts";

/** Where C2M is and how it is called. */
export interface ConnectOptions {
  /** What stands before `/auth`, such as `https://api.click2mail.com/v2`. Nothing is ever sent to another host. */
  baseUrl: string;
  /** The client that the settings name. */
  clientId: string;
  clock: Clock;
  /** Uniform in [0, 1). Default `Math.random`: it spreads retries, nothing more. */
  random?: () => number;
  /** Default: one for the process, so that its connections outlive the client. */
  send?: HttpSend;
  /** What one attempt may take, in ms, within the call's deadline. Default 15,000: /long has been seen to take 3.6 s. */
  requestTimeoutMs?: number;
}

let sharedSend: HttpSend | undefined;

/** @throws PermanentError `invalid_base_url` or `invalid_client_id` */
export function connect(options: ConnectOptions): { api: AuthApi; baseUrl: URL } {
  const { clientId, clock, random = Math.random, requestTimeoutMs = 15_000 } = options;
  const baseUrl = parseBaseUrl(options.baseUrl);
  if (!fitsHeader(clientId)) {
    throw new PermanentError("invalid_client_id", "clientId must be printable ASCII without spaces");
  }
  sharedSend ??= createHttpSend();
  const api = new AuthApi({ baseUrl, clientId, clock, random, requestTimeoutMs, send: options.send ?? sharedSend });
  return { api, baseUrl };
}
