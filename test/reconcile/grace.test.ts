import { describe, expect, it } from "vitest";
import { ledgerOf, runReconciler } from "../harness/reconciler-run.ts";
import { World, type WorldOptions } from "../harness/rotation-world.ts";

const hour = 3_600_000;
const day = 24 * hour;
const graced: WorldOptions = { settings: { graceSeconds: 3_600 } };

async function rotated(options = graced): Promise<{ world: World; old: string; current: string }> {
  const world = await World.ready(options);
  const old = String(world.current().token_id);
  await world.clock.advanceBy(day);
  await world.rotate();
  return { world, old, current: String(world.current().token_id) };
}

describe("a superseded token", () => {
  it("lives while its grace runs", async () => {
    const { world, old } = await rotated();
    await world.clock.advanceBy(hour - 1_000);
    const report = await runReconciler(world);
    expect(report).toMatchObject({ revoked: [], waiting: 1, backlog: 0 });
    expect(world.live()).toContain(old);
  });

  it("is revoked by the first run after its grace", async () => {
    const { world, old, current } = await rotated();
    await world.clock.advanceBy(hour + 1_000);
    const report = await runReconciler(world);
    expect(report).toMatchObject({ revoked: [old], waiting: 0, backlog: 0 });
    expect(world.live()).toEqual([current]);
  });

  it("costs no call once it is revoked, in any run", async () => {
    const { world, old } = await rotated();
    await world.clock.advanceBy(hour + 1_000);
    await runReconciler(world);
    const before = world.countCalls("c2m").revokeToken;
    await world.clock.advanceBy(hour);
    await runReconciler(world);
    await world.clock.advanceBy(9 * hour);
    await runReconciler(world);
    const report = await runReconciler(world, { scope: "all" });
    expect(world.countCalls("c2m").revokeToken).toBe(before);
    expect(report).toMatchObject({ revoked: [], revokedBefore: [old] });
  });

  it("is revoked at once when somebody ends the grace by hand", async () => {
    const { world, old } = await rotated();
    expect((await runReconciler(world, { graceSeconds: 0 })).revoked).toEqual([old]);
  });

  it("that nobody revoked for days is found by the run that looks at everything", async () => {
    const { world, old } = await rotated();
    await world.clock.advanceBy(3 * day);
    expect((await runReconciler(world)).revoked).toEqual([]);
    expect((await runReconciler(world, { scope: "all" })).revoked).toEqual([old]);
  });

  it("that lost its last label is found by the run that looks at everything, also with an empty ledger", async () => {
    const { world, old } = await rotated();
    await world.clock.advanceBy(day);
    const previous = String(world.current().token_id);
    await world.rotate();
    await world.clock.advanceBy(2 * hour);
    const { revoked } = await runReconciler(world, { scope: "all", ledger: ledgerOf(world, () => true) });
    expect(revoked.sort()).toEqual([old, previous].sort());
  });

  it("is tried again by the next run when revoking it failed", async () => {
    const { world, old } = await rotated();
    await world.clock.advanceBy(hour + 1_000);
    const withdraw = world.faults.add({
      service: "c2m",
      operation: "revokeToken",
      times: Number.POSITIVE_INFINITY,
      fault: { kind: "error", status: 503, code: "unavailable", message: "later" },
    });
    expect(await runReconciler(world)).toMatchObject({ revoked: [], backlog: 1, error: { code: expect.any(String) } });
    withdraw();
    await world.clock.advanceBy(hour);
    expect(await runReconciler(world)).toMatchObject({ revoked: [old], backlog: 0 });
  });

  it("is not revoked while revocation is switched off", async () => {
    const { world, old } = await rotated({ settings: { ...graced.settings, revocation: false } });
    await world.clock.advanceBy(2 * hour);
    expect((await runReconciler(world)).revoked).toEqual([]);
    expect(world.live()).toContain(old);
  });

  it("is not revoked while a replica is behind, which rings after a day", async () => {
    const { world, old } = await rotated();
    world.engine.knobs.replicationLagMs = Number.POSITIVE_INFINITY;
    world.engine.replicateSecretToRegions({ SecretId: world.arn, AddReplicaRegions: [{ Region: "eu-west-1" }] });
    await world.clock.advanceBy(2 * hour);
    expect(await runReconciler(world)).toMatchObject({ revoked: [], waiting: 1, backlog: 0, held: [] });
    await world.clock.advanceBy(day);
    expect(await runReconciler(world, { scope: "all" })).toMatchObject({
      revoked: [],
      waiting: 0,
      backlog: 1,
      held: [{ tokenId: old, expiresAt: expect.any(String), reason: "replica" }],
      quiet: false,
    });
    expect(world.metrics).toContainEqual({ name: "TokensHeldBack", value: 1 });
    expect(world.live()).toContain(old);
  });

  it("keeps its grace also where moving a label does not change LastChangedDate", async () => {
    const world = await World.ready({ ...graced, knobs: { lastChangedMovedBy: ["value"], retry: "manual" } });
    const old = String(world.current().token_id);
    // Stored long before it is promoted: C2M rejects the new token for hours.
    world.faults.add({
      service: "c2m",
      operation: "issueShortTermToken",
      times: Number.POSITIVE_INFINITY,
      fault: { kind: "error", status: 503, code: "unavailable", message: "later" },
    });
    await world.rotate();
    await world.clock.advanceBy(3 * hour);
    world.faults.clear();
    // Promoted, and the rotation fails before Secrets Manager can note it as done.
    world.invoke = async (event) => {
      await world.step(event);
      if (event.Step === "finishSecret") throw new Error("lost");
    };
    // Refused as in progress, and the pending rotation runs again.
    const again = { SecretId: world.arn, ClientRequestToken: "a".repeat(36) };
    expect(() => world.engine.rotateSecret(again)).toThrow("complete");
    await world.engine.idle();
    expect(world.current().token_id).not.toBe(old);
    await world.clock.advanceBy(hour / 2);
    expect((await runReconciler(world)).revoked).toEqual([]);
    expect(world.live()).toContain(old);
  });
});
