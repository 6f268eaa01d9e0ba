import { describe, expect, it } from "vitest";
import type { Delivery } from "../../local-cloud/secrets-manager/knobs.ts";
import { rotationSteps } from "../../local-cloud/secrets-manager/rotation.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

const hour = 3_600_000;

/** What Secrets Manager said about its rotations. */
function outcomes(world: World): string[] {
  const names = world.bus.events.map(({ detail }) => String(detail.eventName));
  return names.filter((name) => /^Rotation(Succeeded|Failed|Abandoned)$/.test(name));
}

describe("a rotation", () => {
  it("replaces the token, promotes it and revokes its predecessor", async () => {
    const world = await World.ready();
    const first = world.current();
    await world.rotate();
    expect(world.failures).toEqual([]);
    expect(world.current().token_id).not.toBe(first.token_id);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("makes seven Secrets Manager calls with grace, and one issue and one exchange", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    const from = world.calls.calls.length;
    await world.rotate();
    expect(world.countCalls("secretsmanager", from)).toEqual({
      DescribeSecret: 2,
      GetSecretValue: 3,
      PutSecretValue: 1,
      UpdateSecretVersionStage: 1,
    });
    expect(world.countCalls("c2m", from)).toEqual({ issueLongTermToken: 1, issueShortTermToken: 1 });
  });

  it("leaves one live token after a year of rotations", async () => {
    const world = await World.ready();
    await world.clock.advanceBy(365 * 24 * hour);
    expect(world.failures).toEqual([]);
    expect(world.issued().length).toBeGreaterThan(10);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it.each(["immediate", "never", { afterMs: 60_000 }] as const)(
    "can be followed by the next one, whenever Secrets Manager takes AWSPENDING off: %j",
    async (pendingAfterSuccess) => {
      const world = await World.ready({ knobs: { pendingAfterSuccess } });
      await world.rotate();
      await world.rotate();
      await world.clock.advanceBy(60_000);
      await world.rotate();
      expect(outcomes(world)).toEqual(["RotationSucceeded", "RotationSucceeded", "RotationSucceeded"]);
      expect(world.live()).toEqual([world.current().token_id]);
    },
  );

  it.each(["twice", "concurrently", "late"] satisfies Delivery[])(
    "ends in the same state when every step is delivered %s",
    async (delivery) => {
      const world = await World.ready();
      world.engine.knobs.delivery = () => delivery;
      const versions = [await world.rotate(), await world.rotate()];
      expect(outcomes(world)).toEqual(["RotationSucceeded", "RotationSucceeded"]);
      expect(world.holder("AWSCURRENT")).toBe(versions[1]);
      expect(world.live()).toEqual([world.current().token_id]);
    },
  );

  it("works with writes that become visible late", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    world.engine.knobs.visibilityDelayMs = 3_000;
    await world.clock.advanceBy(10_000);
    // Secrets Manager makes the placeholder visible before it runs the first step.
    const version = await world.open();
    await world.clock.advanceBy(3_000);
    await world.runAll(version, rotationSteps);
    expect(world.holder("AWSCURRENT")).toBe(version);
    expect(world.issued()).toHaveLength(2);
  });

  it("works with a token that works late and a rate limit", async () => {
    const world = await World.ready({ c2mKnobs: { activationDelayMs: 20_000, retryAfter: "seconds" } });
    world.c2mEngine.knobs.rateLimitedUntil = world.clock.now() + 30_000;
    await world.rotate();
    expect(world.failures).toEqual([]);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  describe("that fails at a call and is run again ends in one live token", () => {
    const faults = [
      { operation: "DescribeSecret", nth: 1 },
      { operation: "DescribeSecret", nth: 2 },
      { operation: "GetSecretValue", nth: 1 },
      { operation: "GetSecretValue", nth: 2 },
      { operation: "GetSecretValue", nth: 3 },
      { operation: "GetSecretValue", nth: 4 },
      { operation: "GetSecretValue", nth: 5 },
      { operation: "PutSecretValue", nth: 1 },
      { operation: "UpdateSecretVersionStage", nth: 1 },
      { operation: "issueShortTermToken", nth: 1 },
    ];
    it.each(faults)("$operation, time $nth", async ({ operation, nth }) => {
      const world = await World.ready();
      const fault = { kind: "error", status: 403, code: "AccessDeniedException", message: "" } as const;
      const service = /^[A-Z]/.test(operation) ? "secretsmanager" : "c2m";
      world.faults.add({ service, operation, nth, fault });
      const version = await world.rotate();
      expect(outcomes(world)).toEqual(["RotationFailed"]);
      await world.runAll(version, rotationSteps);
      expect(world.holder("AWSCURRENT")).toBe(version);
      expect(world.live()).toEqual([world.current().token_id]);
    });

    it.each(["before", "after"] as const)(
      "issueLongTermToken, cut %s it is done: but for the lost token",
      async (when) => {
        const world = await World.ready();
        world.fail("issueLongTermToken", { kind: "cut", when });
        const version = await world.rotate();
        expect(outcomes(world)).toEqual(["RotationFailed"]);
        await world.runAll(version, rotationSteps);
        expect(world.holder("AWSCURRENT")).toBe(version);
        expect(world.live()).toHaveLength(when === "after" ? 2 : 1);
      },
    );
  });

  it("that was cancelled issues nothing more, and the current token stays", async () => {
    const world = await World.ready();
    const current = world.current();
    const version = await world.open();
    world.engine.cancelRotateSecret({ SecretId: world.arn });
    for (const step of ["createSecret", "testSecret"] as const) await failureOf(world.run(step, version));
    expect(world.current()).toEqual(current);
    expect(world.issued()).toHaveLength(1);
  });

  it("that was abandoned by a value put by hand fails at its next step, and revokes nothing that is current", async () => {
    const world = await World.ready();
    const version = await world.open();
    await world.run("createSecret", version);
    world.operator.put(JSON.stringify({ ...world.current(), note: "by hand" }));
    expect(outcomes(world).at(-1)).toBe("RotationAbandoned");
    for (const step of ["testSecret", "finishSecret"] as const) {
      expect((await failureOf(world.run(step, version))).code).toBe("not_pending");
    }
    expect((await failureOf(world.run("createSecret", version))).code).toBe("version_without_stage");
    expect(world.current().note).toBe("by hand");
    expect(world.live()).toContain(world.current().token_id);
    await world.rotate();
    expect(world.current().note).toBe("by hand");
  });

  it("that fails in its window is run again by Secrets Manager, hour by hour, with the same version", async () => {
    const world = await World.ready();
    await world.clock.advanceBy(30 * 24 * hour - 1);
    world.fail("issueLongTermToken", { kind: "error", status: 400, code: "invalid_grant", message: "" }, 3);
    await world.clock.advanceBy(12 * hour);
    const from = outcomes(world).slice(-4);
    expect(from).toEqual(["RotationFailed", "RotationFailed", "RotationFailed", "RotationSucceeded"]);
    expect(
      new Set(
        world
          .events("token.issue.started")
          .slice(1)
          .map(({ version_id }) => version_id),
      ).size,
    ).toBe(1);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("into a token that turns out dead is given up, and the next one starts afresh and succeeds", async () => {
    const world = await World.ready({ knobs: { retry: "manual" } });
    const version = await world.open();
    await world.run("createSecret", version);
    world.operator.revokeByHand(String(world.value(version).token_id));
    await world.clock.advanceBy(11 * 60_000);
    expect((await failureOf(world.run("testSecret", version))).code).toBe("token_rejected");
    const next = await world.rotate();
    expect(world.holder("AWSCURRENT")).toBe(next);
  });
});
