import { describe, expect, test } from "vitest";
import { allScopes, startLocalC2m } from "./local-c2m.ts";

describe("a long token exchanged for a short one", () => {
  test("gives a token of 15 minutes with the same scopes and an id of its own", async () => {
    const c2m = await startLocalC2m();
    const long = await c2m.issue();
    const { status, json, headers } = await c2m.exchange(long.json.access_token);
    expect(status).toBe(201);
    expect(json).toMatchObject({ token_type: "Bearer", expires_in: 900, scopes: allScopes });
    expect(json.token_id).not.toBe(long.json.token_id);
    expect(headers.has("x-token-id")).toBe(false);
    expect((await c2m.account(json.access_token)).status).toBe(200);
  });

  test("is left as it is", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue();
    await c2m.exchange(json.access_token);
    expect(c2m.engine.liveLongTokens().map(({ id }) => id)).toEqual([json.token_id]);
  });

  test("ends after 15 minutes", async () => {
    const c2m = await startLocalC2m();
    const short = await c2m.exchange((await c2m.issue()).json.access_token);
    await c2m.clock.advanceBy(900_000);
    expect((await c2m.account(short.json.access_token)).status).toBe(401);
  });

  test("ends when the knob shortTokenSeconds says so", async () => {
    const c2m = await startLocalC2m({ shortTokenSeconds: 60 });
    const short = await c2m.exchange((await c2m.issue()).json.access_token);
    expect(short.json.expires_in).toBe(60);
    await c2m.clock.advanceBy(60_000);
    expect((await c2m.account(short.json.access_token)).status).toBe(401);
  });

  test("can be narrowed to one scope", async () => {
    const c2m = await startLocalC2m();
    const short = await c2m.exchange((await c2m.issue()).json.access_token, { scopes: ["jobs:read"] });
    expect(short.json.scopes).toEqual(["jobs:read"]);
  });

  test("can't be widened", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue({ scopes: ["jobs:read"] });
    expect((await c2m.exchange(json.access_token, { scopes: ["jobs:submit"] })).status).toBe(400);
  });

  test("with ungrantedScopes: drop, gets only the scopes that it has", async () => {
    const c2m = await startLocalC2m({ ungrantedScopes: "drop" });
    const { json } = await c2m.issue({ scopes: ["jobs:read"] });
    const short = await c2m.exchange(json.access_token, { scopes: ["jobs:submit", "jobs:read"] });
    expect(short.json.scopes).toEqual(["jobs:read"]);
  });

  test("may repeat itself in long_token, but not name another", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue();
    expect((await c2m.exchange(json.access_token, { long_token: json.access_token })).status).toBe(201);
    expect((await c2m.exchange(json.access_token, { long_token: "other" })).status).toBe(400);
  });

  test("is refused with an unknown field", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue();
    expect((await c2m.exchange(json.access_token, { ttl_seconds: 60 })).status).toBe(400);
  });
});

describe("the exchange is refused with invalid_token", () => {
  test("without a bearer token, also with long_token in the body", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue();
    const reply = await c2m.call("/auth/tokens/short", { json: { long_token: json.access_token } });
    expect([reply.status, reply.json.code]).toEqual([401, "invalid_token"]);
  });

  test("for a short token", async () => {
    const c2m = await startLocalC2m();
    const short = await c2m.exchange((await c2m.issue()).json.access_token);
    expect((await c2m.exchange(short.json.access_token)).json.code).toBe("invalid_token");
  });

  test("for a revoked token", async () => {
    const c2m = await startLocalC2m();
    const { json } = await c2m.issue();
    await c2m.revoke(json.token_id, json.access_token);
    expect((await c2m.exchange(json.access_token)).json.code).toBe("invalid_token");
  });
});
