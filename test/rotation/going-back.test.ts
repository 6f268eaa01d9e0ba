import { describe, expect, it } from "vitest";
import { decisionLabel, decommissionLabel } from "../../src/formats/labels.ts";
import type { SecretStore } from "../../src/ports/secret-store.ts";
import { isDecommissioned, markDecommissioned, unmarkDecommissioned } from "../../src/rotation/decommissioned.ts";
import { ruleOutRevocation, ruleOutRollback } from "../../src/rotation/going-back.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

/** A world that has rotated twice: the second token is at AWSPREVIOUS. */
async function rotated() {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const first = world.holder("AWSCURRENT") ?? "";
  const second = await world.rotate();
  return { world, first, second, see: () => world.store.describe(world.arn) };
}

/** A store that writes as the world's does and says how often labels were to be moved. */
function counted(world: World): { store: SecretStore; moves: unknown[] } {
  const moves: unknown[] = [];
  const { store } = world;
  const moveStage: SecretStore["moveStage"] = (move) => {
    moves.push(move);
    return store.moveStage(move);
  };
  return { store: { ...store, describe: (id) => store.describe(id), moveStage }, moves };
}

describe("ruling out a rollback", () => {
  it("marks the version at AWSPREVIOUS once, and no other one", async () => {
    const { world, first, second, see } = await rotated();
    const { store, moves } = counted(world);
    await ruleOutRollback({ arn: world.arn, store }, await see(), second);
    expect(moves).toEqual([]);
    await ruleOutRollback({ arn: world.arn, store }, await see(), first);
    expect(moves).toEqual([{ secretId: world.arn, stage: decisionLabel, toVersionId: first }]);
    await ruleOutRollback({ arn: world.arn, store }, await see(), first);
    expect(moves).toHaveLength(1);
    expect(world.holder(decisionLabel)).toBe(first);
  });

  it("goes on where another run has marked the same version meanwhile: the daily run and the hourly one begin at once", async () => {
    const { world, first, second, see } = await rotated();
    await ruleOutRollback(world, await see(), first);
    await world.rotate();
    const before = await see();
    await ruleOutRollback(world, before, second);
    await ruleOutRollback(world, before, second);
    expect(world.holder(decisionLabel)).toBe(second);
  });

  it("takes the mark over from a version of former times, and not from one that it did not see", async () => {
    const { world, first, second, see } = await rotated();
    await ruleOutRollback(world, await see(), first);
    const third = await world.rotate();
    const before = await see();
    await ruleOutRollback(world, before, second);
    expect(world.holder(decisionLabel)).toBe(second);
    // Whoever looked earlier comes too late.
    world.operator.moveStage(decisionLabel, third);
    const failure = await failureOf(ruleOutRollback(world, before, second));
    expect(failure).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    expect(failure.message).toMatch(/going back to this token.*run it again\.$/);
    expect(world.holder(decisionLabel)).toBe(third);
  });
});

describe("ruling out a revocation", () => {
  it("marks the current version once, and is refused where the revocation has begun", async () => {
    const { world, first, second, see } = await rotated();
    const labels = { currentId: second, previousId: first };
    const { store, moves } = counted(world);
    const context = { arn: world.arn, store };
    expect(await ruleOutRevocation(context, await see(), labels)).toBe(true);
    expect(moves).toEqual([{ secretId: world.arn, stage: decisionLabel, toVersionId: second }]);
    expect(await ruleOutRevocation(context, await see(), labels)).toBe(true);
    world.operator.moveStage(decisionLabel, first);
    expect(await ruleOutRevocation(context, await see(), labels)).toBe(false);
    expect(moves).toHaveLength(1);
    expect(world.holder(decisionLabel)).toBe(first);
  });

  it("takes the mark over from a version of former times", async () => {
    const { world, first, second, see } = await rotated();
    world.operator.moveStage(decisionLabel, first);
    const third = await world.rotate();
    expect(await ruleOutRevocation(world, await see(), { currentId: third, previousId: second })).toBe(true);
    expect(world.holder(decisionLabel)).toBe(third);
  });

  it("settles a lost answer by looking, and throws what is no lost answer", async () => {
    const { world, first, second, see } = await rotated();
    const labels = { currentId: second, previousId: first };
    const seen = await see();
    world.fail("UpdateSecretVersionStage", "AccessDeniedException");
    expect((await failureOf(ruleOutRevocation(world, seen, labels))).code).toBe("store_denied");
    world.fail("UpdateSecretVersionStage", { kind: "cut", when: "before" }, 100);
    expect(await failureOf(ruleOutRevocation(world, seen, labels))).toMatchObject({ name: "AmbiguousError" });
    world.faults.clear();
    world.fail("UpdateSecretVersionStage", { kind: "cut", when: "after" });
    expect(await ruleOutRevocation(world, seen, labels)).toBe(true);
    expect(world.holder(decisionLabel)).toBe(second);
  });
});

describe("the mark of a decommission", () => {
  it("is put on the current version once, and taken off again", async () => {
    const { world, second, see } = await rotated();
    expect(isDecommissioned(await see())).toBe(false);
    expect(await markDecommissioned(world, await see())).toBe(true);
    expect([isDecommissioned(await see()), world.holder(decommissionLabel)]).toEqual([true, second]);
    const { store, moves } = counted(world);
    expect(await markDecommissioned({ arn: world.arn, store }, await see())).toBe(false);
    await unmarkDecommissioned({ arn: world.arn, store }, await see());
    expect([isDecommissioned(await see()), world.holder(decommissionLabel)]).toEqual([false, undefined]);
    await unmarkDecommissioned({ arn: world.arn, store }, await see());
    expect(moves).toEqual([{ secretId: world.arn, stage: decommissionLabel, fromVersionId: second }]);
  });

  it("is put on any version where none is current; a secret without one can't be marked", async () => {
    const { world, see } = await rotated();
    const seen = await see();
    const only = { ...seen, stages: new Map([...seen.stages].filter(([, stages]) => !stages.includes("AWSCURRENT"))) };
    expect(await markDecommissioned(world, only)).toBe(true);
    expect(world.holder(decommissionLabel)).toBe(world.holder("AWSPREVIOUS"));
    const { store, moves } = counted(world);
    expect(await markDecommissioned({ arn: world.arn, store }, { ...seen, stages: new Map() })).toBe(false);
    expect(moves).toEqual([]);
  });

  it("is refused where another decommission has begun meanwhile", async () => {
    const { world, first, see } = await rotated();
    const seen = await see();
    world.operator.moveStage(decommissionLabel, first);
    const failure = await failureOf(markDecommissioned(world, seen));
    expect(failure).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    expect(failure.message).toMatch(/another decommission has begun/);
    expect(world.holder(decommissionLabel)).toBe(first);
  });
});
