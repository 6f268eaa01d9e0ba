import { Secret, TOTP } from "otpauth";
import { describe, expect, test } from "vitest";
import { otpSeed, startLocalC2m } from "./local-c2m.ts";

describe("issuing with the knob", () => {
  test("maximumTtlSeconds, a longer lifetime is clamped and the answer says so", async () => {
    const c2m = await startLocalC2m({ maximumTtlSeconds: 7200 });
    expect((await c2m.issue({ ttl_seconds: 86_400 })).json).toMatchObject({
      expires_in: 7200,
      expires_at: "2026-01-01T02:00:00Z",
    });
    expect((await c2m.issue({ ttl_seconds: 3600 })).json.expires_in).toBe(3600);
  });

  test("ungrantedScopes: drop, a scope that the client does not have is left out", async () => {
    const c2m = await startLocalC2m({ ungrantedScopes: "drop" });
    expect((await c2m.issue({ scopes: ["jobs:read", "admin"] })).json.scopes).toEqual(["jobs:read"]);
  });

  test("withheldScopes, a scope is left out from then on, whoever has it", async () => {
    const c2m = await startLocalC2m();
    const before = await c2m.issue();
    c2m.engine.knobs.withheldScopes = ["jobs:submit"];
    const { status, json } = await c2m.issue({ scopes: ["jobs:submit", "jobs:read"] });
    expect([status, json.scopes]).toEqual([201, ["jobs:read"]]);
    expect((await c2m.exchange(before.json.access_token)).json.scopes).not.toContain("jobs:submit");
    expect(before.json.scopes).toContain("jobs:submit");
  });

  test("maximumTtlSeconds, lifetimes are clamped from now on", async () => {
    const c2m = await startLocalC2m();
    expect((await c2m.issue({ ttl_seconds: 86_400 })).json.expires_in).toBe(86_400);
    c2m.engine.knobs.maximumTtlSeconds = 3_600;
    expect((await c2m.issue({ ttl_seconds: 86_400 })).json.expires_in).toBe(3_600);
  });

  test("sameTokenAgain, the newest live token with these scopes is given once more", async () => {
    const c2m = await startLocalC2m({ sameTokenAgain: true });
    const first = await c2m.issue({ scopes: ["jobs:read", "tokens:revoke"], ttl_seconds: 7_200 });
    await c2m.clock.advanceBy(600_000);
    const again = await c2m.issue({ scopes: ["tokens:revoke", "jobs:read"], ttl_seconds: 86_400 });
    expect(again.status).toBe(201);
    expect(again.json).toEqual({ ...first.json, expires_in: 6_600 });
    expect(again.headers.get("x-token-id")).toBe(first.json.token_id);
    expect((await c2m.issue({ scopes: ["jobs:read"] })).json.token_id).not.toBe(first.json.token_id);
    await c2m.revoke(first.json.token_id, first.json.access_token);
    const other = await c2m.issue({ scopes: ["jobs:read", "tokens:revoke"] });
    expect(other.json.token_id).not.toBe(first.json.token_id);
  });

  test.each([
    ["tokenIdInBody", (id: unknown, header: string | null) => [header, id]],
    ["tokenIdInHeader", (id: unknown, header: string | null) => [id, header]],
  ])("%s: another, that place tells an id that no token has", async (knob, tell) => {
    const c2m = await startLocalC2m({ [knob]: "another" });
    const { headers, json } = await c2m.issue();
    const [right, wrong] = tell(json.token_id, headers.get("x-token-id"));
    expect(wrong).toMatch(/^tok_lt_/);
    expect((await c2m.revoke(wrong, json.access_token)).json.code).toBe("not_found");
    expect((await c2m.revoke(right, json.access_token)).status).toBe(204);
    expect(c2m.engine.liveLongTokens()).toEqual([]);
  });

  test("issueStatus: 200, both issue calls answer 200", async () => {
    const c2m = await startLocalC2m({ issueStatus: 200 });
    const long = await c2m.issue();
    expect([long.status, (await c2m.exchange(long.json.access_token)).status]).toEqual([200, 200]);
  });

  test.each([
    { tokenIdInBody: true, tokenIdInHeader: false },
    { tokenIdInBody: false, tokenIdInHeader: true },
    { tokenIdInBody: false, tokenIdInHeader: false },
  ])("%o, the token's id is told there only", async (knobs) => {
    const c2m = await startLocalC2m(knobs);
    const { headers, json } = await c2m.issue();
    expect({ tokenIdInBody: "token_id" in json, tokenIdInHeader: headers.has("x-token-id") }).toEqual(knobs);
  });

  test("scopesInBody: false, the scopes are not told and yet hold", async () => {
    const c2m = await startLocalC2m({ scopesInBody: false });
    const { json } = await c2m.issue({ scopes: ["jobs:read"] });
    expect(json).not.toHaveProperty("scopes");
    expect((await c2m.revoke(json.token_id, json.access_token)).status).toBe(403);
  });

  test("expiresAtMilliseconds, expires_at has milliseconds and means the same time", async () => {
    const c2m = await startLocalC2m({ expiresAtMilliseconds: true });
    await c2m.clock.advanceBy(123);
    const { json } = await c2m.issue({ ttl_seconds: 3600 });
    expect(json.expires_at).toBe("2026-01-01T01:00:00.000Z");
    expect(c2m.engine.liveLongTokens()[0]?.expiresAt).toBe(Date.parse("2026-01-01T01:00:00Z"));
  });

  test("activationDelayMs, a new token is refused with 401 until then and works from then on", async () => {
    const c2m = await startLocalC2m({ activationDelayMs: 5000 });
    const { json } = await c2m.issue();
    await c2m.clock.advanceBy(4999);
    expect((await c2m.exchange(json.access_token)).json.code).toBe("invalid_token");
    await c2m.clock.advanceBy(1);
    expect((await c2m.exchange(json.access_token)).status).toBe(201);
  });

  test("shortActivationDelayMs, a new short token is refused until then and works from then on", async () => {
    const c2m = await startLocalC2m({ shortActivationDelayMs: 300 });
    const long = await c2m.issue();
    const { json } = await c2m.exchange(long.json.access_token);
    await c2m.clock.advanceBy(299);
    expect((await c2m.account(json.access_token)).status).toBe(401);
    expect((await c2m.account(long.json.access_token)).status).toBe(200);
    await c2m.clock.advanceBy(1);
    expect((await c2m.account(json.access_token)).status).toBe(200);
  });

  test("wrongCredentialsStatus: 401, wrong credentials are answered so, with the recorded body", async () => {
    const c2m = await startLocalC2m({ wrongCredentialsStatus: 401 });
    const { status, json } = await c2m.issue({ client_secret: "wrong" });
    expect(status).toBe(401);
    expect(json).toEqual({ code: "invalid_grant", message: "Invalid client credentials" });
  });

  test("tokenFormat and tokenLength, a token has that shape", async () => {
    const c2m = await startLocalC2m({ tokenFormat: "opaque", tokenLength: 43 });
    expect((await c2m.issue()).json.access_token).toMatch(/^[\w-]{43}$/);
  });

  test("defaultTtlSeconds, that is the lifetime when none is asked for", async () => {
    const c2m = await startLocalC2m({ defaultTtlSeconds: 4000 });
    expect((await c2m.issue()).json.expires_in).toBe(4000);
    expect((await c2m.issue({ ttl_seconds: 5000 })).json.expires_in).toBe(5000);
  });

  test("otp, one-time codes are made so and no longer by the default", async () => {
    const c2m = await startLocalC2m({ otp: { algorithm: "SHA256", digits: 8, periodSeconds: 60, window: 0 } });
    const secret = Secret.fromBase32(otpSeed);
    const timestamp = c2m.clock.now();
    const code = new TOTP({ secret, algorithm: "SHA256", digits: 8, period: 60 }).generate({ timestamp });
    const usual = new TOTP({ secret }).generate({ timestamp });
    expect((await c2m.issue({ client_secret: undefined, otp_code: usual })).status).toBe(400);
    expect((await c2m.issue({ client_secret: undefined, otp_code: code })).status).toBe(201);
  });

  test("a knob turned while the engine runs holds from then on", async () => {
    const c2m = await startLocalC2m();
    c2m.engine.knobs.issueStatus = 200;
    expect((await c2m.issue()).status).toBe(200);
  });
});
