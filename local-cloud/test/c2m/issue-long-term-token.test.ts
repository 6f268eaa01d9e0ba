import { Secret, TOTP } from "otpauth";
import { describe, expect, test } from "vitest";
import { type Ask, allScopes, clientId, clientSecret, otpSeed, startLocalC2m } from "./local-c2m.ts";

const valid = { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret };
const bearerGrant = { grant_type: "client_credentials", client_id: clientId };
const clientKey = { "x-client-id": clientId };

describe("an issued long token", () => {
  test("comes with the fields of the description and its id in the body and in X-Token-Id", async () => {
    const c2m = await startLocalC2m();
    const { status, headers, json } = await c2m.issue({ scopes: ["jobs:submit"], ttl_seconds: 3600 });
    expect(status).toBe(201);
    expect(json).toEqual({
      token_type: "Bearer",
      access_token: expect.any(String),
      expires_in: 3600,
      expires_at: "2026-01-01T01:00:00Z",
      scopes: ["jobs:submit"],
      token_id: expect.stringMatching(/^tok_lt_[0-9a-f]{6}$/),
    });
    expect(headers.get("x-token-id")).toBe(json.token_id);
  });

  test("has 1,821 characters in five parts, as a recorded one had", async () => {
    const c2m = await startLocalC2m();
    const token = String((await c2m.issue()).json.access_token);
    expect(token).toHaveLength(1821);
    expect(token.split(".")).toHaveLength(5);
  });

  test("is one of several that live side by side", async () => {
    const c2m = await startLocalC2m();
    const [first, second] = [await c2m.issue(), await c2m.issue()];
    expect((await c2m.account(first.json.access_token)).status).toBe(200);
    expect((await c2m.account(second.json.access_token)).status).toBe(200);
    expect(c2m.engine.liveLongTokens().map(({ id }) => id)).toEqual([first.json.token_id, second.json.token_id]);
  });

  test("ends at expires_at, not before", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue({ ttl_seconds: 3600 });
    await c2m.clock.advanceTo(new Date(String(json.expires_at)).getTime() - 1);
    expect((await c2m.account(json.access_token)).status).toBe(200);
    await c2m.clock.advanceBy(1);
    expect((await c2m.account(json.access_token)).status).toBe(401);
    expect(c2m.engine.liveLongTokens()).toEqual([]);
  });

  test("lives for 30 days when no lifetime is asked for", async () => {
    const c2m = await startLocalC2m();
    expect((await c2m.issue()).json.expires_in).toBe(30 * 24 * 3600);
  });

  test("has all of the client's scopes when none are asked for", async () => {
    const c2m = await startLocalC2m();
    expect((await c2m.issue()).json.scopes).toEqual(allScopes);
  });
});

describe("a mechanism", () => {
  const otp = (at: number) => new TOTP({ secret: Secret.fromBase32(otpSeed) }).generate({ timestamp: at });

  test("client_credentials with a one-time code issues a token", async () => {
    const c2m = await startLocalC2m();
    const reply = await c2m.issue({ client_secret: undefined, otp_code: otp(c2m.clock.now()) });
    expect(reply.status).toBe(201);
  });

  test("a one-time code works once, the next period's code again", async () => {
    const c2m = await startLocalC2m();
    const code = otp(c2m.clock.now());
    await c2m.issue({ client_secret: undefined, otp_code: code });
    const again = await c2m.issue({ client_secret: undefined, otp_code: code });
    expect([again.status, again.json.code]).toEqual([400, "invalid_grant"]);
    await c2m.clock.advanceBy(30_000);
    const next = await c2m.issue({ client_secret: undefined, otp_code: otp(c2m.clock.now()) });
    expect(next.status).toBe(201);
  });

  test("a one-time code of two minutes ago is refused", async () => {
    const c2m = await startLocalC2m();
    const old = otp(c2m.clock.now() - 120_000);
    expect((await c2m.issue({ client_secret: undefined, otp_code: old })).json.code).toBe("invalid_grant");
  });

  test("a short token with tokens:write issues a long one without X-Client-Id", async () => {
    const c2m = await startLocalC2m();
    const short = await c2m.exchange((await c2m.issue()).json.access_token);
    const reply = await c2m.call("/auth/tokens/long", {
      bearer: short.json.access_token,
      json: { grant_type: "client_credentials", client_id: clientId },
    });
    expect(reply.status).toBe(201);
  });

  test("a short token without tokens:write is refused with insufficient_scope", async () => {
    const c2m = await startLocalC2m();
    const short = await c2m.exchange((await c2m.issue()).json.access_token, { scopes: ["jobs:read"] });
    const json = { grant_type: "client_credentials", client_id: clientId };
    const reply = await c2m.call("/auth/tokens/long", { bearer: short.json.access_token, json });
    expect([reply.status, reply.json.code]).toEqual([403, "insufficient_scope"]);
  });

  test("a long token in the place of the short one is refused with invalid_token", async () => {
    const c2m = await startLocalC2m();
    const { json: long } = await c2m.issue();
    const json = { grant_type: "client_credentials", client_id: clientId };
    const reply = await c2m.call("/auth/tokens/long", { bearer: long.access_token, json });
    expect([reply.status, reply.json.code]).toEqual([401, "invalid_token"]);
  });

  test("a short token of another client is refused with invalid_grant", async () => {
    const c2m = await startLocalC2m();
    c2m.engine.registerClient({ clientId: "c2m_other", clientSecret: "x", scopes: allScopes });
    const short = await c2m.exchange((await c2m.issue()).json.access_token);
    const json = { grant_type: "client_credentials", client_id: "c2m_other" };
    const reply = await c2m.call("/auth/tokens/long", { bearer: short.json.access_token, json });
    expect([reply.status, reply.json.code]).toEqual([400, "invalid_grant"]);
  });
});

describe("a short token as the mechanism", () => {
  test.each([
    ["either", 201, 201],
    ["exactly-one", 201, 400],
    ["both", 401, 201],
  ] as const)(
    "is taken with longTokenAuthorization: %s answered %i alone and %i with X-Client-Id",
    async (longTokenAuthorization, alone, together) => {
      const c2m = await startLocalC2m();
      const short = await c2m.exchange((await c2m.issue()).json.access_token);
      c2m.engine.knobs.longTokenAuthorization = longTokenAuthorization;
      const ask = { bearer: short.json.access_token, json: bearerGrant };
      expect((await c2m.call("/auth/tokens/long", ask)).status).toBe(alone);
      expect((await c2m.call("/auth/tokens/long", { ...ask, headers: clientKey })).status).toBe(together);
    },
  );

  test("is not wanted with a client secret, whatever the knob", async () => {
    const c2m = await startLocalC2m({ longTokenAuthorization: "both" });
    expect((await c2m.issue()).status).toBe(201);
  });
});

describe("a refused request issues nothing:", () => {
  const refusals: [what: string, ask: Ask, status: number, code: string][] = [
    ["no X-Client-Id", { json: valid }, 401, "invalid_token"],
    ["X-Client-Id of another client", { headers: { "x-client-id": "c2m_x" }, json: valid }, 400, "invalid_grant"],
    ["a wrong client secret", { headers: clientKey, json: { ...valid, client_secret: "no" } }, 400, "invalid_grant"],
    [
      "a one-time code that is none",
      { headers: clientKey, json: { ...valid, client_secret: undefined, otp_code: "x" } },
      400,
      "invalid_grant",
    ],
    [
      "an unknown client",
      { headers: { "x-client-id": "a" }, json: { ...valid, client_id: "a" } },
      400,
      "invalid_grant",
    ],
    ["a dead bearer token", { bearer: "dead", json: { ...valid, client_secret: undefined } }, 401, "invalid_token"],
    ["two mechanisms", { headers: clientKey, json: { ...valid, otp_code: "123456" } }, 400, "invalid_request"],
    ["no mechanism", { headers: clientKey, json: { ...valid, client_secret: undefined } }, 400, "invalid_request"],
    [
      "a secret with grant_type assertion",
      { headers: clientKey, json: { ...valid, grant_type: "assertion" } },
      400,
      "invalid_request",
    ],
    ["another grant_type", { headers: clientKey, json: { ...valid, grant_type: "password" } }, 400, "invalid_request"],
    ["no grant_type", { headers: clientKey, json: { ...valid, grant_type: undefined } }, 400, "invalid_request"],
    ["no client_id", { headers: clientKey, json: { ...valid, client_id: undefined } }, 400, "invalid_request"],
    [
      "an assertion_type without an assertion",
      {
        headers: clientKey,
        json: { ...valid, assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" },
      },
      400,
      "invalid_request",
    ],
    ["an unknown field", { headers: clientKey, json: { ...valid, name: "x" } }, 400, "invalid_request"],
    ["ttl_seconds below 3600", { headers: clientKey, json: { ...valid, ttl_seconds: 3599 } }, 400, "invalid_request"],
    [
      "ttl_seconds above 7776000",
      { headers: clientKey, json: { ...valid, ttl_seconds: 7_776_001 } },
      400,
      "invalid_request",
    ],
    [
      "ttl_seconds that is no integer",
      { headers: clientKey, json: { ...valid, ttl_seconds: 3600.5 } },
      400,
      "invalid_request",
    ],
    ["ttl_seconds as a text", { headers: clientKey, json: { ...valid, ttl_seconds: "3600" } }, 400, "invalid_request"],
    ["scopes as a text", { headers: clientKey, json: { ...valid, scopes: "jobs:submit" } }, 400, "invalid_request"],
    [
      "a scope that the client does not have",
      { headers: clientKey, json: { ...valid, scopes: ["admin"] } },
      403,
      "insufficient_scope",
    ],
    ["no body", { headers: clientKey }, 400, "invalid_request"],
    [
      "a body that is not JSON",
      { headers: { ...clientKey, "content-type": "application/json" }, body: "{" },
      400,
      "invalid_request",
    ],
    [
      "a body that is a list",
      { headers: { ...clientKey, "content-type": "application/json" }, body: "[]" },
      400,
      "invalid_request",
    ],
    [
      "another content type",
      { headers: { ...clientKey, "content-type": "text/plain" }, body: JSON.stringify(valid) },
      400,
      "invalid_request",
    ],
  ];
  test.each(refusals)("%s", async (_what, ask, status, code) => {
    const c2m = await startLocalC2m();
    const reply = await c2m.call("/auth/tokens/long", ask);
    expect([reply.status, reply.json.code]).toEqual([status, code]);
    expect(c2m.engine.tokens).toEqual([]);
  });

  test("a client secret together with a bearer token", async () => {
    const c2m = await startLocalC2m();
    const short = await c2m.exchange((await c2m.issue()).json.access_token);
    const reply = await c2m.call("/auth/tokens/long", {
      headers: clientKey,
      bearer: short.json.access_token,
      json: valid,
    });
    expect([reply.status, reply.json.code]).toEqual([400, "invalid_request"]);
    expect(c2m.engine.liveLongTokens()).toHaveLength(1);
  });

  test("a short token with X-Client-Id of another client", async () => {
    const c2m = await startLocalC2m();
    const short = await c2m.exchange((await c2m.issue()).json.access_token);
    const ask = { headers: { "x-client-id": "c2m_x" }, bearer: short.json.access_token, json: bearerGrant };
    expect((await c2m.call("/auth/tokens/long", ask)).json.code).toBe("invalid_grant");
  });

  test("with the old secret, once the client has a new one", async () => {
    const c2m = await startLocalC2m();
    c2m.engine.registerClient({ clientId, clientSecret: "new", scopes: allScopes });
    expect((await c2m.issue()).status).toBe(400);
    expect((await c2m.issue({ client_secret: "new" })).status).toBe(201);
  });
});
