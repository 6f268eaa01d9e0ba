import { describe, expect, test } from "vitest";
import { C2mEngine } from "../../c2m/engine.ts";
import { VirtualClock } from "../../clock.ts";
import { allScopes, clientId, clientSecret, startLocalC2m } from "./local-c2m.ts";

describe("revoking", () => {
  test("ends a token at once and answers 204 without a body", async () => {
    const c2m = await startLocalC2m();
    const [old, current] = [await c2m.issue(), await c2m.issue()];
    const { status, text } = await c2m.revoke(old.json.token_id, current.json.access_token);
    expect([status, text]).toEqual([204, ""]);
    expect((await c2m.account(old.json.access_token)).status).toBe(401);
    expect((await c2m.account(current.json.access_token)).status).toBe(200);
    expect(c2m.engine.liveLongTokens().map(({ id }) => id)).toEqual([current.json.token_id]);
  });

  test("can be done with a short token", async () => {
    const c2m = await startLocalC2m();
    const long = await c2m.issue();
    const short = await c2m.exchange(long.json.access_token);
    expect((await c2m.revoke(long.json.token_id, short.json.access_token)).status).toBe(204);
    expect(c2m.engine.liveLongTokens()).toEqual([]);
  });

  test("needs the scope tokens:revoke", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue({ scopes: ["jobs:submit"] });
    const reply = await c2m.revoke(json.token_id, json.access_token);
    expect([reply.status, reply.json.code]).toEqual([403, "insufficient_scope"]);
    expect(c2m.engine.liveLongTokens()).toHaveLength(1);
  });

  test("needs a token that works", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue();
    const reply = await c2m.revoke(json.token_id, "dead");
    expect([reply.status, reply.json.code]).toEqual([401, "invalid_token"]);
    expect(c2m.engine.liveLongTokens()).toHaveLength(1);
  });

  test("another client's token does nothing and is as revoking an unknown one", async () => {
    const c2m = await startLocalC2m();
    c2m.engine.registerClient({ clientId: "c2m_other", clientSecret: "x", scopes: allScopes });
    const theirs = await c2m.call("/auth/tokens/long", {
      headers: { "x-client-id": "c2m_other" },
      json: { grant_type: "client_credentials", client_id: "c2m_other", client_secret: "x" },
    });
    const ours = await c2m.issue();
    expect((await c2m.revoke(theirs.json.token_id, ours.json.access_token)).status).toBe(404);
    expect((await c2m.account(theirs.json.access_token)).status).toBe(200);
  });

  test("takes an id of any form, URL-encoded", async () => {
    const engine = new C2mEngine({ clock: new VirtualClock(), randomId: () => "a/b c?d%" });
    engine.registerClient({ clientId, clientSecret, scopes: allScopes });
    const issued = await engine.answer({
      method: "POST",
      path: "/auth/tokens/long",
      headers: { "X-Client-Id": clientId, "Content-Type": "application/json" },
      body: JSON.stringify({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret }),
    });
    const { access_token, token_id } = JSON.parse(issued.body);
    const revoked = await engine.answer({
      method: "POST",
      path: `/auth/tokens/${encodeURIComponent(token_id)}/revoke`,
      headers: { Authorization: `Bearer ${access_token}` },
      body: "",
    });
    expect(revoked.status).toBe(204);
    expect(engine.isLive("a/b c?d%")).toBe(false);
  });
});

describe("revoking what is not live", () => {
  test.each([204, 404] as const)("answers %i for a token revoked before, by the knob", async (revokeDeadStatus) => {
    const c2m = await startLocalC2m({ revokeDeadStatus });
    const [old, current] = [await c2m.issue(), await c2m.issue()];
    await c2m.revoke(old.json.token_id, current.json.access_token);
    const again = await c2m.revoke(old.json.token_id, current.json.access_token);
    expect(again.status).toBe(revokeDeadStatus);
  });

  test.each([204, 404] as const)("answers %i for an unknown id, by the knob", async (revokeUnknownStatus) => {
    const c2m = await startLocalC2m({ revokeUnknownStatus });
    const { json } = await c2m.issue();
    expect((await c2m.revoke("tok_lt_unknown", json.access_token)).status).toBe(revokeUnknownStatus);
    expect(c2m.engine.liveLongTokens()).toHaveLength(1);
  });
});

describe("with the knob", () => {
  test("revokeAnswer: 200-json, a revoke answers 200 with JSON", async () => {
    const c2m = await startLocalC2m({ revokeAnswer: "200-json" });
    const { json } = await c2m.issue();
    const reply = await c2m.revoke(json.token_id, json.access_token);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toBe("application/json");
  });

  test("selfRevocation: false, a token can revoke others but not itself", async () => {
    const c2m = await startLocalC2m({ selfRevocation: false });
    const [first, second] = [await c2m.issue(), await c2m.issue()];
    expect((await c2m.revoke(first.json.token_id, first.json.access_token)).status).toBe(403);
    expect((await c2m.revoke(second.json.token_id, first.json.access_token)).status).toBe(204);
  });

  test("insufficientScopeStatus: 401, a missing scope is answered so", async () => {
    const c2m = await startLocalC2m({ insufficientScopeStatus: 401 });
    const { json } = await c2m.issue({ scopes: ["jobs:submit"] });
    expect((await c2m.revoke(json.token_id, json.access_token)).status).toBe(401);
  });

  test("revocationDelayMs, a revoked token is let in until then, and no longer counts as live", async () => {
    const c2m = await startLocalC2m({ revocationDelayMs: 300_000 });
    const { json } = await c2m.issue();
    await c2m.revoke(json.token_id, json.access_token);
    expect(c2m.engine.isLive(String(json.token_id))).toBe(false);
    await c2m.clock.advanceBy(299_999);
    expect((await c2m.account(json.access_token)).status).toBe(200);
    await c2m.clock.advanceBy(1);
    expect((await c2m.account(json.access_token)).status).toBe(401);
  });

  test("revocationDelayMs, all that are revoked at once are let in until then, too", async () => {
    const c2m = await startLocalC2m({ revocationDelayMs: 300_000 });
    const { json } = await c2m.issue();
    c2m.engine.revokeEverything();
    expect(c2m.engine.liveLongTokens()).toEqual([]);
    expect((await c2m.account(json.access_token)).status).toBe(200);
    await c2m.clock.advanceBy(300_000);
    expect((await c2m.account(json.access_token)).status).toBe(401);
  });

  test.each([
    [false, 200],
    [true, 401],
  ])("revocationEndsShortTokens: %s, its short tokens get %i afterwards", async (revocationEndsShortTokens, status) => {
    const c2m = await startLocalC2m({ revocationEndsShortTokens });
    const [old, current] = [await c2m.issue(), await c2m.issue()];
    const short = await c2m.exchange(old.json.access_token);
    await c2m.revoke(old.json.token_id, current.json.access_token);
    expect((await c2m.account(short.json.access_token)).status).toBe(status);
  });

  test.each([
    [false, 200],
    [true, 401],
  ])(
    "revocationEndsShortTokens: %s, a short token made while a revocation bites late gets %i once it has bitten",
    async (revocationEndsShortTokens, status) => {
      const c2m = await startLocalC2m({ revocationEndsShortTokens, revocationDelayMs: 60_000 });
      const { json } = await c2m.issue();
      await c2m.revoke(json.token_id, json.access_token);
      const short = await c2m.exchange(json.access_token);
      expect((await c2m.account(short.json.access_token)).status).toBe(200);
      await c2m.clock.advanceBy(60_000);
      expect((await c2m.account(short.json.access_token)).status).toBe(status);
    },
  );

  test("revocationEndsShortTokens, a short token revoked before its long one ends when its own revocation bites", async () => {
    const c2m = await startLocalC2m({ revocationEndsShortTokens: true, revocationDelayMs: 60_000 });
    const long = await c2m.issue();
    const short = await c2m.exchange(long.json.access_token);
    await c2m.revoke(short.json.token_id, long.json.access_token);
    await c2m.clock.advanceBy(30_000);
    await c2m.revoke(long.json.token_id, long.json.access_token);
    await c2m.clock.advanceBy(30_000);
    expect((await c2m.account(short.json.access_token)).status).toBe(401);
    expect((await c2m.account(long.json.access_token)).status).toBe(200);
  });
});

test("C2M can revoke everything at once, and issues new tokens all the same", async () => {
  const c2m = await startLocalC2m();
  const [one, other] = [await c2m.issue(), await c2m.issue()];
  const short = await c2m.exchange(one.json.access_token);
  c2m.engine.revokeEverything();
  for (const { json } of [one, other, short]) expect((await c2m.account(json.access_token)).status).toBe(401);
  expect((await c2m.exchange(other.json.access_token)).json.code).toBe("invalid_token");
  expect((await c2m.account((await c2m.issue()).json.access_token)).status).toBe(200);
});
