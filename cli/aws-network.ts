import { readFileSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import * as tls from "node:tls";
import { exitCode, Failure } from "./failure.ts";

/** The environment's variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How AWS is reached: every time-out in ms. */
export interface RequestHandler {
  httpAgent: HttpAgent;
  httpsAgent: HttpsAgent;
  connectionTimeout: number;
  requestTimeout: number;
  throwOnRequestTimeout: true;
}

/**
 * Makes what carries the requests to AWS: by the proxy of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, trusting AWS_CA_BUNDLE beside
 * what Node trusts (NODE_EXTRA_CA_CERTS included). An endpoint that takes the connection and never answers is given up.
 *
 * @throws Failure where AWS_CA_BUNDLE can't be read
 */
export function requestHandlers(env: Environment): (requestTimeout: number) => RequestHandler {
  // Node 22.21 and 24.5 know `proxyEnv`; the types of the oldest that we support do not.
  const options = { keepAlive: true, maxSockets: 50, proxyEnv: env };
  const httpAgent = new HttpAgent(options);
  const httpsAgent = new HttpsAgent({ ...options, ...certificates(env) });
  return (requestTimeout) => ({
    httpAgent,
    httpsAgent,
    connectionTimeout: 5_000,
    requestTimeout,
    throwOnRequestTimeout: true,
  });
}

function certificates({ AWS_CA_BUNDLE: path }: Environment): { ca?: string[] } {
  if (!path) return {};
  let bundle: string;
  try {
    bundle = readFileSync(path, "utf8");
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new Failure(exitCode.usage, `AWS_CA_BUNDLE names a file that can't be read (${code}): ${path}`);
  }
  return { ca: [...tls.getCACertificates("default"), bundle] };
}

/** The region, as the AWS CLI finds it; undefined leaves it to the profile. */
export function regionOf(given: string | undefined, env: Environment): string | undefined {
  return given ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
}
