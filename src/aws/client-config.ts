/** What every AWS client of the functions is made with. */
export interface ClientConfig {
  requestHandler: { connectionTimeout: number; requestTimeout: number; throwOnRequestTimeout: true };
}

/**
 * The SDK waits for an answer without end unless told. A call that hangs is given up and repeated, so that it does not
 * cost the whole step.
 *
 * @param requestTimeoutMs what one attempt may take; default 10 s, many times what Secrets Manager takes
 */
export function clientConfig(requestTimeoutMs = 10_000): ClientConfig {
  return {
    requestHandler: { connectionTimeout: 3_000, requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true },
  };
}
