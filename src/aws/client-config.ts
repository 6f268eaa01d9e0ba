/** What every AWS client of the functions is made with. */
export interface ClientConfig {
  requestHandler: {
    connectionTimeout: number;
    requestTimeout: number;
    throwOnRequestTimeout: true;
    httpAgent?: AgentSettings;
    httpsAgent?: AgentSettings;
  };
}

interface AgentSettings {
  proxyEnv: NodeJS.ProcessEnv;
}

/**
 * The SDK waits for an answer without end unless told. A call that hangs is given up and repeated, so that it does not
 * cost the whole step. By the proxy where NODE_USE_ENV_PROXY says so: Node heeds it for agents of its own only, and the SDK
 * makes others.
 *
 * @param requestTimeoutMs what one attempt may take; default 10 s, many times what Secrets Manager takes
 */
export function clientConfig(requestTimeoutMs = 10_000): ClientConfig {
  const { env } = process;
  const byProxy = { proxyEnv: env };
  return {
    requestHandler: {
      connectionTimeout: 3_000,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      ...(env.NODE_USE_ENV_PROXY && { httpAgent: byProxy, httpsAgent: byProxy }),
    },
  };
}
