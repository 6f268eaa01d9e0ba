import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { loopbackTls } from "../../local-cloud/test/loopback-tls.ts";

/** What the server does with one request. */
export type Script =
  | {
      status: number;
      headers?: Record<string, string>;
      body?: string | Uint8Array;
      /** Promises the whole body and breaks the connection after this many bytes of it. */
      cutAfter?: number;
    }
  /** Reads the request and breaks the connection without an answer. */
  | "reset"
  /** Reads the request and never answers. */
  | "hang"
  /** Sends the head (201, an id) and the first bytes of a body, and no more. */
  | "stall"
  /** Sends the head (201, an id) and then a chunk that breaks the rules of HTTP. */
  | "bad-chunk"
  /** Answers with something that is not HTTP. */
  | "garbage";

export interface ReceivedRequest {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
  /** Counts the connections, from 0. */
  connection: number;
}

export interface ScriptedServer {
  /** Without a path. */
  url: string;
  requests: ReceivedRequest[];
  /** Answers the next requests, one each, in this order; the last one also all that follow. */
  script(...scripts: Script[]): void;
  close(): Promise<void>;
}

/** A real HTTP server on the loopback interface that does what the test says. */
export async function startScriptedServer({ tls = false } = {}): Promise<ScriptedServer> {
  let queue: Script[] = [];
  const requests: ReceivedRequest[] = [];
  const connections: Socket[] = [];

  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url: path, headers, socket } = request;
      const body = Buffer.concat(chunks).toString();
      if (!connections.includes(socket)) connections.push(socket);
      requests.push({ method, path, headers, body, connection: connections.indexOf(socket) });
      const script: Script | undefined = queue.length > 1 ? queue.shift() : queue[0];
      if (script === undefined) throw new Error("a request that the test did not expect");
      if (script === "reset") socket.destroy();
      else if (script === "garbage") socket.end("SSH-2.0-OpenSSH_9.6\r\n\r\n");
      else if (script === "bad-chunk")
        socket.end(
          "HTTP/1.1 201 Created\r\nX-Token-Id: tok_head\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n",
        );
      else if (script === "stall")
        response.writeHead(201, { "content-length": 100, "x-token-id": "tok_head" }).write("{");
      else if (script !== "hang") {
        const { status, headers, cutAfter } = script;
        const bytes = Buffer.from(script.body ?? "");
        if (cutAfter !== undefined) {
          response.writeHead(status, { "content-length": bytes.length, ...headers });
          response.write(bytes.subarray(0, cutAfter), () => socket.destroy());
        } else response.writeHead(status, headers).end(bytes);
      }
    });
  };

  const server: Server = tls ? createTlsServer(loopbackTls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    requests,
    script: (...scripts) => {
      queue = scripts;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
