import { beforeEach, describe, expect, it } from "vitest";
import { createC2mFetch, createTokenSource, sendLetter } from "../../client/index.ts";
import { startLocalC2m } from "../../local-cloud/test/c2m/local-c2m.ts";
import { json } from "../harness/client-under-test.ts";
import { startScriptedServer } from "../harness/scripted-server.ts";
import { SecretUnderTest, secretId } from "./secret-under-test.ts";

const address = {
  firstName: "Ada",
  lastName: "Lovelace",
  address1: "1 Main Street",
  city: "Arlington",
  state: "VA",
  zip: "22201",
  country: "US",
};
const letter = {
  docSourceAll: { documentIdSource: { documentId: 1 } },
  recipientAddressSource: { singleAddress: address },
};

describe("a letter, at the local C2M", () => {
  let c2m: Awaited<ReturnType<typeof startLocalC2m>>;
  let secret: SecretUnderTest;

  beforeEach(async () => {
    c2m = await startLocalC2m();
    secret = new SecretUnderTest(c2m.clock);
    secret.store(String((await c2m.issue()).json.access_token));
  });

  const send = (change: object = {}, scopes = ["jobs:submit"]) => {
    const tokens = createTokenSource({ secretId, secretsManager: secret, baseUrl: c2m.url, clock: c2m.clock });
    return sendLetter(createC2mFetch(tokens, { scopes, clock: c2m.clock }), { ...letter, ...change });
  };
  const fails = (fault: Parameters<typeof c2m.faults.add>[0]["fault"]) =>
    c2m.faults.add({ service: "c2m", operation: "submitStatic", fault });

  it("is accepted, in any form of document and recipient", async () => {
    expect(await send()).toEqual({ outcome: "accepted", requestId: "1" });
    const list = { recipientAddressByList: { addressList: [address] } };
    expect(await send({ docSourceAll: { url: "https://example.com/a.pdf" }, recipientAddressSource: list })).toEqual({
      outcome: "accepted",
      requestId: "2",
    });
  });

  it("is accepted by a C2M that writes its request ids as texts", async () => {
    c2m.engine.knobs.requestIdAsText = true;
    expect(await send()).toEqual({ outcome: "accepted", requestId: "1" });
  });

  it("that breaks a rule is refused, with C2M's own code", async () => {
    expect(await send({ recipientAddressSource: { singleAddress: {} } })).toMatchObject({
      outcome: "refused",
      error: { kind: "invalid", status: 422, code: "MISSING_REQUIRED_FIELD" },
    });
  });

  it("that the token may not send is refused: not allowed, and not for being invalid", async () => {
    expect(await send({}, ["tokens:revoke"])).toMatchObject({
      outcome: "refused",
      error: { kind: "not_allowed", status: 403, code: "INSUFFICIENT_PERMISSIONS" },
    });
    expect(secret.reads).toHaveLength(1);
  });

  it.each([
    ["is lost", { kind: "cut", when: "after" }, 1],
    ["is lost before C2M took it", { kind: "cut", when: "before" }, 0],
    ["is a 500", { kind: "error", status: 500, code: "INTERNAL", message: "x" }, 0],
  ] as const)("whose answer %s is unknown, and never sent again", async (_, fault, taken) => {
    fails(fault);
    expect(await send()).toMatchObject({ outcome: "unknown", reason: expect.any(String) });
    expect(c2m.engine.jobs.all).toHaveLength(taken);
    expect(c2m.calls.calls.filter(({ operation }) => operation === "submitStatic")).toHaveLength(1);
  });

  it("is sent again where C2M certainly did not take it: rate limited", async () => {
    fails({ kind: "error", status: 429, code: "RATE_LIMITED", message: "Slow down, retry after 9 seconds" });
    expect(await send()).toEqual({ outcome: "accepted", requestId: "1" });
    expect(c2m.engine.jobs.all).toHaveLength(1);
  });

  it("throws where nothing was sent", async () => {
    const tokens = createTokenSource({ secretId, secretsManager: secret, baseUrl: c2m.url, clock: c2m.clock });
    tokens.close();
    await expect(sendLetter(createC2mFetch(tokens), letter)).rejects.toMatchObject({ code: "closed" });
  });
});

it.each([
  ["a gateway's page", { status: 200, body: "<html>" }],
  ["cut off", { status: 200, body: '{"status":"accepted","requestId":1}', cutAfter: 20 }],
  ["other JSON", json(200, { status: "queued elsewhere" })],
  ["null", json(200, null)],
])("a success that can't be read is unknown: %s", async (_, script) => {
  const server = await startScriptedServer();
  server.script(script);
  const fetchOfC2m = (path: string | URL | Request, init?: RequestInit) => fetch(`${server.url}${path}`, init);
  expect(await sendLetter(fetchOfC2m, letter)).toMatchObject({ outcome: "unknown" });
  expect(server.requests).toHaveLength(1);
  await server.close();
});
