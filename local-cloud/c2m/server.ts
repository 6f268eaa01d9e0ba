import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { type C2mAnswer, type C2mRequest, header, pathBelow } from "./exchange.ts";
import { C2mFrontDoor, type C2mFrontDoorOptions } from "./front-door.ts";
import type { C2mKnobs } from "./knobs.ts";

export interface C2mServerOptions extends C2mFrontDoorOptions {
  /** What the base URL's path is: a version, a stage. Default `/v2`. */
  prefix?: `/${string}`;
  /** Other C2Ms on the same host, by the path of their base URLs: what one knows the others don't. Default none. */
  stages?: Record<`/${string}`, C2mFrontDoorOptions>;
  /** Default 0: any free one. */
  port?: number;
  /** Serves https with this key and certificate (PEM). Default http. */
  tls?: { key: string; cert: string };
}

export interface C2mServer {
  /** The base URL, `http://127.0.0.1:40000/v2`: without `/auth` and without a slash at its end. */
  url: string;
  /** The base URL of one of the stages. */
  stageUrl(prefix: `/${string}`): string;
  /** Cuts what is open and stops. */
  close(): Promise<void>;
}

/** Serves the engine, and those of other stages, on 127.0.0.1. Rejects when the port is taken. */
export async function startC2mServer(options: C2mServerOptions): Promise<C2mServer> {
  const { prefix = "/v2", port = 0, tls, stages = {} } = options;
  const scheme = tls ? "https" : "http";
  const own = { prefix, engine: options.engine, frontDoor: new C2mFrontDoor(options) };
  const beside = Object.entries(stages).map(([stage, of]) => ({
    prefix: stage,
    engine: of.engine,
    frontDoor: new C2mFrontDoor(of),
  }));
  const listener = (incoming: IncomingMessage, response: ServerResponse) => {
    // A bug of ours must show; where the caller hung up in the middle, nobody reads this.
    handle(incoming, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  };
  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const url = incoming.url ?? "";
    const c2m = beside.find((stage) => pathBelow(stage.prefix, url) !== undefined) ?? own;
    const request: C2mRequest = {
      method: incoming.method ?? "",
      // Outside of the base URLs nothing is found: an empty path is no route.
      path: pathBelow(c2m.prefix, url) ?? "",
      headers: incoming.headers,
      body: await buffer(incoming),
      sourceIp: incoming.socket.remoteAddress ?? "127.0.0.1",
      baseUrl: `${scheme}://${incoming.headers.host}${c2m.prefix}`,
    };
    const answer = await c2m.frontDoor.serve(request);
    // Node would write the machine's time.
    response.setHeader("date", new Date(c2m.engine.now()).toUTCString());
    if (answer === "cut") incoming.socket.destroy();
    else send(response, answer, transferFor(request, c2m.engine.knobs));
  };
  const server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The C2M server has no port.");
  return {
    url: `${scheme}://127.0.0.1:${address.port}${prefix}`,
    stageUrl: (stage) => `${scheme}://127.0.0.1:${address.port}${stage}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function transferFor(request: C2mRequest, { transfer }: C2mKnobs): C2mKnobs["transfer"] {
  if (transfer !== "gzip") return transfer;
  // RFC 9110 12.5.3: without the header any coding will do.
  const accepted = header(request, "accept-encoding");
  return accepted === undefined || /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))|\*/i.test(accepted)
    ? "gzip"
    : "content-length";
}

function send(response: ServerResponse, answer: C2mAnswer<string | Uint8Array>, transfer: C2mKnobs["transfer"]): void {
  const { status, headers } = answer;
  const plain = Buffer.from(answer.body);
  if (plain.length === 0 || transfer === "content-length") {
    // 204 has no body by definition and may not tell a length.
    const length = status === 204 ? {} : { "content-length": String(plain.length) };
    response.writeHead(status, { ...length, ...headers }).end(status === 204 ? undefined : plain);
    return;
  }
  const body = transfer === "gzip" ? gzipSync(plain) : plain;
  response.writeHead(status, { ...headers, ...(transfer === "gzip" && { "content-encoding": "gzip" }) });
  const half = Math.ceil(body.length / 2);
  response.write(body.subarray(0, half));
  response.end(body.subarray(half));
}
