import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { readBody } from "./body.ts";
import { type HttpAnswer, type HttpRequest, type HttpSend, TransportError } from "./http.ts";

/**
 * The real HTTP, with connections kept alive between calls.
 *
 * @param options.ca certificates (PEM) to trust instead of Node's own list; default: Node's list
 */
export function createHttpSend(options: { ca?: string } = {}): HttpSend {
  const agents = new Map<string, Agent>();
  return (request) => {
    // Not by `import`: from ESM that makes Node load undici as well, at six times the start-up.
    const http = process.getBuiltinModule(request.url.protocol === "https:" ? "node:https" : "node:http");
    let agent = agents.get(request.url.protocol);
    if (!agent) {
      // `rejectUnauthorized` said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 can't switch the check off.
      agent = new http.Agent({ keepAlive: true, rejectUnauthorized: true, ...options });
      agents.set(request.url.protocol, agent);
    }
    if (request.freshConnection) dropIdleConnections(agent);
    return exchange(http.request, agent, request);
  };
}

type Start = (url: URL, options: RequestOptions) => ClientRequest;

function exchange(start: Start, agent: Agent, { url, method, headers, ...rest }: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = start(url, { agent, method, headers });
    let sent = false;
    let timedOut = false;
    let response: IncomingMessage | undefined;
    const fail = (reason: string) => {
      clearTimeout(timer);
      reject(new TransportError(sent, reason));
    };
    const timer = setTimeout(() => {
      timedOut = true;
      if (response) {
        response.destroy();
      } else {
        request.destroy();
        fail("timed_out");
      }
    }, rest.timeoutMs);

    // Node writes the request in the very event that ends the connecting; until then nothing has left.
    request.once("socket", (socket) => {
      const connected = url.protocol === "https:" ? "secureConnect" : "connect";
      const markSent = () => {
        sent = true;
      };
      if (socket.connecting) socket.once(connected, markSent);
      else markSent();
    });
    request.once("response", async (incoming) => {
      response = incoming;
      const body = await readBody(incoming, () => timedOut);
      clearTimeout(timer);
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
