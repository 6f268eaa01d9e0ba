import { describe, expect, it } from "vitest";
import { decommissionLabel } from "../../src/formats/labels.ts";
import { metricNames } from "../../src/formats/metrics.ts";
import { parseValue } from "../../src/formats/stored-token.ts";
import type { SecretStore } from "../../src/ports/secret-store.ts";
import type { Sensitive } from "../../src/ports/sensitive.ts";
import { runBootstrap } from "../../src/rotation/steps/run-step.ts";
import { clientSecret, failureOf, scopes, World } from "../harness/rotation-world.ts";

const minute = 60_000;
const day = 86_400_000;
const rejected = { kind: "error", status: 401, code: "invalid_token", message: "" } as const;

describe("the bootstrap of an empty secret", () => {
  it("issues a token, proves it, and only then stores it at AWSCURRENT", async () => {
    const world = new World();
    const result = await world.bootstrap();
    expect(world.calls.calls.map(({ operation }) => operation)).toEqual([
      "DescribeSecret",
      "GetSecretValue",
      "issueLongTermToken",
      "issueShortTermToken",
      "PutSecretValue",
    ]);
    const versionId = world.holder("AWSCURRENT");
    expect(world.stages()).toEqual({ [versionId ?? ""]: ["AWSCURRENT"] });
    expect(result).toEqual({ outcome: "issued", versionId, expiresAt: "2026-03-02T00:00:00Z" });
    expect(world.live()).toEqual([world.current().token_id]);
    expect(world.events("token.promoted")).toMatchObject([
      { secret: world.arn, version_id: versionId, superseded_version_id: undefined },
    ]);
    expect(world.metrics).toEqual([{ name: metricNames.promoted, value: 1 }]);
    expect(world.events("step.succeeded")).toMatchObject([{ step: "bootstrap", secret: world.arn, version_id: "" }]);
  });

  it("derives the version id from the secret, as a ClientRequestToken of 32 to 64 characters", async () => {
    const [a, b] = [new World(), new World()];
    await a.bootstrap();
    await b.bootstrap();
    expect(a.holder("AWSCURRENT")).toMatch(/^bootstrap-[0-9a-f]{40}$/);
    expect(a.holder("AWSCURRENT")).toBe(b.holder("AWSCURRENT"));
  });

  it("lets only one of two at once win; the other revokes its own token, and both succeed", async () => {
    const world = new World();
    const results = await Promise.all([world.bootstrap(), world.bootstrap()]);
    expect(world.issued()).toHaveLength(2);
    expect(world.live()).toEqual([world.current().token_id]);
    expect(results[0]).toEqual(results[1]);
  });

  it("gives way to one that stored its token after this one had found the secret empty", async () => {
    const world = new World();
    const store: SecretStore = {
      describe: async (secretId) => {
        const empty = await world.store.describe(secretId);
        await world.bootstrap();
        return empty;
      },
      read: (secretId, versionId) => world.store.read(secretId, versionId),
      readCurrent: (secretId) => world.store.readCurrent(secretId),
      listVersions: (secretId) => world.store.listVersions(secretId),
      put: (version) => world.store.put(version),
      moveStage: (move) => world.store.moveStage(move),
    };
    await runBootstrap(world.context({ store }));
    expect(Object.keys(world.stages())).toHaveLength(1);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it.each(["before", "after"] as const)("fails when C2M's answer is lost (%s), stores nothing", async (when) => {
    const world = new World();
    world.fail("issueLongTermToken", { kind: "cut", when });
    expect((await failureOf(world.bootstrap())).code).toBe("no_answer");
    expect(world.stages()).toEqual({});
  });

  it("replaces nothing in a secret whose decommission was begun", async () => {
    const world = await World.ready();
    world.operator.moveStage(decommissionLabel, world.holder("AWSCURRENT"));
    expect(await world.bootstrap()).toMatchObject({ outcome: "proven" });
    world.settings.clientId = "c2m_another_client";
    world.c2mEngine.registerClient({ clientId: "c2m_another_client", clientSecret, scopes });
    expect(await failureOf(world.bootstrap())).toMatchObject({ name: "PermanentError", code: "decommissioned" });
    expect(world.issued()).toHaveLength(1);
  });

  it("fails with the reason when the client secret is wrong", async () => {
    const world = new World();
    world.c2mEngine.registerClient({ clientId: "c2m_client", clientSecret: "another", scopes });
    const failure = await failureOf(world.bootstrap());
    expect(failure).toMatchObject({ name: "PermanentError", code: "invalid_grant" });
    expect(world.events("step.failed")).toMatchObject([
      { step: "bootstrap", secret: world.arn, version_id: "", code: "invalid_grant", reason: failure.message },
    ]);
    expect(world.metrics).toEqual([{ name: metricNames.stepFailed, value: 1 }]);
  });

  it("waits for a token that works late", async () => {
    const world = new World({ c2mKnobs: { activationDelayMs: 10_000 } });
    expect((await world.bootstrap()).outcome).toBe("issued");
  });

  it("stores nothing and revokes the token when it does not work in time", async () => {
    const world = new World();
    world.fail("issueShortTermToken", rejected, Infinity);
    const started = world.clock.now();
    expect((await failureOf(world.bootstrap())).code).toBe("invalid_token");
    expect(world.stages()).toEqual({});
    expect(world.live()).toEqual([]);
    // 15 s are kept for the revocation.
    expect(world.clock.now() - started).toBeLessThanOrEqual(105_000);
    expect(world.clock.now() - started).toBeGreaterThan(85_000);
  });

  it("stores nothing and revokes the token when C2M calls it dead", async () => {
    const world = new World({ timeoutSeconds: 900 });
    world.fail("issueShortTermToken", rejected, Infinity);
    const failure = await failureOf(world.bootstrap());
    expect(failure).toMatchObject({ name: "PermanentError", code: "token_rejected" });
    expect(failure.message).toContain("rejects the token that it has just issued");
    expect(world.stages()).toEqual({});
    expect(world.live()).toEqual([]);
  });

  it("reports what stopped the proof, not the failed revocation after it", async () => {
    const world = new World();
    world.fail("issueShortTermToken", { kind: "error", status: 403, code: "insufficient_scope", message: "" });
    world.fail("revokeToken", { kind: "cut", when: "before" }, Infinity);
    expect((await failureOf(world.bootstrap())).code).toBe("insufficient_scope");
    expect(world.events("token.revocation.failed")).toHaveLength(1);
  });

  it("succeeds when the store's answer is lost and the token is there", async () => {
    const world = new World();
    world.fail("PutSecretValue", { kind: "cut", when: "after" });
    expect((await world.bootstrap()).outcome).toBe("issued");
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("can be run again after a failure at any call, and ends in one live token", async () => {
    for (const operation of ["DescribeSecret", "GetSecretValue", "PutSecretValue", "issueShortTermToken"]) {
      const world = new World();
      world.fail(operation, { kind: "error", status: 403, code: "AccessDeniedException", message: "" });
      await failureOf(world.bootstrap());
      expect((await world.bootstrap()).outcome).toBe("issued");
      expect(world.live()).toEqual([world.current().token_id]);
    }
  });
});

describe("the bootstrap of a secret that holds a token of ours", () => {
  it("proves the token and changes nothing", async () => {
    const world = new World();
    const first = await world.bootstrap();
    world.log.length = 0;
    const from = world.calls.calls.length;
    expect(await world.bootstrap()).toEqual({ ...first, outcome: "proven" });
    expect(world.countCalls("c2m", from)).toEqual({ issueShortTermToken: 1 });
    expect(world.countCalls("secretsmanager", from)).toEqual({ DescribeSecret: 1, GetSecretValue: 1 });
    expect(world.log.map(({ event }) => event)).toEqual(["step.started", "step.succeeded"]);
  });

  it("replaces a dead one whatever lifetime C2M grants (row 7)", async () => {
    const world = new World();
    await world.bootstrap();
    world.operator.revokeByHand(String(world.current().token_id));
    await world.clock.advanceBy(10 * minute + 1);
    world.c2mEngine.knobs.maximumTtlSeconds = 3_600;
    expect((await world.bootstrap()).outcome).toBe("replaced");
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("replaces one of another base URL, and sends it nowhere (row 1)", async () => {
    const world = new World();
    await world.bootstrap();
    const former = String(world.current().token_id);
    world.operator.put(JSON.stringify({ ...world.current(), base_url: "https://former.test/v2" }));
    const from = world.calls.calls.length;
    expect((await world.bootstrap()).outcome).toBe("replaced");
    expect(world.countCalls("c2m", from)).toEqual({ issueLongTermToken: 1, issueShortTermToken: 1 });
    expect(world.current()).toMatchObject({ base_url: "https://c2m.test/v2" });
    // It lives out its grace: nobody has revoked it.
    expect(world.live()).toContain(former);
  });

  it("replaces a token that has expired, without asking C2M about it", async () => {
    const world = new World({ settings: { lifetimeSeconds: 3_600 } });
    const first = await world.bootstrap();
    await world.clock.advanceTo(String(world.current().expires_at));
    const from = world.calls.calls.length;
    const second = await world.bootstrap();
    expect(second.outcome).toBe("replaced");
    expect(second.versionId).not.toBe(first.versionId);
    expect(world.holder("AWSCURRENT")).toBe(second.versionId);
    expect(world.countCalls("c2m", from)).toEqual({ issueLongTermToken: 1, issueShortTermToken: 1 });
    expect(world.events("token.promoted").at(-1)).toMatchObject({ superseded_version_id: first.versionId });
  });

  it("replaces a token that C2M calls invalid and that is older than 10 minutes, and keeps added fields", async () => {
    const world = new World();
    await world.bootstrap();
    const dead = String(world.current().token_id);
    world.operator.put(JSON.stringify({ ...world.current(), note: "kept" }));
    world.operator.revokeByHand(dead);
    await world.clock.advanceBy(10 * minute + 1);
    expect((await world.bootstrap()).outcome).toBe("replaced");
    expect(world.current()).toMatchObject({ note: "kept", client_id: "c2m_client" });
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("does not replace a younger one: it may be late. It waits, fails, and keeps time for issuing", async () => {
    const world = new World();
    await world.bootstrap();
    const stages = world.stages();
    world.fail("issueShortTermToken", rejected, Infinity);
    const started = world.clock.now();
    expect((await failureOf(world.bootstrap())).code).toBe("invalid_token");
    expect(world.stages()).toEqual(stages);
    expect(world.clock.now() - started).toBeLessThanOrEqual(120_000 - 55_000);
    expect(world.clock.now() - started).toBeGreaterThan(40_000);
  });

  it("fails when C2M does not answer, and replaces nothing", async () => {
    const world = new World();
    await world.bootstrap();
    await world.clock.advanceBy(day);
    const stages = world.stages();
    world.fail("issueShortTermToken", { kind: "error", status: 503, code: "", message: "" }, Infinity);
    expect(await failureOf(world.bootstrap())).toMatchObject({ name: "RetryableError", code: "server_error" });
    expect(world.stages()).toEqual(stages);
  });

  it("finds a free version id when the one derived was used by an earlier replacement", async () => {
    const world = new World({ settings: { lifetimeSeconds: 3_600 } });
    const first = await world.bootstrap();
    await world.clock.advanceBy(3_600_000);
    const second = await world.bootstrap();
    // By hand back to the first, which is dead: the id derived from it is taken.
    world.operator.moveStage("AWSCURRENT", first.versionId);
    await world.clock.advanceBy(3_600_000);
    const third = await world.bootstrap();
    expect(new Set([first.versionId, second.versionId, third.versionId]).size).toBe(3);
    expect(world.holder("AWSCURRENT")).toBe(third.versionId);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("takes a shorter lifetime than is left to a token of another C2M, which it replaces (rows 1 and 7)", async () => {
    const world = await World.ready();
    Object.assign(world.settings, { baseUrl: "https://new.test/v2", formerBaseUrls: [world.settings.baseUrl] });
    world.c2mEngine.knobs.maximumTtlSeconds = 3_600;
    expect(await world.bootstrap()).toMatchObject({ outcome: "replaced" });
    expect(world.live()).toHaveLength(2);
  });

  it("derives that id from the version that it replaces", async () => {
    const ids = await Promise.all(
      ["x", "y"].map(async (letter) => {
        const world = new World({ settings: { lifetimeSeconds: 3_600 } });
        await world.bootstrap();
        world.operator.put(world.text(world.holder("AWSCURRENT") ?? "") ?? "", ["AWSCURRENT"], letter.repeat(32));
        await world.clock.advanceBy(3_600_000);
        return (await world.bootstrap()).versionId;
      }),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it("lets only one of two replacements at once win", async () => {
    const world = new World({ settings: { lifetimeSeconds: 3_600 } });
    await world.bootstrap();
    await world.clock.advanceBy(3_600_000);
    const results = await Promise.all([world.bootstrap(), world.bootstrap()]);
    expect(results.map(({ outcome }) => outcome)).toEqual(["replaced", "replaced"]);
    expect(world.live()).toEqual([world.current().token_id]);
  });
});

describe("the bootstrap of a secret that holds a value from before us", () => {
  it.each([
    ["a plain string", "an-old-token"],
    ["other JSON", '{"apiKey":"abc"}'],
    ["JSON that lacks what every release writes", '{"access_token":"abc","token_id":"tok_1"}'],
  ])("adopts %s: it is kept, sent nowhere, and reported as unrevocable", async (_, initialValue) => {
    const world = new World({ initialValue });
    const stages = world.stages();
    const versionId = world.holder("AWSCURRENT");
    expect(await world.bootstrap()).toEqual({ outcome: "adopted", versionId });
    expect(world.stages()).toEqual(stages);
    expect(world.events("token.adopted")).toMatchObject([{ secret: world.arn, version_id: versionId }]);
    expect(world.events("token.unrevocable")).toMatchObject([
      {
        secret: world.arn,
        token_id: undefined,
        expires_at: undefined,
        reason: "it was there before us and has no token id",
      },
    ]);
    expect(world.countCalls("c2m")).toEqual({});
  });

  it("has it replaced by the first rotation", async () => {
    const world = new World({ initialValue: "an-old-token" });
    await world.bootstrap();
    await world.enableRotation();
    await world.rotate();
    expect(world.failures).toEqual([]);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("lets the present token authenticate where the mechanism is that, be it a plain string or one of ours", async () => {
    const present = async (): Promise<Sensitive | undefined> => {
      const current = await world.store.readCurrent(world.arn);
      const parsed = current && parseValue(current.value);
      return parsed?.kind === "ours" ? parsed.token.accessToken : parsed?.token;
    };
    const world: World = new World({
      settings: { scopes: [...scopes, "tokens:write"] },
      credentials: async () => ({ mechanism: "short_token", clientId: "c2m_client", longToken: await present() }),
    });
    const answer = await world.c2mEngine.answer({
      method: "POST",
      path: "/auth/tokens/long",
      headers: { "x-client-id": "c2m_client", "content-type": "application/json" },
      body: JSON.stringify({ grant_type: "client_credentials", client_id: "c2m_client", client_secret: clientSecret }),
    });
    world.operator.put(JSON.parse(String(answer.body)).access_token);
    expect((await world.bootstrap()).outcome).toBe("adopted");
    await world.enableRotation({ immediately: true });
    await world.rotate();
    expect(world.failures).toEqual([]);
    expect(world.events("token.promoted")).toHaveLength(2);
  });
});
