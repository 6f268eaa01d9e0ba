import { describe, expect, it } from "vitest";
import { rollback } from "../../cli/acting/rollback-plan.ts";
import { decisionLabel } from "../../src/formats/labels.ts";
import type { RotationError } from "../../src/ports/errors.ts";
import type { SecretStore } from "../../src/ports/secret-store.ts";
import type { RotationContext } from "../../src/rotation/context.ts";
import { ruleOutRevocation, ruleOutRollback } from "../../src/rotation/going-back.ts";
import { ledgerOf, runReconciler } from "../harness/reconciler-run.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

const settings = { graceSeconds: 3_600 };

/** A world that has rotated once; its first token is at AWSPREVIOUS. */
async function rotated() {
  const world = await World.ready({ settings });
  const first = world.holder("AWSCURRENT");
  const second = await world.rotate();
  return { world, first, second };
}

const requestOf = (world: World) => ({
  ledger: ledgerOf(world),
  graceMs: 3_600_000,
  stepMs: 120_000,
  acceptExpiry: false,
});

const goBack = (world: World, overrides: Partial<RotationContext> = {}) =>
  rollback(world.context(overrides), requestOf(world));

/** The world's store, with something that happens at the moment of a label's move. */
function storeWith(world: World, { after }: { after: () => void }): SecretStore {
  const { store } = world;
  return {
    describe: (id) => store.describe(id),
    read: (id, versionId) => store.read(id, versionId),
    readCurrent: (id) => store.readCurrent(id),
    listVersions: (id) => store.listVersions(id),
    put: (version) => store.put(version),
    moveStage: async (move) => {
      const moved = await store.moveStage(move);
      if (move.stage === "AWSCURRENT") after();
      return moved;
    },
  };
}

describe("a rollback", () => {
  it("makes the previous token current, after it has proven that it works, and says so in the ledger", async () => {
    const { world, first, second } = await rotated();
    const from = world.log.length;
    expect(await goBack(world)).toMatchObject({ versionId: first, replacedVersionId: second });
    expect(world.holder("AWSCURRENT")).toBe(first);
    expect(world.holder("AWSPREVIOUS")).toBe(second);
    expect(world.log.slice(from).map(({ event }) => event)).toEqual(["token.promotion.started", "token.promoted"]);
  });

  it("can be taken back by another one", async () => {
    const { world, second } = await rotated();
    await goBack(world);
    await goBack(world);
    expect(world.holder("AWSCURRENT")).toBe(second);
  });

  it("overtakes an open rotation: it takes AWSPENDING off its version, whose finishSecret then fails", async () => {
    const { world, first } = await rotated();
    const open = await world.open();
    await world.runAll(open, ["createSecret", "setSecret", "testSecret"]);
    await goBack(world);
    expect(await failureOf(world.run("finishSecret", open))).toMatchObject({ code: "not_pending" });
    expect(world.holder("AWSCURRENT")).toBe(first);
    expect(world.events("pending.detached")).toMatchObject([
      expect.objectContaining({ version_id: open, reason: "a rollback overtook its rotation" }),
    ]);
  });

  it("moves the label back where the token was revoked between the exchange and the promotion", async () => {
    const { world, first, second } = await rotated();
    const revoked = String(world.value(first ?? "").token_id);
    let moves = 0;
    const after = () => {
      moves += 1;
      if (moves === 1) world.operator.revokeByHand(revoked);
    };
    const store = storeWith(world, { after });
    expect(await failureOf(goBack(world, { store }))).toMatchObject({ code: "previous_dead" });
    expect(world.holder("AWSCURRENT")).toBe(second);
    expect(moves).toBe(2);
  });

  it("keeps the promotion where C2M does not answer the second exchange: it worked a moment ago", async () => {
    const { world, first } = await rotated();
    const after = () => void world.fail("issueShortTermToken", { kind: "cut", when: "before" }, 100);
    await goBack(world, { store: storeWith(world, { after }) });
    expect(world.holder("AWSCURRENT")).toBe(first);
  });

  it("settles a lost answer by looking where the label is", async () => {
    const { world, first } = await rotated();
    world.fail("UpdateSecretVersionStage", { kind: "cut", when: "after" });
    await goBack(world);
    expect(world.holder("AWSCURRENT")).toBe(first);
    expect(world.events("token.promoted").at(-1)).toMatchObject({ version_id: first });
  });

  it.each([
    ["no_previous", "^There is no previous version to go back to", async () => World.ready({ settings })],
    [
      "previous_expired",
      "^The previous token expired at 2026-",
      async () => {
        const world = await World.ready({ settings: { ...settings, lifetimeSeconds: 3_600 } });
        await world.rotate();
        await world.clock.advanceBy(7_200_000);
        return world;
      },
    ],
    [
      "previous_dead",
      "^C2M rejects the previous token",
      async () => {
        const { world, first } = await rotated();
        world.operator.revokeByHand(String(world.value(first ?? "").token_id));
        await world.clock.advanceBy(11 * 60_000);
        return world;
      },
    ],
    [
      "previous_revoked",
      "^The previous token was revoked, or its revocation has begun",
      async () => {
        // The revocation is on record and has not bitten yet.
        const { world, first } = await rotated();
        const { token_id, expires_at } = world.value(first ?? "");
        const { log } = world.context();
        log.event("token.revoked", { secret: world.arn, token_id: String(token_id), expires_at: String(expires_at) });
        return world;
      },
    ],
    [
      "previous_foreign",
      "^The previous version holds no token of ours",
      async () => {
        const world = await World.ready({ settings, initialValue: "a-token-from-before" });
        await world.rotate();
        return world;
      },
    ],
  ])("is refused with %s, says why and what to do instead, and moves no label", async (code, says, arrange) => {
    const world = await arrange();
    const [labels, from] = [world.stages(), world.log.length];
    expect(await failureOf(goBack(world))).toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`${says}.*\\. Rotate instead\\.$`)),
    });
    expect(world.stages()).toEqual(labels);
    expect(world.log.slice(from)).toEqual([]);
  });

  it("is refused from the moment in which the previous token expires", async () => {
    const world = await World.ready({ settings: { ...settings, lifetimeSeconds: 3_600 } });
    const expiresAt = Date.parse(String(world.current().expires_at));
    await world.rotate();
    await world.clock.advanceTo(expiresAt);
    expect(await failureOf(goBack(world))).toMatchObject({ code: "previous_expired" });
  });

  it("asks the ledger for what came since the token was issued, and minds no other token's revocation", async () => {
    const { world, first } = await rotated();
    const { issued_at, expires_at } = world.value(first ?? "");
    const { log } = world.context();
    log.event("token.revoked", { secret: world.arn, token_id: "tok_lt_another", expires_at: String(expires_at) });
    const asked: number[] = [];
    const ledger = ledgerOf(world);
    const read = (from: number) => {
      asked.push(from);
      return ledger.read(from);
    };
    await rollback(world.context(), { ...requestOf(world), ledger: { read } });
    expect(new Set(asked)).toEqual(new Set([Date.parse(String(issued_at))]));
    expect(world.holder("AWSCURRENT")).toBe(first);
  });

  it("goes to a token without an id as well, which nobody can have revoked by it", async () => {
    const world = await World.ready({ settings, c2mKnobs: { tokenIdInBody: false, tokenIdInHeader: false } });
    const first = world.holder("AWSCURRENT");
    await world.rotate();
    world.context().log.event("token.revoked", { secret: world.arn, token_id: undefined, expires_at: undefined });
    await goBack(world);
    expect(world.holder("AWSCURRENT")).toBe(first);
  });

  it("takes AWSPENDING off the version that it replaces, where AWS has left it there: that rotation would undo it", async () => {
    const world = await World.ready({ settings, knobs: { pendingAfterSuccess: "never" } });
    const first = world.holder("AWSCURRENT");
    const second = await world.rotate();
    expect(world.holder("AWSPENDING")).toBe(second);
    await goBack(world);
    expect(world.holder("AWSPENDING")).toBeUndefined();
    expect(world.events("pending.detached")).toMatchObject([
      expect.objectContaining({ version_id: second, reason: "a rollback overtook its rotation" }),
    ]);
    const third = await world.rotate();
    expect([world.holder("AWSCURRENT"), world.holder("AWSPREVIOUS")]).toEqual([third, first]);
  });

  it.each([
    ["denied", "AccessDeniedException"],
    ["lost before it arrived", { kind: "cut", when: "before" }],
  ] as const)("whose move of the label is %s fails, and says of no promotion", async (_, fault) => {
    const { world, second } = await rotated();
    const from = world.log.length;
    world.fail("UpdateSecretVersionStage", fault, 100);
    await expect(goBack(world)).rejects.toThrow();
    expect(world.holder("AWSCURRENT")).toBe(second);
    expect(world.log.slice(from)).toEqual([]);
  });

  it("moves the label back where the second exchange is refused for good, and the token is old enough to be dead", async () => {
    const { world, first, second } = await rotated();
    await world.clock.advanceBy(11 * 60_000);
    let moves = 0;
    const after = () => {
      moves += 1;
      if (moves === 1) world.operator.revokeByHand(String(world.value(first ?? "").token_id));
    };
    expect(await failureOf(goBack(world, { store: storeWith(world, { after }) }))).toMatchObject({
      code: "previous_dead",
    });
    expect(world.holder("AWSCURRENT")).toBe(second);
  });

  it("lets the replaced token live for its grace and no longer", async () => {
    const { world, second } = await rotated();
    await world.clock.advanceBy(1_800_000);
    await goBack(world);
    await world.clock.advanceBy(3_000_000);
    expect((await runReconciler(world)).revoked).toEqual([]);
    await world.clock.advanceBy(1_200_000);
    expect((await runReconciler(world)).revoked).toEqual([world.value(second).token_id]);
  });

  it("is refused where the reconciler wins between its look and its move, whatever ended the grace", async () => {
    const { world, first = "", second } = await rotated();
    const seen = await world.store.describe(world.arn);
    const { store } = world;
    const moveStage: SecretStore["moveStage"] = async (move) => {
      if (move.stage === decisionLabel) await ruleOutRollback(world.context(), seen, first);
      return await store.moveStage(move);
    };
    const slow = { ...storeWith(world, { after: () => undefined }), moveStage };
    expect(await failureOf(goBack(world, { store: slow }))).toMatchObject({ code: "previous_revoked" });
    expect([world.holder("AWSCURRENT"), world.holder(decisionLabel)]).toEqual([second, first]);
    // And the next one knows it from its first look.
    expect(await failureOf(goBack(world))).toMatchObject({ code: "previous_revoked" });
  });

  it("keeps a reconciler that saw the labels before it from revoking, while it is under way and afterwards", async () => {
    const { world, first = "", second } = await rotated();
    const seen = await world.store.describe(world.arn);
    const revoke = async () => ((await failureOf(ruleOutRollback(world.context(), seen, first))) as RotationError).code;
    const codes: Promise<string>[] = [];
    const after = () => void codes.push(revoke());
    await goBack(world, { store: storeWith(world, { after }) });
    expect(await Promise.all(codes)).toEqual(["labels_moved"]);
    expect([world.holder("AWSCURRENT"), world.holder(decisionLabel)]).toEqual([first, undefined]);
    expect((await world.store.describe(world.arn)).stages.get(second ?? "")).toEqual(["AWSPREVIOUS"]);
  });

  it("that was cut short binds the reconciler until another version is current", async () => {
    const { world, first = "", second = "" } = await rotated();
    const { store } = world;
    const context = world.context();
    const labels = { currentId: second, previousId: first };
    expect(await ruleOutRevocation(context, await store.describe(world.arn), labels)).toBe(true);
    const revoke = async () => await ruleOutRollback(context, await store.describe(world.arn), first);
    await expect(revoke()).rejects.toMatchObject({ code: "labels_moved" });
    await world.rotate();
    await revoke();
    const now = await store.describe(world.arn);
    await ruleOutRollback(context, now, second);
    expect(world.holder(decisionLabel)).toBe(second);
  });

  it("waits, where nothing tells the grace, until the step that promoted can't revoke any more", async () => {
    const { world, first } = await rotated();
    const request = { ...requestOf(world), graceMs: undefined };
    expect(await failureOf(rollback(world.context(), request))).toMatchObject({ code: "previous_revoked" });
    await world.clock.advanceBy(200_000);
    expect(await rollback(world.context(), request)).toMatchObject({ versionId: first });
  });

  it("is refused where a revocation of the token has failed: it may have arrived", async () => {
    const { world, first } = await rotated();
    const { token_id, expires_at } = world.value(first ?? "");
    world.context().log.event("token.revocation.failed", {
      secret: world.arn,
      token_id: String(token_id),
      expires_at: String(expires_at),
      code: "no_answer",
    });
    expect(await failureOf(goBack(world))).toMatchObject({ code: "previous_revoked" });
  });

  it("is refused when the grace is over or ends within a minute, also where it was lowered since", async () => {
    const { world } = await rotated();
    await world.clock.advanceBy(1_800_000);
    const request = { ...requestOf(world), graceMs: 1_800_000 };
    expect(await failureOf(rollback(world.context(), request))).toMatchObject({ code: "previous_revoked" });
    expect(await rollback(world.context(), requestOf(world))).toMatchObject({});
  });

  it("is refused where the token ends before the next rotation, unless that is accepted", async () => {
    const world = await World.ready({ settings: { ...settings, lifetimeSeconds: 86_400 } });
    const first = world.holder("AWSCURRENT");
    await world.rotate();
    const { store } = world;
    const describe = async (id: string) => ({
      ...(await store.describe(id)),
      rotationEnabled: true,
      nextRotationAt: world.clock.now() + 2 * 86_400_000,
    });
    const late = { ...storeWith(world, { after: () => undefined }), describe };
    const refused = await failureOf(goBack(world, { store: late }));
    expect(refused).toMatchObject({ code: "previous_ends_early" });
    expect(refused.message).toMatch(/ends at 2026-.*next rotation is due by 2026-.*--accept-expiry/);
    const request = { ...requestOf(world), acceptExpiry: true };
    expect(await rollback(world.context({ store: late }), request)).toMatchObject({ versionId: first });
  });
});
