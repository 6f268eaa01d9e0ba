import { within } from "./waiting.ts";

/** What is used of a `Response`, so that clients that are only like fetch will do, too. */
export interface FetchAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body?: unknown;
  /** Without it, errors are told by their status alone. */
  clone?(): { text(): Promise<string> };
}

/** What an answer of C2M's other than success means for the caller. */
export type JobsErrorKind =
  /** The token is not valid: another one is needed. */
  | "token_invalid"
  /** No token arrived: something between took the `Authorization` header away. Another token does not help. */
  | "token_missing"
  /** The token is good, and its client may not do this, or its account is suspended. */
  | "not_allowed"
  /** What was sent breaks a rule; sent again it breaks it again. */
  | "invalid"
  /** There is no such thing at this URL. */
  | "not_found"
  /** Too many calls: later. */
  | "rate_limited"
  /** C2M failed, and whether it did what it was asked is not known. */
  | "unknown";

/** An error of C2M's, of the jobs calls or of the auth calls. */
export interface JobsError {
  kind: JobsErrorKind;
  status: number;
  /** `errorCode` of the jobs calls, such as `INVALID_TOKEN`, or `code` of the auth calls; undefined where a gateway answered. */
  code: string | undefined;
  message: string | undefined;
  /** For C2M's support. */
  trackingId: string | undefined;
}

/** No error of C2M's is larger, in bytes. */
const longestBody = 65_536;
const readTimeoutMs = 5_000;
const never = new AbortController().signal;

/**
 * Reads what is wrong from an answer that is not `ok`, and leaves the answer to be read. Never throws: what can't be read
 * is told by its status alone.
 */
export async function readJobsError(answer: FetchAnswer): Promise<JobsError> {
  const body = await bodyOf(answer);
  const text = (name: string) => (typeof body[name] === "string" ? body[name] : undefined);
  const code = text("errorCode") ?? text("code");
  return {
    kind: kindOf(answer.status, code),
    status: answer.status,
    code,
    message: text("errorMessage") ?? text("message"),
    trackingId: text("errorTrackingId"),
  };
}

function kindOf(status: number, code: string | undefined): JobsErrorKind {
  if (status === 401) return code === "MISSING_AUTH_HEADER" ? "token_missing" : "token_invalid";
  if (status === 403) return "not_allowed";
  if (status === 404) return "not_found";
  if (status === 429) return "rate_limited";
  // 408: a proxy gave up waiting for C2M.
  return status >= 500 || status < 400 || status === 408 ? "unknown" : "invalid";
}

async function bodyOf(answer: FetchAnswer): Promise<Record<string, unknown>> {
  if (!/\bjson\b/i.test(answer.headers.get("content-type") ?? "")) return {};
  if (Number(answer.headers.get("content-length") ?? 0) > longestBody || !answer.clone) return {};
  try {
    const copy = answer.clone();
    const body: unknown = JSON.parse(await within(readTimeoutMs, never, () => copy.text()));
    return typeof body === "object" && body !== null ? { ...body } : {};
  } catch {
    return {};
  }
}
