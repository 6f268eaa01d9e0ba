import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Secret, TOTP } from "otpauth";
import { describe, expect, test } from "vitest";
import { allScopes, clientId, otpSeed, startLocalC2m } from "./local-c2m.ts";

describe("C2M's clock", () => {
  test("is what the times in its answers come from, and what ends its tokens", async () => {
    const c2m = await startLocalC2m({ clockAheadMs: 90_000 });
    const { json } = await c2m.issue({ ttl_seconds: 3_600 });
    expect(json).toMatchObject({ expires_in: 3_600, expires_at: "2026-01-01T01:01:30Z" });
    await c2m.clock.advanceTo("2026-01-01T00:59:59.999Z");
    expect((await c2m.account(json.access_token)).status).toBe(200);
    await c2m.clock.advanceTo("2026-01-01T01:00:00Z");
    expect((await c2m.account(json.access_token)).status).toBe(401);
    expect(c2m.engine.liveLongTokens()).toEqual([]);
  });

  test("may be turned while it runs", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue({ ttl_seconds: 3_600 });
    c2m.engine.knobs.clockAheadMs = 3_600_000;
    expect((await c2m.account(json.access_token)).status).toBe(401);
  });
});

describe("a one-time code", () => {
  const code = (at: number) => new TOTP({ secret: Secret.fromBase32(otpSeed) }).generate({ timestamp: at });
  const show = async (c2m: Awaited<ReturnType<typeof startLocalC2m>>, at: number) =>
    (await c2m.issue({ client_secret: undefined, otp_code: code(at) })).json.code;

  test.each([
    ["the one before", -1],
    ["the one to come", 30_000],
  ])("is that of the present half minute, not %s", async (_which, offsetMs) => {
    const c2m = await startLocalC2m();
    expect(await show(c2m, c2m.clock.now() + offsetMs)).toBe("invalid_grant");
    expect(await show(c2m, c2m.clock.now() + 29_999)).toBeUndefined();
  });

  test("that was made by a clock ahead of C2M's is refused in the first moments of its half minute", async () => {
    const c2m = await startLocalC2m({ clockAheadMs: -1_500 });
    await c2m.clock.advanceBy(30_000);
    expect(await show(c2m, c2m.clock.now())).toBe("invalid_grant");
    await c2m.clock.advanceBy(1_500);
    expect(await show(c2m, c2m.clock.now())).toBeUndefined();
  });

  test("may be one of those around it, by the knob", async () => {
    const c2m = await startLocalC2m();
    c2m.engine.knobs.otp = { ...c2m.engine.knobs.otp, window: 1 };
    const now = c2m.clock.now();
    for (const offsetMs of [-30_000, 0, 30_000]) expect(await show(c2m, now + offsetMs)).toBeUndefined();
    expect(await show(c2m, now + 60_000)).toBe("invalid_grant");
  });

  test("works once per client, and for another client with the same seed once more", async () => {
    const c2m = await startLocalC2m();
    c2m.engine.registerClient({ clientId: "c2m_other", otpSeed, scopes: allScopes });
    const now = c2m.clock.now();
    expect([await show(c2m, now), await show(c2m, now)]).toEqual([undefined, "invalid_grant"]);
    const asOther = await c2m.call("/auth/tokens/long", {
      headers: { "x-client-id": "c2m_other" },
      json: { grant_type: "client_credentials", client_id: "c2m_other", otp_code: code(now) },
    });
    expect(asOther.status).toBe(201);
  });
});

describe("an assertion", () => {
  const startWithKey = async (...[knobs]: Parameters<typeof startLocalC2m>) => {
    const c2m = await startLocalC2m(knobs);
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    c2m.engine.registerClient({ clientId, publicKeys: { k1: await exportJWK(publicKey) }, scopes: allScopes });
    let ids = 0;
    /** Times in seconds from the cloud's present. */
    const show = async (times: { iat?: number; nbf?: number; exp?: number }) => {
      const now = Math.floor(c2m.clock.now() / 1_000);
      const claims = Object.entries({ exp: 60, ...times }).map(([claim, seconds]) => [claim, now + seconds]);
      ids += 1;
      const aud = `${c2m.url}/auth/tokens/long`;
      const payload = { iss: clientId, sub: clientId, aud, jti: String(ids), ...Object.fromEntries(claims) };
      const assertion = await new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(privateKey);
      const { json } = await c2m.call("/auth/tokens/long", {
        headers: { "x-client-id": clientId },
        json: {
          grant_type: "assertion",
          client_id: clientId,
          assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
          assertion,
        },
      });
      return json.code;
    };
    return { c2m, show };
  };

  test("is refused when its iat is in the future, be it by a second, and taken when it is now", async () => {
    const { show } = await startWithKey();
    expect(await show({ iat: 1 })).toBe("invalid_grant");
    expect(await show({ iat: 0 })).toBeUndefined();
    expect(await show({ iat: -60 })).toBeUndefined();
  });

  test("that was made by a clock ahead of C2M's is refused, be it by a millisecond", async () => {
    const { show } = await startWithKey({ clockAheadMs: -1 });
    expect(await show({ iat: 0 })).toBe("invalid_grant");
    expect(await show({ iat: -60 })).toBeUndefined();
  });

  test.each([
    ["iat", { iat: 5 }],
    ["nbf", { nbf: 5 }],
    ["exp", { exp: -4 }],
  ])("may have its %s on the wrong side by as much as the knob says", async (_claim, times) => {
    const { c2m, show } = await startWithKey();
    expect(await show(times)).toBe("invalid_grant");
    c2m.engine.knobs.assertionLeewaySeconds = 5;
    expect(await show(times)).toBeUndefined();
  });
});
