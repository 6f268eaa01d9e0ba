/** What requests say that they are from: of package.json, said again because importing that file would put all of it into the bundle. A test compares them. */
export const version = "0.2.0";

/** One HTTP request of this package; nothing else ever leaves it. */
export interface HttpRequest {
  method: "POST";
  url: URL;
  headers: Record<string, string>;
  /** No body when undefined. */
  body: string | undefined;
  /** For the whole exchange, connecting and reading the answer included. */
  timeoutMs: number;
  /**
   * Go by a new connection. An idle one may have died unnoticed (a frozen Lambda, a load balancer's time-out), and a
   * request that dies with it may have been done: too high a price for a call that must not be repeated.
   */
  freshConnection: boolean;
  /** Ends it at once, with TransportError `aborted`. */
  signal?: AbortSignal;
}

/** Why the body of an answer is not whole. */
export type BodyFault = "cut_off" | "timed_out" | "too_large" | "undecodable";

/** An answer whose head arrived. */
export interface HttpAnswer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  /** Decoded; what there is of it where `bodyFault` is set. */
  body: string;
  bodyFault: BodyFault | undefined;
}

/**
 * Sends one request, to its URL only: redirects come back as answers. Resolves as soon as a head has arrived, whatever
 * becomes of the body.
 *
 * @throws TransportError when no head arrived
 */
export type HttpSend = (request: HttpRequest) => Promise<HttpAnswer>;

/**
 * No answer came. It carries no `cause`: Node's parser errors hold the raw bytes of the answer, which may be a token.
 */
export class TransportError extends Error {
  override readonly name = "TransportError";
  /** False when not one byte of the request can have reached C2M. */
  readonly sent: boolean;
  /** Node's or OpenSSL's code, such as `ECONNREFUSED`, or `timed_out` or `aborted`. */
  readonly reason: string;

  constructor(sent: boolean, reason: string) {
    super(`No answer (${reason}), the request ${sent ? "may have been" : "was not"} sent`);
    this.sent = sent;
    this.reason = reason;
  }
}
