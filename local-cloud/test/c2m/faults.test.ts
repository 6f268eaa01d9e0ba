import { describe, expect, test } from "vitest";
import { startLocalC2m } from "./local-c2m.ts";

describe("a connection cut", () => {
  test("before the effect leaves no token behind", async () => {
    const c2m = await startLocalC2m();
    c2m.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: { kind: "cut", when: "before" } });
    await expect(c2m.issue()).rejects.toThrow();
    expect(c2m.engine.tokens).toEqual([]);
    expect((await c2m.issue()).status).toBe(201);
  });

  test("after the effect leaves a live token that nobody was told of", async () => {
    const c2m = await startLocalC2m();
    c2m.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: { kind: "cut", when: "after" } });
    await expect(c2m.issue()).rejects.toThrow();
    expect(c2m.engine.liveLongTokens()).toHaveLength(1);
  });

  test("is in the call log", async () => {
    const c2m = await startLocalC2m();
    c2m.faults.add({ service: "c2m", fault: { kind: "cut", when: "before" } });
    c2m.faults.add({ service: "c2m", nth: 2, fault: { kind: "cut", when: "after" } });
    await expect(c2m.issue()).rejects.toThrow();
    await expect(c2m.issue()).rejects.toThrow();
    expect(c2m.calls.calls).toMatchObject([
      { operation: "issueLongTermToken", status: 0, error: "cut_before" },
      { operation: "issueLongTermToken", status: 201, error: "cut_after" },
    ]);
  });
});

describe("an ordered error", () => {
  test("is answered in C2M's form with its headers, and nothing is done", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue();
    const headers = { "retry-after": "7" };
    const fault = { kind: "error", status: 503, code: "unavailable", message: "Try later", headers } as const;
    c2m.faults.add({ service: "c2m", operation: "revokeToken", fault });
    const reply = await c2m.revoke(json.token_id, json.access_token);
    expect([reply.status, reply.json]).toEqual([503, { code: "unavailable", message: "Try later" }]);
    expect(reply.headers.get("retry-after")).toBe("7");
    expect(c2m.engine.liveLongTokens()).toHaveLength(1);
    expect(c2m.calls.calls.at(-1)).toMatchObject({ operation: "revokeToken", status: 503, error: "unavailable" });
  });

  test("strikes only the operation and the times that were ordered", async () => {
    const c2m = await startLocalC2m();
    const fault = { kind: "error", status: 500, code: "internal", message: "Oops" } as const;
    c2m.faults.add({ service: "c2m", operation: "issueShortTermToken", nth: 2, times: 2, fault });
    const { status, json } = await c2m.issue();
    const statuses = [status];
    for (let call = 0; call < 4; call++) statuses.push((await c2m.exchange(json.access_token)).status);
    expect(statuses).toEqual([201, 201, 500, 500, 201]);
  });

  test("can strike the calls that stand for the business API", async () => {
    const c2m = await startLocalC2m();
    const fault = { kind: "error", status: 502, code: "bad_gateway", message: "Bad gateway" } as const;
    c2m.faults.add({ service: "c2m", operation: "getAccount", fault });
    expect((await c2m.account("any")).status).toBe(502);
  });
});

describe("a garbled answer", () => {
  const garble = { kind: "garble", status: 201, body: '{"token_type":"Bea' } as const;

  test("is sent in place of the true one, whose effect remains and whose X-Token-Id still tells of it", async () => {
    const c2m = await startLocalC2m();
    c2m.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: garble });
    const reply = await c2m.issue();
    expect(reply.text).toBe('{"token_type":"Bea');
    expect(c2m.engine.liveLongTokens().map(({ id }) => id)).toEqual([reply.headers.get("x-token-id")]);
  });

  test("replaces headers and status where it has its own, and may be any bytes", async () => {
    const c2m = await startLocalC2m();
    const headers = { "Content-Type": "application/octet-stream" };
    const fault = { ...garble, status: 200, body: Uint8Array.of(0x41, 0x42), headers };
    c2m.faults.add({ service: "c2m", operation: "issueLongTermToken", fault });
    const reply = await c2m.issue();
    expect([reply.status, reply.headers.get("content-type"), reply.text]).toEqual([
      200,
      "application/octet-stream",
      "AB",
    ]);
  });

  test("is told apart from true answers in onExchange", async () => {
    const c2m = await startLocalC2m();
    c2m.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: garble });
    await c2m.issue();
    await c2m.issue();
    expect(c2m.exchanges.map(({ faulty }) => faulty)).toEqual([true, false]);
  });
});

test("latency passes on the cloud's clock before the call is done", async () => {
  const c2m = await startLocalC2m();
  c2m.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: { kind: "latency", ms: 3600 } });
  const before = c2m.clock.now();
  expect((await c2m.issue()).status).toBe(201);
  expect(c2m.engine.liveLongTokens()[0]?.issuedAt).toBe(before + 3600);
});
