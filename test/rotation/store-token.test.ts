import { describe, expect, it } from "vitest";
import { parseValue } from "../../src/formats/stored-token.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { readBack, storeToken } from "../../src/rotation/store.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

describe("storing a token that was just issued", () => {
  it.each([
    ["AccessDeniedException", "store_denied"],
    ["LimitExceededException", "store_limit"],
    ["InvalidRequestException", "store_invalid"],
    ["EncryptionFailure", "store_denied"],
    ["ResourceNotFoundException", "secret_not_found"],
  ])(
    "revokes the token when the store refuses for good (%s), and fails with the store's reason",
    async (name, code) => {
      const world = await World.ready();
      const version = await world.open();
      world.fail("PutSecretValue", name);
      const failure = await failureOf(world.run("createSecret", version));
      expect(failure).toMatchObject({ name: "PermanentError", code });
      expect(world.live()).toEqual([world.current().token_id]);
      expect(world.events("token.revoked").map(({ token_id }) => token_id)).toEqual([world.issued()[1]]);
      expect(world.events("token.stored")).toHaveLength(1);
    },
  );

  it("reports the store's refusal also when the revocation after it fails; the ledger names the token", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.fail("PutSecretValue", "AccessDeniedException");
    world.fail("revokeToken", { kind: "error", status: 500, code: "", message: "" }, Infinity);
    expect((await failureOf(world.run("createSecret", version))).code).toBe("store_denied");
    expect(world.live()).toHaveLength(2);
    expect(world.events("token.issued").map(({ token_id }) => token_id)).toContain(world.live()[1]);
    expect(world.events("token.revocation.failed")).toHaveLength(1);
  });

  it("is content when the answer is lost and the token is found in its version", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.fail("PutSecretValue", { kind: "cut", when: "after" });
    await world.run("createSecret", version);
    expect(world.events("token.stored").at(-1)).toMatchObject({ version_id: version });
    expect(world.live()).toHaveLength(2);
    expect(world.holder("AWSPENDING")).toBe(version);
  });

  it("finds it also when the write becomes visible late, or the first looks fail", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.engine.knobs.visibilityDelayMs = 2_000;
    world.fail("PutSecretValue", { kind: "cut", when: "after" });
    world.faults.add({
      service: "secretsmanager",
      operation: "GetSecretValue",
      nth: 3,
      times: 2,
      fault: { kind: "error", status: 400, code: "ThrottlingException", message: "" },
    });
    await world.clock.advanceBy(3_000);
    await world.run("createSecret", version);
    expect(world.live()).toHaveLength(2);
  });

  it("fails without revoking when the token is not to be seen: it may still land", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.fail("PutSecretValue", { kind: "cut", when: "before" });
    const before = world.clock.now();
    const failure = await failureOf(world.run("createSecret", version));
    expect(failure).toMatchObject({ name: "AmbiguousError", code: "store_unknown" });
    expect(failure.message).toContain("The reconciler revokes the token");
    expect(failure.cause).toMatchObject({ code: "store_unknown", message: expect.stringContaining("PutSecretValue") });
    expect(world.live()).toHaveLength(2);
    expect(world.events("token.issued").at(-1)?.token_id).toBe(world.live()[1]);
    expect(world.events("token.stored")).toHaveLength(1);
    // It has looked for a while.
    expect(world.clock.now() - before).toBe(200 + 500 + 1_000 + 2_000 + 4_000);
  });

  it("fails without revoking when it may not read back", async () => {
    const world = await World.ready();
    const version = await world.open();
    world.fail("PutSecretValue", { kind: "cut", when: "after" });
    const context = world.context();
    const token = parseValue(new Sensitive(JSON.stringify(world.current())));
    if (token.kind !== "ours") throw new Error("The current value is not ours.");
    world.fail("GetSecretValue", "AccessDeniedException");
    const target = { versionId: version, stages: ["AWSPENDING"], rotationToken: undefined };
    expect((await failureOf(storeToken(context, token.token, target, undefined))).code).toBe("store_denied");
    expect(world.events("token.revoked")).toEqual([]);
  });

  describe("under a version id that another attempt has used", () => {
    it("revokes its own token and succeeds with the other one", async () => {
      const world = await World.ready();
      const version = await world.open();
      const steps = [world.run("createSecret", version), world.run("createSecret", version)];
      await Promise.all(steps);
      expect(world.issued()).toHaveLength(3);
      expect(world.live().toSorted()).toEqual([world.current().token_id, world.value(version).token_id].toSorted());
      expect(world.events("token.stored").filter((event) => event.version_id === version)).toHaveLength(1);
    });

    it("leaves its own to the reconciler when the other one can't be seen yet, and fails to be run again", async () => {
      const world = await World.ready();
      const version = await world.open();
      world.engine.knobs.visibilityDelayMs = 60_000;
      await world.clock.advanceBy(60_000);
      await world.run("createSecret", version);
      const failure = await failureOf(world.run("createSecret", version));
      expect(failure).toMatchObject({ name: "RetryableError", code: "pending_not_visible" });
      expect(failure.message).toMatch(/^Another attempt has stored its token in this version/);
      // The two could be one and the same token.
      expect(world.events("token.revoked")).toEqual([]);
      expect(world.live()).toContain(world.value(version).token_id);
      await world.clock.advanceBy(60_000);
      await world.run("createSecret", version);
      expect(world.issued()).toHaveLength(3);
    });

    it("revokes its own and fails when the version holds something that is no token of ours", async () => {
      const world = await World.ready();
      const version = await world.open();
      const stop = world.calls.onCall(({ operation }) => {
        if (operation !== "issueLongTermToken") return;
        stop();
        world.operator.put("hunter2", ["AWSPENDING"], version);
      });
      const failure = await failureOf(world.run("createSecret", version));
      expect(failure).toMatchObject({ name: "PermanentError", code: "version_not_ours" });
      expect(failure.message).toContain("Detach AWSPENDING from it");
      expect(world.live()).toEqual([world.current().token_id]);
    });

    it("gives way also when its own answer was lost and the other's token is found", async () => {
      const world = await World.ready();
      const version = await world.open();
      const other = JSON.stringify({ ...world.current(), token_id: "tok_other", access_token: "other" });
      world.fail("PutSecretValue", { kind: "cut", when: "before" });
      const stop = world.calls.onCall(({ operation }) => {
        if (operation !== "PutSecretValue") return;
        stop();
        world.operator.put(other, ["AWSPENDING"], version);
      });
      await world.run("createSecret", version);
      expect(world.live()).toEqual([world.current().token_id]);
      expect(world.value(version).token_id).toBe("tok_other");
    });
  });
});

describe("reading back", () => {
  it("stops in time for what comes after it", async () => {
    const world = await World.ready();
    const context = world.context({ deadline: world.clock.now() + 5_000 + 700 });
    const before = world.clock.now();
    expect(await readBack(context, "11111111-1111-4111-8111-111111111111")).toBeUndefined();
    expect(world.clock.now() - before).toBe(700);
  });

  it("asks once and does not wait when the version is there", async () => {
    const world = await World.ready();
    const from = world.calls.calls.length;
    const found = await readBack(world.context(), world.holder("AWSCURRENT") ?? "");
    expect(found?.stages).toEqual(["AWSCURRENT"]);
    expect(world.countCalls("secretsmanager", from)).toEqual({ GetSecretValue: 1 });
  });
});
