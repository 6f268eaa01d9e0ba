import { describe, expect, it } from "vitest";
import { failureOf, World } from "../harness/rotation-world.ts";

const minute = 60_000;
const unauthorized = { kind: "error", status: 401, code: "", message: "" } as const;
const rejected = { kind: "error", status: 401, code: "invalid_token", message: "" } as const;

/** A rotation that has come as far as testSecret. */
async function created(options: Parameters<typeof World.ready>[0] = {}): Promise<{ world: World; version: string }> {
  const world = await World.ready({ knobs: { retry: "manual" }, ...options });
  const version = await world.open();
  await world.run("createSecret", version);
  return { world, version };
}

describe("testSecret", () => {
  it("exchanges the pending token for a short one with one scope, and calls nobody else", async () => {
    const { world, version } = await created();
    const from = world.calls.calls.length;
    await world.run("testSecret", version);
    expect(world.countCalls("secretsmanager", from)).toEqual({ GetSecretValue: 1 });
    expect(world.countCalls("c2m", from)).toEqual({ issueShortTermToken: 1 });
    const short = world.c2mEngine.tokens.at(-1);
    const { token_id, expires_at } = world.value(version);
    expect(short).toMatchObject({ kind: "short", parent: token_id, scopes: ["jobs:submit"] });
    expect(world.events("token.proven").at(-1)).toMatchObject({
      secret: world.arn,
      version_id: version,
      token_id,
      expires_at,
    });
  });

  it.each([
    [["tokens:revoke", "jobs:*", "jobs:read", "jobs:submit"], "jobs:read"],
    [["tokens:revoke", "tokens:write"], "tokens:revoke"],
  ])("of the scopes %j it asks for %s, the least that it can", async (wanted, asked) => {
    const world = new World({ settings: { scopes: wanted } });
    world.c2mEngine.registerClient({
      clientId: "c2m_client",
      clientSecret: "cs-3f9a-client-secret-7b21",
      scopes: wanted,
    });
    await world.bootstrap();
    expect(world.c2mEngine.tokens.at(-1)?.scopes).toEqual([asked]);
  });

  it("asks for no scope in particular where those of the token are not known", async () => {
    const { world, version } = await created({ c2mKnobs: { scopesInBody: false } });
    await world.run("testSecret", version);
    expect(world.c2mEngine.tokens.at(-1)?.scopes).toHaveLength(3);
  });

  it("waits for a token that works late", async () => {
    const { world, version } = await created();
    world.fail("issueShortTermToken", rejected, 4);
    const before = world.clock.now();
    await world.run("testSecret", version);
    expect(world.clock.now() - before).toBe(1_000 + 2_000 + 4_000 + 8_000);
  });

  it("waits also where a gateway answers 401 without saying why", async () => {
    const { world, version } = await created();
    world.fail("issueShortTermToken", unauthorized, 2);
    await world.run("testSecret", version);
    expect(world.events("token.proven").at(-1)?.version_id).toBe(version);
  });

  it("waits at most 15 s at a time", async () => {
    const { world, version } = await created();
    world.fail("issueShortTermToken", rejected, 6);
    const before = world.clock.now();
    await world.run("testSecret", version);
    expect(world.clock.now() - before).toBe(1_000 + 2_000 + 4_000 + 8_000 + 15_000 + 15_000);
  });

  it("fails when the time is nearly up, revokes nothing and leaves the version pending", async () => {
    const { world, version } = await created();
    world.fail("issueShortTermToken", rejected, Infinity);
    const started = world.clock.now();
    expect((await failureOf(world.run("testSecret", version))).code).toBe("invalid_token");
    const spent = world.clock.now() - started;
    expect(spent).toBeGreaterThan(90_000);
    expect(spent).toBeLessThanOrEqual(115_000);
    expect(world.holder("AWSPENDING")).toBe(version);
    expect(world.live()).toHaveLength(2);
  });

  it("can be run again after that, and succeeds once the token works", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.c2mEngine.knobs.activationDelayMs = 5 * minute;
    await world.run("createSecret", version);
    expect((await failureOf(world.run("testSecret", version))).code).toBe("invalid_token");
    await world.clock.advanceBy(5 * minute);
    await world.run("testSecret", version);
    expect(world.events("token.proven").at(-1)?.version_id).toBe(version);
  });

  it("does not wait where waiting is of no use: it fails at once for any other refusal", async () => {
    const { world, version } = await created();
    world.fail("issueShortTermToken", { kind: "error", status: 403, code: "insufficient_scope", message: "" });
    const before = world.clock.now();
    expect((await failureOf(world.run("testSecret", version))).code).toBe("insufficient_scope");
    expect(world.clock.now()).toBe(before);
  });

  it("fails when C2M does not answer, and leaves the version pending", async () => {
    const { world, version } = await created();
    world.fail("issueShortTermToken", { kind: "cut", when: "before" }, Infinity);
    expect(await failureOf(world.run("testSecret", version))).toMatchObject({ name: "RetryableError" });
    expect(world.holder("AWSPENDING")).toBe(version);
  });

  describe("when C2M says that the pending token is not valid", () => {
    it("detaches AWSPENDING once the token is older than 10 minutes; the token stays in its version", async () => {
      const { world, version } = await created();
      world.operator.revokeByHand(String(world.value(version).token_id));
      await world.clock.advanceBy(10 * minute + 1);
      const before = world.clock.now();
      const failure = await failureOf(world.run("testSecret", version));
      expect(failure).toMatchObject({ name: "PermanentError", code: "token_rejected" });
      expect(failure.message).toMatch(/^C2M says that the pending token is not valid\. AWSPENDING was taken off it/);
      expect(world.clock.now()).toBe(before);
      expect(world.holder("AWSPENDING")).toBeUndefined();
      expect(world.events("pending.detached")).toMatchObject([
        { secret: world.arn, version_id: version, reason: "C2M says that its token is not valid" },
      ]);
      expect(world.value(version).token_id).toBeDefined();
      const next = await world.rotate();
      expect(world.holder("AWSCURRENT")).toBe(next);
    });

    it("tries again while the token is not older than that", async () => {
      const { world, version } = await created();
      await world.clock.advanceBy(10 * minute);
      world.fail("issueShortTermToken", rejected);
      // By its second try the token is older than 10 minutes, and it works.
      await world.run("testSecret", version);
      expect(world.holder("AWSPENDING")).toBe(version);
    });

    it("takes a token whose age is not known for old", async () => {
      const world = await World.ready({ knobs: { retry: "manual" } });
      const version = await world.open();
      const { issued_at: _, ...undated } = world.current();
      world.operator.put(
        JSON.stringify({ ...undated, access_token: "gone", token_id: "tok_gone" }),
        ["AWSPENDING"],
        version,
      );
      expect((await failureOf(world.run("testSecret", version))).code).toBe("token_rejected");
      expect(world.holder("AWSPENDING")).toBeUndefined();
    });

    it("does not detach for a 401 that does not say so, however old the token is", async () => {
      const { world, version } = await created();
      await world.clock.advanceBy(60 * minute);
      world.fail("issueShortTermToken", unauthorized, Infinity);
      expect((await failureOf(world.run("testSecret", version))).code).toBe("unauthorized");
      expect(world.holder("AWSPENDING")).toBe(version);
    });
  });

  it("refuses a version that is neither pending nor current, and asks C2M nothing", async () => {
    const { world, version } = await created();
    world.operator.moveStage("AWSPENDING", undefined);
    const from = world.calls.calls.length;
    const failure = await failureOf(world.run("testSecret", version));
    expect(failure).toMatchObject({ name: "PermanentError", code: "not_pending" });
    expect(failure.message).toMatch(/cancelled or overtaken/);
    expect(world.countCalls("c2m", from)).toEqual({});
  });

  it("proves the current token when it runs again after the promotion", async () => {
    const world = await World.ready({ knobs: { pendingAfterSuccess: "immediate" } });
    const version = await world.rotate();
    const proofs = world.events("token.proven").length;
    await world.run("testSecret", version);
    expect(world.events("token.proven")).toHaveLength(proofs + 1);
  });

  it("waits for a pending value that becomes visible late", async () => {
    const world = await World.ready();
    const version = await world.open();
    await world.clock.advanceBy(10_000);
    world.engine.knobs.visibilityDelayMs = 3_000;
    await world.run("createSecret", version);
    await world.run("testSecret", version);
    expect(world.events("token.proven").at(-1)?.version_id).toBe(version);
  });

  it("fails, to be run again, when there is no value to be seen", async () => {
    const world = await World.ready();
    const version = await world.open();
    const failure = await failureOf(world.run("testSecret", version));
    expect(failure).toMatchObject({ name: "RetryableError", code: "pending_not_visible" });
    expect(failure.message).toContain("Secrets Manager runs the rotation again");
  });

  it("refuses a pending value that is no token of ours, and sends it nowhere", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.operator.put("hunter2", ["AWSPENDING"], version);
    const from = world.calls.calls.length;
    const failure = await failureOf(world.run("testSecret", version));
    expect(failure).toMatchObject({ name: "PermanentError", code: "pending_not_ours" });
    expect(failure.message).toContain("Detach AWSPENDING from it");
    expect(world.countCalls("c2m", from)).toEqual({});
  });

  it("refuses it also where nothing current can be found to compare it with", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.operator.put("hunter2", ["AWSPENDING"], version);
    const fault = { kind: "error", status: 400, code: "ResourceNotFoundException", message: "" } as const;
    world.faults.add({ service: "secretsmanager", operation: "GetSecretValue", nth: 2, fault });
    expect((await failureOf(world.run("testSecret", version))).code).toBe("pending_not_ours");
  });

  it("refuses a pending token that lacks a scope of the settings, before it asks C2M", async () => {
    const { world, version } = await created();
    world.settings.scopes = ["jobs:submit", "account:read", "tokens:write"];
    const from = world.calls.calls.length;
    const failure = await failureOf(world.run("testSecret", version));
    expect(failure).toMatchObject({ name: "PermanentError", code: "scopes_missing" });
    expect(failure.message).toMatch(/^scopes: the pending token lacks account:read, tokens:write\./);
    expect(world.countCalls("c2m", from)).toEqual({});
    expect(world.holder("AWSPENDING")).toBe(version);
  });
});
