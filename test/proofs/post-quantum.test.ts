import { once } from "node:events";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { connect as connectTls, getCACertificates, setDefaultCACertificates } from "node:tls";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { loopbackTls } from "../../local-cloud/test/loopback-tls.ts";
import { clientConfig } from "../../src/aws/client-config.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { createHttpSend } from "../../src/c2m/transport.ts";

/** IANA's numbers of TLS groups. */
const X25519MLKEM768 = 0x11ec;
const X25519 = 0x001d;

/** The group of each handshake, as the server has chosen it. */
const groups: number[] = [];
let server: Server;
let relay: Server;
let url: URL;

beforeAll(async () => {
  const answer = JSON.stringify({ ARN: "arn:aws:secretsmanager:us-east-1:123456789012:secret:a-AbCdEf", Name: "a" });
  server = createTlsServer(loopbackTls, (request, response) => request.resume().on("end", () => response.end(answer)));
  relay = createServer((client) => {
    const upstream = connect((server.address() as AddressInfo).port, "127.0.0.1");
    upstream.once("data", (hello: Buffer) => groups.push(groupOf(hello)));
    client.pipe(upstream).pipe(client);
    for (const end of [client, upstream]) end.on("error", () => undefined);
  });
  await Promise.all([server, relay].map((each) => once(each.listen(0, "127.0.0.1"), "listening")));
  url = new URL(`https://127.0.0.1:${(relay.address() as AddressInfo).port}/`);
});
afterAll(() => {
  server.close();
  relay.close();
});
beforeEach(() => {
  groups.length = 0;
});

/** The group in the key share of a ServerHello (RFC 8446, 4.1.3): what the keys of the connection are made with. */
function groupOf(record: Buffer): number {
  const [handshake, serverHello, keyShare] = [0x16, 0x02, 51];
  if (record[0] !== handshake || record[5] !== serverHello) throw new Error("This is no ServerHello.");
  const sessionId = 5 + 4 + 2 + 32;
  // After the session's id: the cipher suite, the compression and the length of the extensions.
  let at = sessionId + 1 + record.readUInt8(sessionId) + 2 + 1 + 2;
  while (record.readUInt16BE(at) !== keyShare) at += 4 + record.readUInt16BE(at + 2);
  return record.readUInt16BE(at + 4);
}

it("C2M's calls agree on their keys by X25519MLKEM768, where the server knows it", async () => {
  const send = createHttpSend({ ca: loopbackTls.cert });
  const request = { method: "POST", url, headers: {}, body: "", timeoutMs: 10_000, freshConnection: true } as const;
  expect(await send(request)).toMatchObject({ status: 200 });
  expect(groups).toEqual([X25519MLKEM768]);
});

it("the AWS SDK's calls do, too", async () => {
  const trusted = getCACertificates("default");
  setDefaultCACertificates([loopbackTls.cert]);
  const client = new SecretsManagerClient({
    ...clientConfig(),
    endpoint: url.origin,
    region: "us-east-1",
    credentials: { accessKeyId: "id", secretAccessKey: "key" },
  });
  try {
    await new SecretsManagerStore(client).describe("a");
    expect(groups).toEqual([X25519MLKEM768]);
  } finally {
    client.destroy();
    setDefaultCACertificates(trusted);
  }
});

it("a client that does not offer it is seen not to", async () => {
  const socket = connectTls({
    host: url.hostname,
    port: Number(url.port),
    ca: loopbackTls.cert,
    ecdhCurve: "X25519",
  });
  await once(socket, "secureConnect");
  socket.destroy();
  expect(groups).toEqual([X25519]);
});
