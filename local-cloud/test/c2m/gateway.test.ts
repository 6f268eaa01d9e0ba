import { request } from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { clientId, startLocalC2m } from "./local-c2m.ts";

describe("a path that is none of the API's", () => {
  test.each([
    "/auth/auth/tokens/long",
    "/auth/tokens/long/",
    "//auth/tokens/long",
    "/auth/tokens//revoke",
    "/auth/tokens/%/revoke",
    "/",
  ])("%s is answered 403 without a code, as API gateways do", async (path) => {
    const c2m = await startLocalC2m();
    const reply = await c2m.call(path);
    expect([reply.status, reply.json]).toEqual([403, { message: "Missing Authentication Token" }]);
  });

  test("is answered 404 by the knob", async () => {
    const c2m = await startLocalC2m({ unknownPathStatus: 404 });
    expect((await c2m.call("/auth/tokens")).status).toBe(404);
  });

  test("is also one of the API's with another method", async () => {
    const c2m = await startLocalC2m();
    expect((await c2m.call("/auth/tokens/long", { method: "GET" })).status).toBe(403);
  });
});

describe("the base URL", () => {
  test.each(["/v1", "/v2", "/dev", "/stage/v2"] as const)("may end in %s", async (prefix) => {
    const c2m = await startLocalC2m({}, prefix);
    expect(c2m.url.endsWith(prefix)).toBe(true);
    expect((await c2m.issue()).status).toBe(201);
  });

  test("is the only place where the API is found", async () => {
    const c2m = await startLocalC2m({}, "/v2");
    const elsewhere = await fetch(c2m.url.replace("/v2", "/v1/auth/tokens/short"), { method: "POST" });
    expect(elsewhere.status).toBe(403);
  });
});

describe("an error's body", () => {
  test.each([
    ["code-and-message", "application/json", /^\{"code":"invalid_grant","message":"Invalid client credentials"\}$/],
    ["message", "application/json", /^\{"message":"Invalid client credentials"\}$/],
    ["html", "text/html", /^<html>/],
    ["empty", null, /^$/],
  ] as const)("is %s by the knob, with the same status", async (errorBody, type, body) => {
    const c2m = await startLocalC2m({ errorBody });
    const reply = await c2m.issue({ client_secret: "wrong" });
    expect(reply.status).toBe(400);
    expect(reply.headers.get("content-type")).toBe(type);
    expect(reply.text).toMatch(body);
  });
});

describe("the rate limit", () => {
  test("refuses the call after the last allowed one, until the minute is over", async () => {
    const c2m = await startLocalC2m({ rateLimitPerMinute: 2 });
    await c2m.issue();
    await c2m.clock.advanceBy(20_000);
    await c2m.issue();
    const refused = await c2m.issue();
    expect([refused.status, refused.json]).toEqual([
      429,
      { code: "rate_limited", message: "Rate limit exceeded, retry after 40 seconds" },
    ]);
    await c2m.clock.advanceBy(40_000);
    expect((await c2m.issue()).status).toBe(201);
    expect((await c2m.issue()).status).toBe(429);
    expect(c2m.engine.liveLongTokens()).toHaveLength(3);
  });

  test("is ten calls a minute by default, as the strictest document has it", async () => {
    const c2m = await startLocalC2m();
    for (let call = 0; call < 10; call++) expect((await c2m.exchange("unknown")).status).toBe(401);
    expect((await c2m.exchange("unknown")).status).toBe(429);
    await c2m.clock.advanceBy(60_000);
    expect((await c2m.exchange("unknown")).status).toBe(401);
  });

  test("counts all auth calls of an address together, and no others", async () => {
    const c2m = await startLocalC2m({ rateLimitPerMinute: 2 });
    const { json } = await c2m.issue();
    await c2m.account(json.access_token);
    expect((await c2m.exchange(json.access_token)).status).toBe(201);
    expect((await c2m.revoke(json.token_id, json.access_token)).status).toBe(429);
    expect((await c2m.account(json.access_token)).status).toBe(200);
  });

  test("counts each source address by itself", async () => {
    const { engine } = await startLocalC2m({ rateLimitPerMinute: 1 });
    const from = async (sourceIp: string) =>
      (await engine.answer({ method: "POST", path: "/auth/tokens/short", headers: {}, body: "", sourceIp })).status;
    expect([await from("192.0.2.1"), await from("192.0.2.1"), await from("192.0.2.2")]).toEqual([401, 429, 401]);
  });

  test.each([
    ["none", null],
    ["seconds", "30"],
    ["date", "Thu, 01 Jan 2026 00:00:30 GMT"],
  ] as const)("tells when to come back as %s", async (retryAfter, value) => {
    const c2m = await startLocalC2m({ retryAfter, rateLimitedUntil: Date.parse("2026-01-01T00:00:30Z") });
    const reply = await c2m.issue();
    expect([reply.status, reply.headers.get("retry-after")]).toEqual([429, value]);
  });

  test("storms until the time of the knob, then is over", async () => {
    const c2m = await startLocalC2m({ rateLimitedUntil: Date.parse("2026-01-01T00:00:30Z") });
    await c2m.clock.advanceBy(29_999);
    expect((await c2m.issue()).status).toBe(429);
    await c2m.clock.advanceBy(1);
    expect((await c2m.issue()).status).toBe(201);
  });
});

describe("a body travels", () => {
  // fetch hides how: here the bytes are read as they come.
  const raw = async (url: string, headers: Record<string, string>) => {
    const call = request(`${url}/account`, { headers });
    call.end();
    const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
      call.once("response", resolve).once("error", reject);
    });
    return { headers: response.headers, body: await buffer(response) };
  };

  test("with its length by default", async () => {
    const c2m = await startLocalC2m();
    const { headers, body } = await raw(c2m.url, {});
    expect(headers["content-length"]).toBe(String(body.length));
  });

  test("in chunks by the knob", async () => {
    const c2m = await startLocalC2m({ transfer: "chunked" });
    const { headers, body } = await raw(c2m.url, {});
    expect([headers["transfer-encoding"], headers["content-length"]]).toEqual(["chunked", undefined]);
    expect(JSON.parse(body.toString()).code).toBe("invalid_token");
  });

  test.each([
    ["gzip", {}],
    ["gzip", { "accept-encoding": "gzip, deflate" }],
    [undefined, { "accept-encoding": "identity" }],
    [undefined, { "accept-encoding": "gzip;q=0" }],
  ])("encoded as %s by the knob gzip, asked with %o", async (encoding, asked) => {
    const c2m = await startLocalC2m({ transfer: "gzip" });
    const { headers, body } = await raw(c2m.url, asked);
    expect(headers["content-encoding"]).toBe(encoding);
    expect(JSON.parse((encoding ? gunzipSync(body) : body).toString()).code).toBe("invalid_token");
  });

  test("not at all with a 204, however bodies travel", async () => {
    const c2m = await startLocalC2m({ transfer: "chunked" });
    const { json } = await c2m.issue();
    const { headers, text } = await c2m.revoke(json.token_id, json.access_token);
    expect([headers.get("transfer-encoding"), headers.get("content-length"), text]).toEqual([null, null, ""]);
  });
});

describe("the call log", () => {
  test("names the operation, the client or the token's id, the status and the error's code", async () => {
    const c2m = await startLocalC2m({ errorBody: "empty" });
    const { json } = await c2m.issue();
    await c2m.exchange(json.access_token);
    await c2m.issue({ client_secret: "wrong" });
    await c2m.account("nonsense");
    expect(c2m.calls.calls.map(({ operation, caller, status, error }) => [operation, caller, status, error])).toEqual([
      ["issueLongTermToken", clientId, 201, undefined],
      ["issueShortTermToken", json.token_id, 201, undefined],
      ["issueLongTermToken", clientId, 400, "invalid_grant"],
      ["getAccount", "unknown", 401, "invalid_token"],
    ]);
  });

  test("holds no token and no secret, also of a caller who mixes them up", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue();
    const token = String(json.access_token);
    await c2m.call("/auth/tokens/long", { headers: { "x-client-id": "the-secret-of-acme" }, json: {} });
    await c2m.call("/auth/tokens/short", { headers: { "x-client-id": token }, json: { [token]: 1 } });
    await c2m.revoke(token, token);
    const log = JSON.stringify(c2m.calls.calls);
    expect(log).not.toContain(token);
    expect(log).not.toContain("the-secret-of-acme");
  });
});
