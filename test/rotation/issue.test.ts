import { describe, expect, it } from "vitest";
import { metricNames } from "../../src/formats/metrics.ts";
import type { TokenUser } from "../../src/ports/c2m.ts";
import { missingScopes } from "../../src/rotation/prove.ts";
import { createSecret } from "../../src/rotation/steps/create-secret.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

const minute = 60_000;

describe("issuing a token", () => {
  it("writes started, then issued, with one attempt id and the latest time at which the token can expire", async () => {
    const world = await World.ready({ settings: { lifetimeSeconds: 7_200 } });
    const version = await world.open();
    world.log.length = 0;
    await world.run("createSecret", version);
    expect(world.log.map(({ event }) => event)).toEqual([
      "step.started",
      "token.issue.started",
      "token.issued",
      "token.stored",
      "step.succeeded",
    ]);
    const [started] = world.events("token.issue.started");
    const [issued] = world.events("token.issued");
    const { token_id, expires_at } = world.value(version);
    // 120 s for the function, 7200 s to live, 10 minutes for clocks that differ.
    expect(started).toEqual({
      secret: world.arn,
      version_id: version,
      attempt_id: expect.any(String),
      client_id: "c2m_client",
      base_url: "https://c2m.test/v2",
      latest_expires_at: "2026-01-01T02:12:00.000Z",
    });
    expect(issued).toEqual({
      secret: world.arn,
      version_id: version,
      attempt_id: started?.attempt_id,
      token_id,
      expires_at,
      client_id: "c2m_client",
      base_url: "https://c2m.test/v2",
    });
    expect(world.events("token.stored")).toMatchObject([
      { secret: world.arn, version_id: version, token_id, expires_at },
    ]);
  });

  it("asks for the scopes and the lifetime of the settings", async () => {
    const world = await World.ready({ settings: { scopes: ["jobs:read", "tokens:revoke"], lifetimeSeconds: 3_600 } });
    expect(world.current()).toMatchObject({
      scopes: ["jobs:read", "tokens:revoke"],
      expires_at: "2026-01-01T01:00:00Z",
    });
  });

  it("keeps back the time to store or to revoke what it issues: with less than that it issues nothing", async () => {
    const world = await World.ready();
    const version = await world.open();
    const context = world.context({ deadline: world.clock.now() + 20_000 });
    const target = { versionId: version, rotationToken: undefined };
    expect((await failureOf(createSecret(context, target))).code).toBe("no_time");
    expect(world.issued()).toHaveLength(1);
    expect(world.events("token.issue.refused").map(({ code }) => code)).toEqual(["no_time"]);
  });

  it("reckons the latest expiry from now where the deadline is past", async () => {
    const world = new World({ timeoutSeconds: -60, settings: { lifetimeSeconds: 3_600 } });
    await failureOf(world.bootstrap());
    expect(world.events("token.issue.started")[0]?.latest_expires_at).toBe("2026-01-01T01:10:00.000Z");
  });

  it("says that no token was made when C2M refuses", async () => {
    const world = await World.ready();
    world.c2mEngine.registerClient({ clientId: "c2m_client", clientSecret: "changed", scopes: [] });
    const version = await world.open();
    const failure = await failureOf(world.run("createSecret", version));
    expect(failure).toMatchObject({ name: "PermanentError", code: "invalid_grant" });
    const [started] = world.events("token.issue.started").slice(-1);
    expect(world.events("token.issue.refused")).toMatchObject([
      { secret: world.arn, version_id: version, attempt_id: started?.attempt_id, code: "invalid_grant" },
    ]);
    expect(world.metrics.map(({ name }) => name)).not.toContain(metricNames.issueAmbiguous);
  });

  it("leaves a suspect, and a metric, when the answer is lost after the request was sent; it is not repeated", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.fail("issueLongTermToken", { kind: "cut", when: "after" });
    const failure = await failureOf(world.run("createSecret", version));
    expect(failure).toMatchObject({ name: "AmbiguousError", code: "no_answer" });
    const attempt_id = world.events("token.issue.started").at(-1)?.attempt_id;
    expect(world.events("token.issue.ambiguous")).toMatchObject([
      { secret: world.arn, version_id: version, attempt_id, code: "no_answer" },
    ]);
    expect(world.events("token.issued").map((event) => event.attempt_id)).not.toContain(attempt_id);
    expect(world.events("token.issue.refused")).toEqual([]);
    expect(world.metrics).toContainEqual({ name: metricNames.issueAmbiguous, value: 1 });
    expect(world.issued()).toHaveLength(2);
  });

  it("revokes a token whose answer was unusable but whose id came in the header, and has it in the ledger", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.fail("issueLongTermToken", { kind: "garble", status: 201, body: "<html>" });
    expect((await failureOf(world.run("createSecret", version))).code).toBe("bad_answer");
    const lost = world.issued()[1];
    const [started] = world.events("token.issue.started").slice(-1);
    expect(world.events("token.issued").at(-1)).toMatchObject({
      secret: world.arn,
      version_id: version,
      attempt_id: started?.attempt_id,
      token_id: lost,
      expires_at: started?.latest_expires_at,
      client_id: "c2m_client",
    });
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("reports the lost answer, not the failed revocation after it", async () => {
    const world = await World.ready();
    world.fail("issueLongTermToken", { kind: "garble", status: 201, body: "<html>" });
    world.fail("GetSecretValue", { kind: "error", status: 500, code: "InternalServiceError", message: "" }, Infinity);
    const failure = await failureOf(world.bootstrap()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "store_unavailable" });
    world.faults.clear();
    const version = await world.open();
    world.fail("issueLongTermToken", { kind: "garble", status: 201, body: "<html>" });
    world.fail("revokeToken", { kind: "cut", when: "before" }, Infinity);
    expect((await failureOf(world.run("createSecret", version))).code).toBe("bad_answer");
    expect(world.events("token.revocation.failed")).toHaveLength(1);
    expect(world.live()).toHaveLength(2);
  });

  it("reports a lost token with its expiry where no token of the client is at hand to revoke it with", async () => {
    const world = new World();
    world.fail("issueLongTermToken", { kind: "garble", status: 201, body: "<html>" });
    expect((await failureOf(world.bootstrap())).code).toBe("bad_answer");
    expect(world.events("token.unrevocable")).toMatchObject([
      { secret: world.arn, token_id: world.live()[0], expires_at: expect.any(String) },
    ]);
  });

  it.each([
    ["a lost answer", (world: World) => world.fail("issueLongTermToken", { kind: "garble", status: 201, body: "<" })],
    ["a refusing store", (world: World) => world.fail("PutSecretValue", "AccessDeniedException")],
  ])("does not hide that something unexpected breaks the revocation after %s", async (_, spoil) => {
    const world = await World.ready();
    const version = await world.open();
    spoil(world);
    const c2m: TokenUser = { ...world.c2m, revokeToken: () => Promise.reject(new TypeError("x")) };
    const target = { versionId: version, rotationToken: undefined };
    await expect(createSecret(world.context({ c2mAt: () => c2m }), target)).rejects.toBeInstanceOf(TypeError);
  });

  it("leaves a suspect when something unexpected breaks the call", async () => {
    const world = await World.ready();
    const version = await world.open();
    const broken = { ...world.c2m, issueLongTermToken: () => Promise.reject(new TypeError("x is not a function")) };
    const target = { versionId: version, rotationToken: undefined };
    await expect(createSecret(world.context({ issuer: broken }), target)).rejects.toBeInstanceOf(TypeError);
    expect(world.log.at(-1)?.event).toBe("token.issue.started");
  });
});

describe("a token without all scopes that were asked for", () => {
  it("is revoked, and the step fails and names them", async () => {
    const world = await World.ready({ c2mKnobs: { ungrantedScopes: "drop" } });
    world.settings.scopes = ["jobs:submit", "reports:read", "reports:write", "tokens:revoke"];
    const version = await world.open();
    const failure = await failureOf(world.run("createSecret", version));
    expect(failure).toMatchObject({ name: "PermanentError", code: "scopes_missing" });
    expect(failure.message).toBe(
      "scopes: C2M issued a token without reports:read, reports:write. Have Click2Mail allow these scopes for the client, or take them out of the stack's settings.",
    );
    expect(world.live()).toEqual([world.current().token_id]);
    expect(world.countCalls("secretsmanager").PutSecretValue).toBe(1);
  });

  it("is taken as it is when C2M does not tell the scopes", async () => {
    const world = await World.ready({ c2mKnobs: { scopesInBody: false } });
    await world.rotate();
    expect(world.failures).toEqual([]);
    expect(world.current().scopes).toBeUndefined();
  });

  it("may have more than was asked for", () => {
    expect(missingScopes(["a"], ["b", "a"])).toEqual([]);
    expect(missingScopes(["a", "c"], ["b", "a"])).toEqual(["c"]);
    expect(missingScopes(["a"], undefined)).toEqual([]);
    expect(missingScopes(["a"], [])).toEqual(["a"]);
  });
});

describe("a lifetime that C2M clamped", () => {
  it("is promoted when it ends later than the current one, with a metric and the figures", async () => {
    const world = await World.ready();
    world.c2mEngine.knobs.maximumTtlSeconds = 30 * 86_400;
    await world.clock.advanceBy(31 * 86_400_000);
    world.metrics.length = 0;
    const version = await world.rotate();
    expect(world.holder("AWSCURRENT")).toBe(version);
    expect(world.events("token.lifetime.clamped").at(-1)).toMatchObject({
      secret: world.arn,
      version_id: version,
      asked_seconds: 60 * 86_400,
      granted_seconds: 30 * 86_400,
    });
    expect(world.metrics).toContainEqual({ name: metricNames.lifetimeClamped, value: 1 });
    expect(world.metrics).toContainEqual({ name: metricNames.lifetimeGranted, value: 30 * 86_400 });
  });

  it("is not used when it would end before the current one: that stays, and the new token is revoked", async () => {
    const world = await World.ready();
    const current = world.current().token_id;
    world.c2mEngine.knobs.maximumTtlSeconds = 30 * 86_400;
    const version = await world.open();
    const failure = await failureOf(world.run("createSecret", version));
    expect(failure).toMatchObject({ name: "PermanentError", code: "lifetime_clamped" });
    expect(failure.message).toContain("granted 2592000 s where 5184000 s were asked for");
    expect(world.live()).toEqual([current]);
  });

  it("is not used when it would end together with the current one", async () => {
    const world = await World.ready({ settings: { lifetimeSeconds: 7_200 } });
    world.c2mEngine.knobs.maximumTtlSeconds = 3_600;
    await world.clock.advanceBy(3_600_000);
    const version = await world.open();
    expect((await failureOf(world.run("createSecret", version))).code).toBe("lifetime_clamped");
  });

  it.each([
    ["a plain string", { initialValue: "plain" }],
    ["other JSON", { initialValue: "{}" }],
    ["nothing", {}],
  ])("is used where %s is current", async (_, holds) => {
    const world = new World({ c2mKnobs: { maximumTtlSeconds: 3_600 }, ...holds });
    await world.enableRotation({ immediately: true });
    expect(world.failures).toEqual([]);
    expect(world.current().expires_at).toBe("2026-01-01T01:00:00Z");
  });

  it("is judged by what C2M says that it granted, to the minute", async () => {
    const world = await World.ready({ settings: { lifetimeSeconds: 7_200 } });
    for (const [seconds, clamped] of [
      [7_200 - 60, 0],
      [7_200 - 61, 1],
    ] as const) {
      await world.clock.advanceBy(20 * minute);
      world.c2mEngine.knobs.maximumTtlSeconds = seconds;
      await world.rotate();
      expect(world.events("token.lifetime.clamped")).toHaveLength(clamped);
    }
    expect(world.failures).toEqual([]);
  });
});

describe("a token without an id", () => {
  it("is rotated all the same, and reported with its expiry when it is superseded", async () => {
    const world = await World.ready({ c2mKnobs: { tokenIdInBody: false, tokenIdInHeader: false } });
    const { expires_at } = world.current();
    await world.rotate();
    expect(world.failures).toEqual([]);
    expect(world.current().token_id).toBeUndefined();
    expect(world.events("token.unrevocable")).toMatchObject([
      { secret: world.arn, token_id: undefined, expires_at, reason: "C2M gave no token id" },
    ]);
  });

  it("takes its id from the header where the body has none", async () => {
    const world = await World.ready({ c2mKnobs: { tokenIdInBody: false } });
    await world.rotate();
    expect(world.live()).toEqual([world.current().token_id]);
  });
});
