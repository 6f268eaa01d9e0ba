import type { Agent, AgentOptions, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { Socket } from "node:net";
import { readBody } from "./body.ts";
import { type HttpAnswer, type HttpRequest, type HttpSend, TransportError } from "./http.ts";

type Protocol = "http:" | "https:";

/** Not by `import`: from ESM that makes Node load undici as well, at six times the start-up. */
function moduleOf(protocol: Protocol) {
  return process.getBuiltinModule(protocol === "https:" ? "node:https" : "node:http");
}

/**
 * An agent with what Node's own has been told of proxies: `NODE_USE_ENV_PROXY=1` or `--use-env-proxy` (Node 24 on), with
 * HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
 */
function createAgent(protocol: Protocol, { proxyEnv, ...options }: SendOptions & { rejectUnauthorized?: true }): Agent {
  const { Agent, globalAgent } = moduleOf(protocol);
  const env = proxyEnv ?? (globalAgent as Agent & { options: AgentOptions }).options.proxyEnv;
  return new Agent({ keepAlive: true, ...(env && { proxyEnv: env }), ...options });
}

/** The same for an SDK client: its `requestHandler`. */
export function agentOptions(): { httpAgent: Agent; httpsAgent: Agent } {
  return { httpAgent: createAgent("http:", {}), httpsAgent: createAgent("https:", {}) };
}

/** How the requests travel. */
export interface SendOptions {
  /** Certificates (PEM) to trust instead of Node's own list. Default: Node's list. */
  ca?: string;
  /** Where HTTPS_PROXY, HTTP_PROXY and NO_PROXY are looked for. Default: where Node looks, if it is told to. */
  proxyEnv?: NodeJS.ProcessEnv | undefined;
}

/** The real HTTP, with connections kept alive between calls. */
export function createHttpSend(options: SendOptions = {}): HttpSend {
  const agents = new Map<Protocol, Agent>();
  return (request) => {
    const protocol: Protocol = request.url.protocol === "https:" ? "https:" : "http:";
    let agent = agents.get(protocol);
    if (!agent) {
      // `rejectUnauthorized` said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 can't switch the check off.
      agent = createAgent(protocol, { rejectUnauthorized: true, ...options });
      agents.set(protocol, agent);
    }
    if (request.freshConnection) dropIdleConnections(agent);
    return exchange(moduleOf(protocol).request, agent, request);
  };
}

type Start = (url: URL, options: RequestOptions) => ClientRequest;

function exchange(start: Start, agent: Agent, { url, method, headers, ...rest }: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    if (rest.signal?.aborted) return reject(new TransportError(false, "aborted"));
    const request = start(url, { agent, method, headers });
    let sent = false;
    let timedOut = false;
    let response: IncomingMessage | undefined;
    const ended = () => {
      clearTimeout(timer);
      rest.signal?.removeEventListener("abort", abort);
    };
    const fail = (reason: string) => {
      ended();
      reject(new TransportError(sent, reason));
    };
    const breakOff = (reason: string) => {
      timedOut = true;
      if (response) {
        response.destroy();
      } else {
        request.destroy();
        fail(reason);
      }
    };
    const timer = setTimeout(() => breakOff("timed_out"), rest.timeoutMs);
    const abort = () => breakOff("aborted");
    rest.signal?.addEventListener("abort", abort, { once: true });

    // Node writes the request in the very event that ends the connecting; until then nothing has left.
    request.once("socket", (socket: Socket & { secureConnecting?: boolean }) => {
      const connected = url.protocol === "https:" ? "secureConnect" : "connect";
      const markSent = () => {
        sent = true;
      };
      // Behind a proxy the connection stands already, and TLS begins.
      if (socket.connecting || socket.secureConnecting) socket.once(connected, markSent);
      else markSent();
    });
    request.once("response", async (incoming) => {
      response = incoming;
      const body = await readBody(incoming, () => timedOut);
      ended();
      resolve({ status: incoming.statusCode ?? 0, headers: flat(incoming.headers), ...body });
    });
    // Stays for good: a connection that breaks after the answer was read must not crash the process.
    request.on("error", (error) => {
      if (!response) fail(reasonOf(error));
    });
    request.end(rest.body);
  });
}

function dropIdleConnections(agent: Agent): void {
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}

function flat(headers: IncomingMessage["headers"]): HttpAnswer["headers"] {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value?.toString()]));
}

/** The error's code if it has one; never its text, which can quote what was sent or received. */
function reasonOf(error: Error & { code?: unknown }): string {
  return typeof error.code === "string" && /^[A-Z][A-Z0-9_]*$/.test(error.code) ? error.code : "failed";
}
