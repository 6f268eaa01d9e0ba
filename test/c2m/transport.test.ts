import { getEventListeners, once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { loopbackTls } from "../../local-cloud/test/loopback-tls.ts";
import { createHttpSend } from "../../src/c2m/transport.ts";
import { AmbiguousError, RetryableError } from "../../src/ports/errors.ts";
import { clientUnderTest, errorOf, issued, json, longToken, now, operations } from "../harness/client-under-test.ts";
import { startProxy } from "../harness/proxy.ts";
import { type Script, type ScriptedServer, startScriptedServer } from "../harness/scripted-server.ts";

let server: ScriptedServer;
let tlsServer: ScriptedServer;
beforeAll(async () => {
  [server, tlsServer] = await Promise.all([startScriptedServer(), startScriptedServer({ tls: true })]);
});
afterAll(() => Promise.all([server.close(), tlsServer.close()]));
afterEach(() => {
  server.requests.length = 0;
  tlsServer.requests.length = 0;
});

const plain = JSON.stringify(issued);
const send = createHttpSend();

/** One request by the transport alone. */
function sendTo(
  url: string,
  {
    timeoutMs = 15_000,
    freshConnection = false,
    by = send,
    signal,
  }: Partial<Parameters<typeof send>[0]> & { by?: typeof send } = {},
) {
  return by({
    method: "POST",
    url: new URL(url),
    headers: { "content-length": "2" },
    body: "{}",
    timeoutMs,
    freshConnection,
    ...(signal && { signal }),
  });
}

describe("connections", () => {
  it("are kept for the next call", async () => {
    server.script({ status: 204 });
    await sendTo(server.url);
    await sendTo(server.url);
    const [first, second] = server.requests.map((request) => request.connection);
    expect(second).toBe(first);
  });

  it("are made anew for an issue call, and kept after it", async () => {
    server.script({ status: 204 }, json(201, issued), { status: 204 });
    const { call } = clientUnderTest(server.url);
    await call("revokeToken");
    await call("issueLongTermToken");
    await call("revokeToken");
    const [before, issue, after] = server.requests.map((request) => request.connection);
    expect(issue).not.toBe(before);
    expect(after).toBe(issue);
  });

  it("go by the proxy that they are told of", async () => {
    server.script({ status: 204 });
    const proxy = await startProxy({ "c2m.invalid": Number(new URL(server.url).port) });
    try {
      const by = createHttpSend({ proxyEnv: { HTTP_PROXY: proxy.url } });
      expect(await sendTo("http://c2m.invalid/v2", { by })).toMatchObject({ status: 204 });
      expect(proxy.asked).toEqual(["POST http://c2m.invalid/v2"]);
    } finally {
      await proxy.close();
    }
  });

  it("do not go to a redirect's target", async () => {
    server.script({ status: 307, headers: { location: `${tlsServer.url}/x` } });
    expect(await sendTo(server.url)).toMatchObject({ status: 307 });
    expect(tlsServer.requests).toHaveLength(0);
  });
});

describe("a body", () => {
  const whole = { status: 201, body: plain, bodyFault: undefined };
  it.each<[string, string, Buffer]>([
    ["gzip", "gzip", gzipSync(plain)],
    ["x-gzip", "x-gzip", gzipSync(plain)],
    ["gzip in capitals", "GZIP", gzipSync(plain)],
    ["br", "br", brotliCompressSync(plain)],
    ["deflate", "deflate", deflateSync(plain)],
    ["raw deflate", "deflate", deflateRawSync(plain)],
    ["identity", "identity", Buffer.from(plain)],
    ["gzip, as it says in two words", "identity, gzip", gzipSync(plain)],
    ["a byte order mark", "", Buffer.from(`\ufeff${plain}`)],
  ])("in %s is decoded", async (_, encoding, body) => {
    server.script({ status: 201, headers: { "content-encoding": encoding }, body });
    expect(await sendTo(server.url)).toMatchObject(whole);
  });

  it.each<[string, string, string | Buffer]>([
    ["is not what its encoding says", "gzip", plain],
    ["is of an unknown encoding", "zstd", plain],
    ["is packed twice", "gzip, gzip", gzipSync(gzipSync(plain))],
    ["is half a gzip file", "gzip", gzipSync(plain).subarray(0, 40)],
    ["is an empty deflate stream", "deflate", ""],
  ])("that %s can't be decoded", async (_, encoding, body) => {
    server.script({ status: 201, headers: { "content-encoding": encoding }, body });
    expect(await sendTo(server.url)).toMatchObject({ status: 201, body: "", bodyFault: "undecodable" });
  });

  it.each([
    ["sent", {}, (size: number) => Buffer.alloc(size, "x")],
    ["unpacked", { "content-encoding": "gzip" }, (size: number) => gzipSync(Buffer.alloc(size, "x"))],
  ])("of 1 MiB %s is taken, and not of a byte more", async (_, headers, body) => {
    server.script({ status: 201, headers, body: body(1_048_576) });
    expect(await sendTo(server.url)).toMatchObject({ body: "x".repeat(1_048_576), bodyFault: undefined });
    server.script({ status: 201, headers, body: body(1_048_577) });
    expect(await sendTo(server.url)).toMatchObject({ bodyFault: "too_large" });
  });

  it("that is too large is ambiguous for an issue call, whose id the head still tells", async () => {
    server.script({ status: 201, headers: { "x-token-id": "tok_head" }, body: Buffer.alloc(1_048_577, "x") });
    const error = await errorOf(clientUnderTest(server.url).call("issueLongTermToken"));
    expect(error).toBeInstanceOf(AmbiguousError);
    expect(error).toMatchObject({ code: "bad_answer", tokenId: "tok_head" });
    expect(error.message).toContain("its body is larger than 1 MiB");
  });

  it("that can't be decoded is ambiguous for an issue call", async () => {
    server.script({ status: 201, headers: { "content-encoding": "gzip" }, body: plain });
    const error = await errorOf(clientUnderTest(server.url).call("issueLongTermToken"));
    expect(error).toMatchObject({ name: "AmbiguousError", code: "bad_answer", tokenId: undefined });
    expect(error.message).toContain("its body can't be decoded");
  });

  it("that is cut off comes as far as it goes", async () => {
    server.script({ status: 400, body: plain, cutAfter: 20 });
    expect(await sendTo(server.url)).toMatchObject({ status: 400, body: plain.slice(0, 20), bodyFault: "cut_off" });
  });

  it("that breaks the rules of HTTP comes as far as it goes, and its head still tells the id", async () => {
    server.script("bad-chunk");
    expect(await sendTo(server.url)).toMatchObject({ status: 201, bodyFault: "cut_off" });
    const error = await errorOf(clientUnderTest(server.url).call("issueLongTermToken"));
    expect(error).toMatchObject({ name: "AmbiguousError", code: "bad_answer", tokenId: "tok_head" });
  });

  it("that is packed and cut off is of no use", async () => {
    server.script({ status: 400, headers: { "content-encoding": "gzip" }, body: gzipSync(plain), cutAfter: 20 });
    expect(await sendTo(server.url)).toMatchObject({ status: 400, body: "", bodyFault: "cut_off" });
  });

  it("that does not end in time is given up, with what its head says", async () => {
    server.script("stall");
    expect(await sendTo(server.url, { timeoutMs: 250 })).toMatchObject({
      status: 201,
      body: "{",
      bodyFault: "timed_out",
    });
    const error = await errorOf(clientUnderTest(server.url, { requestTimeoutMs: 250 }).call("issueLongTermToken"));
    expect(error).toMatchObject({ name: "AmbiguousError", code: "bad_answer", tokenId: "tok_head" });
    expect(error.message).toContain("its body did not arrive in time");
  });
});

const lostAnswers: [string, Script, RegExp][] = [
  ["is reset after it was sent", "reset", /^ECONNRESET$/],
  ["is not answered in time", "hang", /^timed_out$/],
  ["is answered in another protocol", "garbage", /^HPE_/],
];

describe.each(lostAnswers)("a request that %s", (_, script, reason) => {
  it.each([
    ["http", () => server, send],
    ["https", () => tlsServer, createHttpSend({ ca: loopbackTls.cert })],
  ])("counts as sent over %s", async (_scheme, target, sendOver) => {
    target().script(script);
    const request = {
      method: "POST",
      url: new URL(target().url),
      headers: {},
      body: "{}",
      timeoutMs: 250,
      freshConnection: true,
    } as const;
    const error = await errorOf(sendOver(request));
    expect(error).toMatchObject({ name: "TransportError", sent: true, reason: expect.stringMatching(reason) });
    expect(error.message).toBe(`No answer (${error.reason}), the request may have been sent`);
    expect(error.cause).toBeUndefined();
  });

  it("is ambiguous for issueLongTermToken, and not repeated", async () => {
    server.script(script);
    const error = await errorOf(clientUnderTest(server.url, { requestTimeoutMs: 250 }).call("issueLongTermToken"));
    expect(error).toBeInstanceOf(AmbiguousError);
    expect(error).toMatchObject({ code: "no_answer", tokenId: undefined });
    expect(error.message).toContain("issueLongTermToken: the request was sent and no answer came");
    expect(server.requests).toHaveLength(1);
  });

  it.each(["issueShortTermToken", "revokeToken"] as const)("is repeated for %s", async (operation) => {
    server.script(script, json(201, issued));
    await clientUnderTest(server.url, { requestTimeoutMs: 250 }).call(operation);
    expect(server.requests).toHaveLength(2);
  });
});

it.each(["issueShortTermToken", "revokeToken"] as const)(
  "%s is retryable when no answer ever comes",
  async (operation) => {
    server.script("reset");
    const error = await errorOf(clientUnderTest(server.url).call(operation));
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ code: "no_answer" });
    expect(error.message).toContain(`${operation}: the request was sent and no answer came (ECONNRESET)`);
    expect(server.requests).toHaveLength(8);
  },
);

describe("a request whose connection is kept from before", () => {
  it("counts as sent when it is reset", async () => {
    server.script({ status: 204 }, "reset");
    await sendTo(server.url);
    expect(await errorOf(sendTo(server.url))).toMatchObject({ sent: true, reason: "ECONNRESET" });
    const [first, second] = server.requests.map((request) => request.connection);
    expect(second).toBe(first);
  });
});

/** Ways not to get a connection: each with what makes a URL for it. */
describe("a request that finds no connection", () => {
  let silent: Server;
  let refused: string;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    const listen = (target: Server) => new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
    const port = (target: Server) => (target.address() as { port: number }).port;
    silent = createServer((socket) => sockets.push(socket));
    const closed = createServer();
    await Promise.all([listen(silent), listen(closed)]);
    refused = `http://127.0.0.1:${port(closed)}`;
    await new Promise((resolve) => closed.close(resolve));
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => silent.close(resolve));
  });

  it("is cut off from a server that does not answer in time", async () => {
    await errorOf(sendTo(`http://127.0.0.1:${(silent.address() as { port: number }).port}`, { timeoutMs: 250 }));
    const socket = sockets.at(-1);
    if (socket && !socket.closed) await once(socket.resume(), "close");
    expect(socket?.closed).toBe(true);
  });

  const cases: [string, () => string, RegExp][] = [
    ["nobody listens", () => refused, /^ECONNREFUSED$/],
    ["the name does not exist", () => "https://c2m.invalid", /^(ENOTFOUND|EAI_AGAIN)$/],
    ["the certificate is not trusted", () => tlsServer.url, /^DEPTH_ZERO_SELF_SIGNED_CERT$/],
    ["the other side speaks no TLS", () => server.url.replace("http:", "https:"), /SSL|PROTO|WRONG_VERSION/],
    [
      "the handshake does not end in time",
      () => `https://127.0.0.1:${(silent.address() as { port: number }).port}`,
      /^timed_out$/,
    ],
  ];

  it.each(cases)("was not sent, when %s", async (_, url, reason) => {
    const error = await errorOf(sendTo(url(), { timeoutMs: 400, freshConnection: true }));
    expect(error).toMatchObject({ name: "TransportError", sent: false, reason: expect.stringMatching(reason) });
    expect(error.message).toBe(`No answer (${error.reason}), the request was not sent`);
    expect(error.cause).toBeUndefined();
  });

  it("is not accepted from an untrusted server even when the environment says so", async () => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      const error = await errorOf(clientUnderTest(tlsServer.url).call("issueLongTermToken"));
      expect(error).toMatchObject({ code: "unreachable" });
      expect(error.message).toContain("could not connect to C2M (DEPTH_ZERO_SELF_SIGNED_CERT)");
      // What to do about this very cause.
      expect(error.message).toContain("NODE_EXTRA_CA_CERTS");
      expect(tlsServer.requests).toHaveLength(0);
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
  });

  it.each(operations)("is retryable for %s, and repeated", async (operation) => {
    let attempts = 0;
    const counting = clientUnderTest(refused, {
      send: (request) => {
        attempts += 1;
        return send(request);
      },
    });
    const error = await errorOf(counting.call(operation));
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ code: "unreachable" });
    expect(error.message).toContain(`${operation}: could not connect to C2M (ECONNREFUSED)`);
    expect(attempts).toBe(8);
  });
});

describe("a request that somebody aborts", () => {
  it("before it begins was not sent", async () => {
    const error = await errorOf(sendTo(server.url, { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ name: "TransportError", sent: false, reason: "aborted" });
    expect(server.requests).toHaveLength(0);
  });

  it("while it waits for the answer may have been sent", async () => {
    server.script("hang");
    const aborted = new AbortController();
    const sending = errorOf(sendTo(server.url, { signal: aborted.signal, freshConnection: true }));
    while (server.requests.length === 0) await new Promise(setImmediate);
    aborted.abort();
    expect(await sending).toMatchObject({ name: "TransportError", sent: true, reason: "aborted" });
  });
});

it.each<[string, Script]>([
  ["answered", { status: 204 }],
  ["reset", "reset"],
])("a request that was %s leaves neither a timer nor a listener behind", async (_, script) => {
  server.script(script);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const { signal } = new AbortController();
    await sendTo(server.url, { signal, freshConnection: true }).catch(() => {});
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

it("works over TLS with a certificate that is trusted", async () => {
  tlsServer.script(json(201, issued));
  const { call } = clientUnderTest(tlsServer.url, { send: createHttpSend({ ca: loopbackTls.cert }) });
  await expect(call("issueLongTermToken")).resolves.toMatchObject({ tokenId: "tok_lt_b8e0aa" });
});

it("asks for the time that is left, up to the request time-out", async () => {
  const clock = new VirtualClock(now);
  const times: number[] = [];
  const { client } = clientUnderTest("https://c2m.invalid", {
    clock,
    send: async (request) => {
      times.push(request.timeoutMs);
      return { status: 204, headers: {}, body: "", bodyFault: undefined };
    },
  });
  const bearer = { reveal: () => longToken } as never;
  for (const left of [1_000, 14_999, 15_000, 15_001, 60_000]) {
    await client.revokeToken({ tokenId: "tok", bearer, deadline: clock.now() + left });
  }
  expect(times).toEqual([1_000, 14_999, 15_000, 15_000, 15_000]);
});
