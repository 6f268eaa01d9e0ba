import { describe, expect, it } from "vitest";
import { decommissionLabel } from "../../src/formats/labels.ts";
import { failureOf, scopes, World } from "../harness/rotation-world.ts";

describe("createSecret", () => {
  it("fills the placeholder of the rotation with a token at AWSPENDING and leaves AWSCURRENT alone", async () => {
    const world = await World.ready();
    const current = world.holder("AWSCURRENT");
    const version = await world.open();
    await world.run("createSecret", version);
    expect(world.stages()).toEqual({ [current ?? ""]: ["AWSCURRENT"], [version]: ["AWSPENDING"] });
    const stored = world.value(version);
    const issued = world.c2mEngine.byId(String(stored.token_id));
    expect(stored).toEqual({
      access_token: issued?.accessToken,
      token_type: "Bearer",
      token_id: issued?.id,
      scopes,
      issued_at: "2026-01-01T00:00:00.000Z",
      expires_at: "2026-03-02T00:00:00Z",
      client_id: "c2m_client",
      base_url: "https://c2m.test/v2",
    });
  });

  it("writes the token's id to the log before it calls the store", async () => {
    const world = await World.ready();
    const version = await world.open();
    let known: unknown[] = [];
    world.calls.onCall(({ operation }) => {
      if (operation === "PutSecretValue") known = world.events("token.issued").map(({ token_id }) => token_id);
    });
    await world.run("createSecret", version);
    expect(known).toContain(world.value(version).token_id);
  });

  it("issues no second token when it runs again on a filled version", async () => {
    const world = await World.ready();
    const version = await world.open();
    await world.runAll(version, ["createSecret", "createSecret"]);
    expect(world.issued()).toHaveLength(2);
  });

  it("does nothing once the version is current", async () => {
    const world = await World.ready();
    const version = await world.rotate();
    const from = world.calls.calls.length;
    await world.run("createSecret", version);
    expect(world.countCalls("secretsmanager", from)).toEqual({ DescribeSecret: 1 });
    expect(world.countCalls("c2m", from)).toEqual({});
  });

  it.each(["immediate", "never"] as const)(
    "does nothing once the version is current, with AWSPENDING taken off by Secrets Manager: %s",
    async (pendingAfterSuccess) => {
      const world = await World.ready({ knobs: { pendingAfterSuccess } });
      const version = await world.rotate();
      const issued = world.issued();
      await world.runAll(version, ["createSecret", "setSecret", "testSecret", "finishSecret"]);
      expect(world.issued()).toEqual(issued);
      expect(world.holder("AWSCURRENT")).toBe(version);
    },
  );

  it("does nothing for a version that was superseded, even when its token has expired", async () => {
    const world = await World.ready({ settings: { lifetimeSeconds: 3_600 }, knobs: { retry: "manual" } });
    const old = await world.rotate();
    const version = await world.rotate();
    await world.clock.advanceBy(3_601_000);
    await world.run("createSecret", old);
    expect(world.stages()).toEqual({ [old]: ["AWSPREVIOUS"], [version]: ["AWSCURRENT"] });
    expect(world.events("pending.detached")).toEqual([]);
    expect(world.issued()).toHaveLength(3);
  });

  it("refuses a secret whose rotation is not enabled, and issues nothing", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.engine.cancelRotateSecret({ SecretId: world.arn });
    expect(await failureOf(world.run("createSecret", version))).toMatchObject({
      name: "PermanentError",
      code: "rotation_not_enabled",
      message: expect.stringContaining("c2m/api-token"),
    });
    expect(world.issued()).toHaveLength(1);
  });

  it("refuses a secret whose decommission was begun, and issues nothing", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.operator.moveStage(decommissionLabel, world.holder("AWSCURRENT"));
    expect(await failureOf(world.run("createSecret", version))).toMatchObject({
      name: "PermanentError",
      code: "decommissioned",
      message: expect.stringContaining("c2m-tokens decommission --cancel"),
    });
    expect(world.issued()).toHaveLength(1);
  });

  it("refuses a version without a staging label, and issues nothing", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.operator.moveStage("AWSPENDING", undefined);
    const failure = await failureOf(world.run("createSecret", version));
    expect(failure).toMatchObject({ name: "PermanentError", code: "version_without_stage" });
    expect(failure.message).toMatch(/^ClientRequestToken: the version has no staging label .*Start a new rotation\.$/);
    expect(world.issued()).toHaveLength(1);
  });

  it("refuses a version that was never made", async () => {
    const world = await World.ready();
    const failure = await failureOf(world.run("createSecret", "11111111-1111-4111-8111-111111111111"));
    expect(failure.code).toBe("version_without_stage");
  });

  it.each([["terraform-20260203174223578300000001"], ["E1B2C3D4-E1B2-C3D4-E1B2-C3D4E1B2C3D4"], ["x".repeat(64)]])(
    "takes the ClientRequestToken %s, which need not be a UUID",
    async (token) => {
      const world = await World.ready();
      const version = await world.open(token);
      await world.runAll(version, ["createSecret", "setSecret", "testSecret", "finishSecret"]);
      expect(world.holder("AWSCURRENT")).toBe(token);
    },
  );

  it("rotates a secret that has no value at all", async () => {
    const world = new World({ knobs: { retry: "manual" } });
    await world.enableRotation({ immediately: true });
    expect(world.failures).toEqual([]);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("proves the first token of a secret before it stores it, since Secrets Manager makes it current at once", async () => {
    const world = new World({ knobs: { retry: "manual" } });
    world.fail("issueShortTermToken", { kind: "error", status: 403, code: "insufficient_scope", message: "" });
    await world.enableRotation({ immediately: true });
    expect(world.failures).toMatchObject([{ code: "insufficient_scope" }]);
    expect(world.countCalls("secretsmanager").PutSecretValue).toBeUndefined();
    expect(world.live()).toEqual([]);
  });

  it("leaves the proof to testSecret where something is current", async () => {
    const world = await World.ready();
    const version = await world.open();
    const proofs = world.countCalls("c2m").issueShortTermToken;
    await world.run("createSecret", version);
    expect(world.countCalls("c2m").issueShortTermToken).toBe(proofs);
  });

  it("rotates a value of an earlier release, which had the token, its end and its client only", async () => {
    const world = await World.ready();
    const { access_token, expires_at, client_id } = world.current();
    world.operator.put(JSON.stringify({ access_token, expires_at, client_id }));
    await world.rotate();
    expect(world.failures).toEqual([]);
    expect(world.current()).toMatchObject({ token_id: expect.any(String), scopes });
    expect(world.events("token.unrevocable").at(-1)).toMatchObject({ token_id: undefined, expires_at });
  });

  it("keeps the fields that somebody else added to the current value", async () => {
    const world = await World.ready();
    const before = world.current();
    const added = { note: "used by billing", nested: { a: [1] } };
    world.operator.put(JSON.stringify({ ...before, ...added }));
    await world.rotate();
    expect(world.current()).toMatchObject(added);
    expect(world.current().token_id).not.toBe(before.token_id);
  });

  it("does not carry the fields of a foreign value over", async () => {
    const world = new World({ initialValue: JSON.stringify({ access_token: "abc", note: "not ours" }) });
    await world.enableRotation({ immediately: true });
    expect(world.current().note).toBeUndefined();
    expect(world.current().client_id).toBe("c2m_client");
  });

  it("passes the RotationToken on, by which Secrets Manager knows a value from an assumed role", async () => {
    const stranger = "arn:aws:sts::123456789012:assumed-role/elsewhere/elsewhere";
    const world = await World.ready();
    // Not the function's own identity: only the RotationToken can show where the value comes from.
    world.rotatorRole.arn = stranger;
    const version = await world.rotate();
    expect(world.holder("AWSCURRENT")).toBe(version);
  });

  describe("with a pending value that can never be mended", () => {
    it.each([
      ["a plain string", "hunter2", "holds a value that is not a token of ours"],
      ["other JSON", '{"user":"x"}', "holds a value that is not a token of ours"],
    ])("detaches AWSPENDING from %s and fails, so that the next rotation starts afresh", async (_, value, reason) => {
      const world = await World.ready({ knobs: { retry: "manual" } });
      const version = await world.open();
      world.operator.put(value, ["AWSPENDING"], version);
      const failure = await failureOf(world.run("createSecret", version));
      expect(failure).toMatchObject({ name: "PermanentError", code: "pending_dead" });
      expect(failure.message).toContain(reason);
      expect(world.holder("AWSPENDING")).toBeUndefined();
      expect(world.events("pending.detached")).toMatchObject([{ secret: world.arn, version_id: version, reason }]);
      const next = await world.rotate();
      expect(world.holder("AWSCURRENT")).toBe(next);
    });

    it("detaches AWSPENDING from a token that has expired, at the very moment of its expiry", async () => {
      const world = await World.ready({ settings: { lifetimeSeconds: 3_600 }, knobs: { retry: "manual" } });
      const version = await world.open();
      await world.run("createSecret", version);
      await world.clock.advanceBy(3_599_999);
      await world.run("createSecret", version);
      await world.clock.advanceBy(1);
      const failure = await failureOf(world.run("createSecret", version));
      expect(failure.message).toBe(
        "The pending version holds a token that has expired. AWSPENDING was taken off it, so that the next rotation starts afresh.",
      );
      expect(world.holder("AWSPENDING")).toBeUndefined();
    });

    it("is content when the label was taken off meanwhile", async () => {
      const world = await World.ready({ knobs: { retry: "manual" } });
      const version = await world.open();
      world.operator.put("hunter2", ["AWSPENDING"], version);
      world.calls.onCall(({ operation }) => {
        if (operation === "GetSecretValue" && world.holder("AWSPENDING"))
          world.operator.moveStage("AWSPENDING", undefined);
      });
      expect((await failureOf(world.run("createSecret", version))).code).toBe("pending_dead");
      expect(world.events("pending.detached")).toHaveLength(1);
    });

    it("fails with the store's reason when the label can't be taken off", async () => {
      const world = await World.ready({ knobs: { retry: "manual" } });
      const version = await world.open();
      world.operator.put("hunter2", ["AWSPENDING"], version);
      world.fail("UpdateSecretVersionStage", "AccessDeniedException");
      expect((await failureOf(world.run("createSecret", version))).code).toBe("store_denied");
      expect(world.events("pending.detached")).toEqual([]);
      expect(world.holder("AWSPENDING")).toBe(version);
    });
  });
});
