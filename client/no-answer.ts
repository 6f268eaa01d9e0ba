import { causeOf } from "../src/ports/cause.ts";
import { AmbiguousError, PermanentError, RetryableError, RotationError } from "../src/ports/errors.ts";

/** Node's and undici's codes for a connection that never came about … */
const neverConnected = /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|UND_ERR_CONNECT_TIMEOUT|ERR_PROXY_\w+)$/;
/** … and the calls in which any other code means it. */
const connecting = new Set(["connect", "getaddrinfo"]);

/** Whether not one byte of the request can have reached C2M. */
export function isUnsent(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, syscall, errors, cause } = error as Record<string, unknown>;
  // The attempts at a host's addresses: each of them must have failed before it was connected.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(isUnsent);
  if (typeof code === "string" && neverConnected.test(code)) return true;
  if (typeof syscall === "string" && connecting.has(syscall)) return true;
  return isUnsent(cause);
}

/**
 * What it means that a request got no answer. The error itself is left out: other clients' errors hold the request, with
 * the token in it.
 */
export function failureOf(error: unknown, request: { isSafe: boolean; signal: AbortSignal | undefined }): unknown {
  if (error instanceof RotationError || request.signal?.aborted) return error;
  // What fetch says of arguments that it does not take: nothing was sent.
  if (error instanceof TypeError && error.cause === undefined && !("code" in error)) return error;
  const { kind, code, said, remedy } = causeOf(error);
  if (kind === "tls" && isOfCertificate(code)) {
    return new PermanentError("unreachable", `c2mFetch: nothing was sent. ${said} ${remedy}`.trim());
  }
  if (isUnsent(error)) return new RetryableError("unreachable", `c2mFetch: nothing was sent. ${said} ${remedy}`.trim());
  if (request.isSafe) {
    return new RetryableError("no_answer", `c2mFetch: no answer came (${code}). Try again later.`);
  }
  return new AmbiguousError(
    "no_answer",
    `c2mFetch: the request was sent and no answer came (${code}): C2M may have done it or not. Don't send it again before you know.`,
  );
}

/** Node looks at the certificate before it sends anything; other faults of TLS may come later. */
function isOfCertificate(code: string): boolean {
  return !/^(EPROTO|ERR_SSL_\w+)$/.test(code);
}
