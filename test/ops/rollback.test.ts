import { describe, expect, it } from "vitest";
import type { RotationContext, SecretStore } from "../../lambdas/rotation/ports.ts";
import { rollback } from "../../lambdas/rotation/rollback.ts";
import { ledgerOf, runReconciler } from "../reconcile/run.ts";
import { failureOf, World } from "../rotation/world.ts";

const settings = { graceSeconds: 3_600 };

/** A world that has rotated once; its first token is at AWSPREVIOUS. */
async function rotated() {
  const world = await World.ready({ settings });
  const first = world.holder("AWSCURRENT");
  const second = await world.rotate();
  return { world, first, second };
}

const goBack = (world: World, overrides: Partial<RotationContext> = {}) =>
  rollback(world.context(overrides), world.arn, ledgerOf(world));

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
      await store.moveStage(move);
      if (move.stage === "AWSCURRENT") after();
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
    expect(world.events("pending.detached")).toEqual([expect.objectContaining({ version_id: open })]);
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
    ["no_previous", async () => World.ready({ settings })],
    [
      "previous_expired",
      async () => {
        const world = await World.ready({ settings: { ...settings, ttlSeconds: 3_600 } });
        await world.rotate();
        await world.clock.advanceBy(7_200_000);
        return world;
      },
    ],
    [
      "previous_dead",
      async () => {
        const { world, first } = await rotated();
        world.operator.revokeByHand(String(world.value(first ?? "").token_id));
        await world.clock.advanceBy(11 * 60_000);
        return world;
      },
    ],
    [
      "previous_revoked",
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
      async () => {
        const world = await World.ready({ settings, initialValue: "a-token-from-before" });
        await world.rotate();
        return world;
      },
    ],
  ])("is refused with %s, and AWSCURRENT stays", async (code, arrange) => {
    const world = await arrange();
    const current = world.holder("AWSCURRENT");
    expect(await failureOf(goBack(world))).toMatchObject({ code });
    expect(world.holder("AWSCURRENT")).toBe(current);
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
});
