import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Invocation } from "./function-runtime.ts";

export interface RuntimeApiEvents {
  /** The runtime asks for work; answer it with `deliver`. */
  onNext: () => Promise<void>;
  onResponse: (payload: string) => void;
  /** Of the handler, or of init. */
  onError: (payload: string) => void;
  /** The virtual-time preload waits. */
  onSleep: (ms: number) => Promise<void>;
}

const prefix = "/2018-06-01/runtime";

/** The Lambda Runtime API (2018-06-01) for one process, on a port of its own. */
export class RuntimeApi {
  readonly #server: Server;
  #events: RuntimeApiEvents | undefined;
  #next: ServerResponse | undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    // A frozen runtime keeps its connection for as long as it lives.
    this.#server.keepAliveTimeout = 0;
  }

  static async start(): Promise<RuntimeApi> {
    const api = new RuntimeApi();
    await new Promise<void>((resolve) => api.#server.listen(0, "127.0.0.1", resolve));
    return api;
  }

  /** Who hears of what the runtime says; to be set before the process starts. */
  serve(events: RuntimeApiEvents): void {
    this.#events = events;
  }

  /** For AWS_LAMBDA_RUNTIME_API. */
  get host(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The Runtime API has no port.");
    return `127.0.0.1:${address.port}`;
  }

  /** Answers the runtime's request for work. */
  deliver({ requestId, payload, functionArn, deadline }: Invocation): void {
    this.#next?.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": requestId,
      "lambda-runtime-deadline-ms": String(deadline),
      "lambda-runtime-invoked-function-arn": functionArn,
      "lambda-runtime-trace-id": `Root=1-00000000-${requestId.replaceAll("-", "").slice(0, 24)};Sampled=0`,
    });
    this.#next?.end(payload);
    this.#next = undefined;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const route = `${request.method} ${request.url}`;
    if (route === `GET ${prefix}/invocation/next`) {
      this.#next = response;
      return this.#events?.onNext();
    }
    if (route === "POST /harness/sleep") {
      await this.#events?.onSleep(Number(JSON.parse(body).ms));
      return void response.writeHead(202).end();
    }
    if (/\/invocation\/[^/]+\/response$/.test(route)) this.#events?.onResponse(body);
    else if (/\/(init|invocation\/[^/]+)\/error$/.test(route)) this.#events?.onError(body);
    else return void response.writeHead(404).end();
    response.writeHead(202).end();
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
