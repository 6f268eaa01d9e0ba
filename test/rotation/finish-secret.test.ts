import { describe, expect, it } from "vitest";
import { metricNames } from "../../src/formats/metrics.ts";
import { failureOf, World, type WorldOptions } from "../harness/rotation-world.ts";

/** A rotation whose token is proven. */
async function proven(options: WorldOptions = {}) {
  const world = await World.ready({ ...options, knobs: { retry: "manual", ...options.knobs } });
  const first = world.holder("AWSCURRENT") ?? "";
  const version = await world.open();
  await world.runAll(version, ["createSecret", "setSecret", "testSecret"]);
  world.metrics.length = 0;
  return { world, first, version };
}

const hour = 3_600;

describe("finishSecret", () => {
  it("promotes the pending version, leaves AWSPENDING to Secrets Manager and says what was superseded", async () => {
    const { world, first, version } = await proven();
    await world.run("finishSecret", version);
    expect(world.stages()).toEqual({ [version]: ["AWSCURRENT", "AWSPENDING"], [first]: ["AWSPREVIOUS"] });
    expect(world.events("token.promoted").at(-1)).toMatchObject({
      secret: world.arn,
      version_id: version,
      superseded_version_id: first,
    });
    expect(world.metrics).toEqual([
      { name: metricNames.promoted, value: 1 },
      { name: metricNames.revoked, value: 1 },
    ]);
  });

  it("says before it moves the label that it is about to, for the grace that counts from there", async () => {
    const { world, first, version } = await proven();
    let said: unknown[] = [];
    world.calls.onCall(({ operation }) => {
      if (operation === "UpdateSecretVersionStage") said = [...world.events("token.promotion.started")];
    });
    await world.run("finishSecret", version);
    expect(said).toMatchObject([{ secret: world.arn, version_id: version, superseded_version_id: first }]);
  });

  it("revokes the superseded token after the promotion when there is no grace period", async () => {
    const { world, first, version } = await proven();
    const from = world.calls.calls.length;
    await world.run("finishSecret", version);
    expect(world.calls.calls.slice(from).map(({ operation }) => operation)).toEqual([
      "DescribeSecret",
      "UpdateSecretVersionStage",
      "GetSecretValue",
      "GetSecretValue",
      "revokeToken",
    ]);
    const { token_id, expires_at } = world.value(first);
    expect(world.events("token.revoked")).toMatchObject([{ secret: world.arn, token_id, expires_at }]);
    expect(world.live()).toEqual([world.value(version).token_id]);
  });

  it.each([
    ["a grace period", { graceSeconds: 1 }],
    ["revocation switched off", { revocation: false }],
  ])("revokes nothing with %s", async (_, settings) => {
    const { world, version } = await proven({ settings });
    await world.run("finishSecret", version);
    expect(world.countCalls("c2m").revokeToken).toBeUndefined();
    expect(world.live()).toHaveLength(2);
  });

  it("promotes where nothing is current, and has nothing to revoke", async () => {
    const world = new World({ knobs: { firstValueInPlaceholderIsCurrent: false } });
    await world.enableRotation({ immediately: true });
    expect(world.failures).toEqual([]);
    expect(world.live()).toEqual([world.current().token_id]);
    expect(world.events("token.promoted")).toMatchObject([
      { secret: world.arn, version_id: world.holder("AWSCURRENT"), superseded_version_id: undefined },
    ]);
  });

  it.each([
    ["was cancelled and its label taken off", (world: World) => world.operator.moveStage("AWSPENDING", undefined)],
    ["was overtaken by a value put by hand", (world: World) => world.operator.put(JSON.stringify(world.current()))],
  ])("refuses a version whose rotation %s", async (_, overtake) => {
    const { world, version } = await proven();
    overtake(world);
    const before = world.stages();
    const failure = await failureOf(world.run("finishSecret", version));
    expect(failure).toMatchObject({ name: "PermanentError", code: "not_pending" });
    expect(failure.message).toMatch(/cancelled or overtaken.*Start a new rotation\.$/);
    expect(world.stages()).toEqual(before);
    expect(world.countCalls("c2m").revokeToken).toBeUndefined();
  });

  it("refuses an older version after a newer one was promoted", async () => {
    const world = await World.ready();
    const older = await world.rotate();
    const newer = await world.rotate();
    expect((await failureOf(world.run("finishSecret", older))).code).toBe("not_pending");
    expect(world.holder("AWSCURRENT")).toBe(newer);
  });

  it("ends a rotation that was cancelled after its version was proven: the label decides", async () => {
    const { world, version } = await proven();
    world.engine.cancelRotateSecret({ SecretId: world.arn });
    await world.run("finishSecret", version);
    expect(world.holder("AWSCURRENT")).toBe(version);
  });

  describe("when labels move under it", () => {
    it("looks again and promotes over what is current now", async () => {
      const { world, version } = await proven();
      const stop = world.calls.onCall(({ operation }) => {
        if (operation !== "DescribeSecret") return;
        stop();
        // A second writer, who leaves AWSPENDING where it is.
        const [byHand] = [world.operator.put("by-hand", ["OTHER"])];
        world.operator.moveStage("AWSCURRENT", byHand);
      });
      const before = world.clock.now();
      await world.run("finishSecret", version);
      expect(world.holder("AWSCURRENT")).toBe(version);
      expect(world.clock.now() - before).toBe(500);
      expect(world.events("token.promoted")).toHaveLength(2);
    });

    it("gives up after three tries", async () => {
      const { world, version } = await proven();
      world.fail("UpdateSecretVersionStage", "InvalidParameterException", 3);
      const before = world.clock.now();
      const failure = await failureOf(world.run("finishSecret", version));
      expect(failure).toMatchObject({ name: "RetryableError", code: "labels_moved" });
      expect(world.clock.now() - before).toBe(500 + 1_000);
      expect(world.countCalls("secretsmanager").UpdateSecretVersionStage).toBe(3);
      await world.run("finishSecret", version);
      expect(world.holder("AWSCURRENT")).toBe(version);
    });

    it("does not promote a version that lost AWSPENDING meanwhile", async () => {
      const { world, version } = await proven();
      world.fail("UpdateSecretVersionStage", "InvalidParameterException");
      const stop = world.calls.onCall(({ operation }) => {
        if (operation !== "UpdateSecretVersionStage") return;
        stop();
        world.operator.moveStage("AWSPENDING", undefined);
      });
      expect((await failureOf(world.run("finishSecret", version))).code).toBe("not_pending");
      expect(world.holder("AWSCURRENT")).not.toBe(version);
    });
  });

  it.each(["AccessDeniedException", "ThrottlingException"])("does not try again on %s", async (name) => {
    const { world, version } = await proven();
    world.fail("UpdateSecretVersionStage", name);
    await failureOf(world.run("finishSecret", version));
    expect(world.countCalls("secretsmanager").UpdateSecretVersionStage).toBe(1);
    expect(world.events("token.promoted")).toHaveLength(1);
  });

  it.each(["before", "after"] as const)(
    "promotes and says so, once, when the answer of the promotion is lost (%s it is done)",
    async (when) => {
      const { world, first, version } = await proven();
      world.fail("UpdateSecretVersionStage", { kind: "cut", when });
      await world.run("finishSecret", version);
      expect(world.holder("AWSCURRENT")).toBe(version);
      expect(world.events("token.promoted").slice(1)).toMatchObject([
        { secret: world.arn, version_id: version, superseded_version_id: first },
      ]);
      expect(world.metrics.filter(({ name }) => name === metricNames.promoted)).toHaveLength(1);
      expect(world.live()).toEqual([world.value(version).token_id]);
    },
  );

  it("says nothing of a promotion that another delivery made", async () => {
    const { world, version } = await proven();
    await Promise.all([world.run("finishSecret", version), world.run("finishSecret", version)]);
    expect(world.events("token.promoted").slice(1)).toHaveLength(1);
    expect(world.live()).toEqual([world.value(version).token_id]);
  });

  describe("revoking what was superseded", () => {
    it("never stands in the way of the promotion: the step fails after it, and revokes when it runs again", async () => {
      const { world, version } = await proven();
      const withdraw = world.fail("revokeToken", { kind: "error", status: 500, code: "", message: "" }, Infinity);
      expect((await failureOf(world.run("finishSecret", version))).code).toBe("server_error");
      expect(world.holder("AWSCURRENT")).toBe(version);
      expect(world.metrics).toContainEqual({ name: metricNames.revocationFailed, value: 1 });
      withdraw();
      await world.run("finishSecret", version);
      expect(world.live()).toEqual([world.value(version).token_id]);
    });

    it("does not begin once testSecret has found the promoted token rejected", async () => {
      const { world, first, version } = await proven();
      const withdraw = world.fail("revokeToken", { kind: "error", status: 500, code: "", message: "" }, Infinity);
      await failureOf(world.run("finishSecret", version));
      withdraw();
      const promoted = world.c2mEngine.liveLongTokens().find(({ id }) => id === world.value(version).token_id);
      if (promoted) Object.assign(promoted, { revokedAt: world.clock.now(), refusedFrom: world.clock.now() });
      expect((await failureOf(world.run("testSecret", version))).code).toBe("invalid_token");
      expect((await failureOf(world.run("finishSecret", version))).code).toBe("invalid_token");
      expect(world.live()).toEqual([world.value(first).token_id]);
    });

    it("is reached again on every replay, also when Secrets Manager runs the whole rotation again", async () => {
      const { world, version } = await proven();
      world.fail("revokeToken", { kind: "error", status: 500, code: "", message: "" }, Infinity);
      await failureOf(world.run("finishSecret", version));
      world.faults.clear();
      await world.runAll(version, ["createSecret", "setSecret", "testSecret", "finishSecret"]);
      expect(world.live()).toEqual([world.value(version).token_id]);
      await world.run("finishSecret", version);
      expect(world.events("token.revoked")).toHaveLength(2);
      expect(world.holder("AWSCURRENT")).toBe(version);
    });

    it("reports a value from before us as unrevocable, without any of it", async () => {
      const world = new World({ initialValue: "an-old-token" });
      await world.enableRotation({ immediately: true });
      expect(world.failures).toEqual([]);
      expect(world.events("token.unrevocable")).toMatchObject([
        {
          secret: world.arn,
          token_id: undefined,
          expires_at: undefined,
          reason: "it was there before us and has no token id",
        },
      ]);
    });

    it("does nothing about a token that has expired", async () => {
      const { world, version } = await proven({ settings: { lifetimeSeconds: hour } });
      await world.run("finishSecret", version);
      world.settings.lifetimeSeconds = 2 * hour;
      const next = await world.open();
      await world.runAll(next, ["createSecret", "testSecret"]);
      const revocations = world.events("token.revoked").length;
      await world.clock.advanceTo(String(world.value(version).expires_at));
      await world.run("finishSecret", next);
      expect(world.events("token.revoked")).toHaveLength(revocations);
    });

    it("does revoke it a millisecond before", async () => {
      const { world, version } = await proven({ settings: { lifetimeSeconds: hour } });
      await world.clock.advanceTo(Date.parse(String(world.current().expires_at)) - 1);
      await world.run("finishSecret", version);
      expect(world.events("token.revoked")).toHaveLength(1);
    });

    it("is left to the reconciler when the superseded version is not to be read", async () => {
      const { world, first, version } = await proven();
      await world.run("finishSecret", version);
      world.engine.find(world.arn)?.state.versions.get(first)?.stages.add("KEPT");
      const superseded = world.engine.find(world.arn)?.state.versions.get(first);
      if (superseded) superseded.value = undefined;
      await world.run("finishSecret", version);
      expect(world.events("token.revoked")).toHaveLength(1);
    });

    it("waits, while the promotion is not visible yet, for a replay", async () => {
      const { world, version } = await proven();
      await world.clock.advanceBy(60_000);
      world.engine.knobs.visibilityDelayMs = 30_000;
      expect((await failureOf(world.run("finishSecret", version))).code).toBe("revocation_of_current");
      expect(world.holder("AWSCURRENT")).toBe(version);
      expect(world.live()).toHaveLength(2);
      await world.clock.advanceBy(30_000);
      await world.run("finishSecret", version);
      expect(world.live()).toEqual([world.value(version).token_id]);
    });
  });
});
