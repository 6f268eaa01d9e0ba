import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { allScopes, clientId, startLocalC2m } from "./local-c2m.ts";

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
let keys: GenerateKeyPairResult;
let foreignKeys: GenerateKeyPairResult;

beforeAll(async () => {
  [keys, foreignKeys] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
});

async function startWithKey() {
  const c2m = await startLocalC2m();
  const publicKeys = { k1: await exportJWK(keys.publicKey) };
  c2m.engine.registerClient({ clientId, publicKeys, scopes: allScopes });
  const now = Math.floor(c2m.clock.now() / 1000);
  const claims: JWTPayload = {
    iss: clientId,
    sub: clientId,
    aud: `${c2m.url}/auth/tokens/long`,
    exp: now + 60,
    jti: "one",
  };
  const issueWith = async (changes: Record<string, unknown> = {}, { key = keys.privateKey, kid = "k1" } = {}) => {
    const jwt = new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg: "ES256", kid });
    return await c2m.call("/auth/tokens/long", {
      headers: { "x-client-id": clientId },
      json: {
        grant_type: "assertion",
        client_id: clientId,
        assertion_type: assertionType,
        assertion: await jwt.sign(key),
      },
    });
  };
  return { c2m, now, issueWith };
}

describe("an assertion", () => {
  test("signed by the client for the URL of the call issues a token", async () => {
    const { issueWith } = await startWithKey();
    expect((await issueWith()).status).toBe(201);
  });

  test("may be for the base URL", async () => {
    const { c2m, issueWith } = await startWithKey();
    expect((await issueWith({ aud: c2m.url })).status).toBe(201);
  });

  test("must be for one of the knob's audiences where there are any", async () => {
    const { c2m, issueWith } = await startWithKey();
    c2m.engine.knobs.assertionAudiences = ["https://auth.example"];
    expect((await issueWith()).json.code).toBe("invalid_grant");
    expect((await issueWith({ aud: "https://auth.example" })).status).toBe(201);
  });

  test("works once", async () => {
    const { issueWith } = await startWithKey();
    await issueWith();
    expect((await issueWith()).json.code).toBe("invalid_grant");
    expect((await issueWith({ jti: "two" })).status).toBe(201);
  });

  test("shown twice at the same time works once", async () => {
    const { issueWith } = await startWithKey();
    const replies = await Promise.all([issueWith(), issueWith()]);
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 400]);
  });

  test.each<[what: string, changes: (now: number) => Record<string, unknown>]>([
    ["for another audience", () => ({ aud: "https://elsewhere.example" })],
    ["without an audience", () => ({ aud: undefined })],
    ["expired", (now) => ({ exp: now - 1 })],
    ["without an expiry", () => ({ exp: undefined })],
    ["without an id", () => ({ jti: undefined })],
    ["of another issuer", () => ({ iss: "c2m_other" })],
    ["about another subject", () => ({ sub: "c2m_other" })],
    ["not valid yet", (now) => ({ nbf: now + 60 })],
  ])("%s is refused with invalid_grant", async (_what, changes) => {
    const { c2m, now, issueWith } = await startWithKey();
    const reply = await issueWith(changes(now));
    expect([reply.status, reply.json.code]).toEqual([400, "invalid_grant"]);
    expect(c2m.engine.tokens).toEqual([]);
  });

  test("signed with a foreign key is refused", async () => {
    const { issueWith } = await startWithKey();
    expect((await issueWith({}, { key: foreignKeys.privateKey })).json.code).toBe("invalid_grant");
  });

  test("that names a key which is not registered is refused", async () => {
    const { issueWith } = await startWithKey();
    expect((await issueWith({}, { kid: "k2" })).json.code).toBe("invalid_grant");
  });

  test("without assertion_type is refused as a bad request", async () => {
    const { c2m } = await startWithKey();
    const reply = await c2m.call("/auth/tokens/long", {
      headers: { "x-client-id": clientId },
      json: { grant_type: "assertion", client_id: clientId, assertion: "a.b.c" },
    });
    expect([reply.status, reply.json.code]).toEqual([400, "invalid_request"]);
  });
});
