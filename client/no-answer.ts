import { causeOf, isUnsent } from "../src/ports/cause.ts";
import { AmbiguousError, PermanentError, RetryableError, RotationError } from "../src/ports/errors.ts";

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
