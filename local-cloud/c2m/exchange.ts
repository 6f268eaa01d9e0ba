/**
 * The three calls of the C2M auth API, the one of the jobs API that mails a document (`POST /static`), and `GET /account`,
 * which is invented: it lets in any token that is accepted.
 */
export type C2mOperation = "issueLongTermToken" | "issueShortTermToken" | "revokeToken" | "submitStatic" | "getAccount";

/** An HTTP request as it reaches C2M. */
export interface C2mRequest {
  method: string;
  /** Below the base URL: `/auth/tokens/long`, whatever stage or version the base URL ends in. */
  path: string;
  /** Names in any case. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  body: Buffer | string;
  /** Whom the rate limit counts; default `127.0.0.1`. */
  sourceIp?: string;
  /** What the caller took for the base URL: the audience that its assertions are for. Any audience will do when absent. */
  baseUrl?: string;
}

/** What a successful call sends. */
export interface Success {
  status: number;
  headers?: Record<string, string>;
  body?: Record<string, unknown>;
}

/** The answer to it, with what the call log wants to know; only `status`, `headers` and `body` are sent. */
export interface C2mAnswer<Body = string> {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Body;
  /** Undefined where the path is none of the API's. */
  operation: C2mOperation | undefined;
  /** The token's id where a known one was shown, else the client's id; `unknown` for neither. Never a secret. */
  caller: string;
  /** The error's code where it failed, also when the body does not tell it. */
  error: string | undefined;
}

/** A header's value by its name in lower case; repeated ones are joined as HTTP joins them. */
export function header(request: Pick<C2mRequest, "headers">, name: string): string | undefined {
  const { headers } = request;
  for (const key in headers) {
    const value = headers[key];
    if (value === undefined || (key !== name && key.toLowerCase() !== name)) continue;
    return typeof value === "string" ? value : value.join(", ");
  }
  return undefined;
}

/** The text of the bearer token, where the request shows one. */
export function bearer(request: Pick<C2mRequest, "headers">): string | undefined {
  return /^bearer +([^ ]+) *$/i.exec(header(request, "authorization") ?? "")?.[1];
}

/**
 * The part of a URL's path below the base URL's, for callers that have the whole: `/v2/auth/x` under `/v2` is `/auth/x`.
 * Undefined where it lies elsewhere.
 */
export function pathBelow(prefix: string, path: string): string | undefined {
  if (!path.startsWith(`${prefix}/`)) return undefined;
  return path.slice(prefix.length);
}
