import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";

export interface HttpProxy {
  url: string;
  /** What was asked for, as `CONNECT host:port` or `POST http://host/path`. */
  asked: string[];
  close(): Promise<void>;
}

/**
 * A real HTTP proxy on the loopback interface, for hosts that can be reached through it only.
 *
 * @param hosts where each `host:port` is in truth; others are answered 502
 */
export async function startProxy(hosts: Record<string, number>): Promise<HttpProxy> {
  const asked: string[] = [];
  const server = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const { host, pathname, search } = new URL(incoming.url ?? "");
    const port = hosts[host];
    if (port === undefined) return response.writeHead(502).end();
    const { method, headers } = incoming;
    const outgoing = httpRequest({ port, method, headers, path: pathname + search }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(outgoing);
  });
  server.on("connect", ({ url = "" }, socket, head) => {
    asked.push(`CONNECT ${url}`);
    const port = hosts[url];
    if (port === undefined) return socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    const target = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      target.write(head);
      target.pipe(socket).pipe(target);
    });
    for (const end of [socket, target]) end.on("error", () => [socket, target].map((one) => one.destroy()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
