import { describe, expect, it } from "vitest";
import { ledgerOf, reconcileWorlds, runReconciler } from "../harness/reconciler-run.ts";
import { World } from "../harness/rotation-world.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const manual = { knobs: { retry: "manual" as const } };

/** The process dies here: nothing after it happens. */
function killBefore(world: World, operation: string): void {
  const { put } = world.store;
  if (operation !== "PutSecretValue") throw new Error(`Unknown ${operation}`);
  world.store.put = () => {
    world.store.put = put;
    return Promise.reject(new Error("killed"));
  };
}

describe("a token that no version holds", () => {
  it("is revoked once it can no longer be on its way into a version", async () => {
    const world = await World.ready(manual);
    killBefore(world, "PutSecretValue");
    const current = String(world.current().token_id);
    await world.rotate();
    const orphan = world.live().find((id) => id !== current) ?? "";
    await world.clock.advanceBy(30 * minute);
    expect((await runReconciler(world)).revoked).toEqual([]);
    await world.clock.advanceBy(31 * minute);
    expect((await runReconciler(world)).revoked).toEqual([orphan]);
    expect(world.live()).toEqual([current]);
    expect(world.metrics.findLast(({ name }) => name === "OrphansRevoked")?.value).toBe(1);
  });

  it("is found by the daily run when every run since was missed", async () => {
    const world = await World.ready(manual);
    killBefore(world, "PutSecretValue");
    await world.rotate();
    await world.clock.advanceBy(2 * day);
    // The pending version that it was issued for is given up first; a step may still be at work on it.
    expect((await runReconciler(world)).revoked).toEqual([]);
    await world.clock.advanceBy(5 * minute);
    expect((await runReconciler(world, { scope: "all" })).revoked).toHaveLength(1);
  });

  it("without an id is reported with its expiry, and never tried", async () => {
    const world = await World.ready({ ...manual, c2mKnobs: { tokenIdInBody: false, tokenIdInHeader: false } });
    await world.rotate();
    await world.clock.advanceBy(2 * hour);
    const before = world.countCalls("c2m").revokeToken;
    const report = await runReconciler(world);
    expect(report.unrevocable).toEqual([{ tokenId: undefined, expiresAt: expect.stringContaining("2026-03") }]);
    expect(world.countCalls("c2m").revokeToken).toBe(before);
  });
});

describe("an issue call without an answer", () => {
  async function lost(): Promise<World> {
    const world = await World.ready(manual);
    world.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: { kind: "cut", when: "after" } });
    await world.rotate();
    // The call could still be under way before.
    await world.clock.advanceBy(20 * minute);
    return world;
  }

  it("is a suspect until the latest time at which its token can expire", async () => {
    const world = await lost();
    const { suspects } = await runReconciler(world);
    const issued = world.c2mEngine.tokens.filter(({ kind }) => kind === "long").at(-1);
    expect(suspects).toHaveLength(1);
    const [suspect] = suspects;
    expect(Date.parse(suspect?.latestExpiresAt ?? "")).toBeGreaterThanOrEqual(issued?.expiresAt ?? Number.NaN);
    await world.clock.advanceTo(suspect?.latestExpiresAt ?? "");
    expect((await runReconciler(world, { scope: "all" })).suspects).toEqual([]);
    expect(world.c2mEngine.isLive(issued?.id ?? "")).toBe(false);
  });

  it("is named in the log and counted in a metric", async () => {
    const world = await lost();
    await runReconciler(world);
    expect(world.events("token.suspected")).toMatchObject([
      expect.objectContaining({
        secret: world.arn,
        attempt_id: expect.any(String),
        base_url: world.settings.baseUrl,
        client_id: world.settings.clientId,
        latest_expires_at: expect.any(String),
      }),
    ]);
    expect(world.metrics.findLast(({ name }) => name === "SuspectedTokens")?.value).toBe(1);
  });

  it("that C2M refused is no suspect", async () => {
    const world = await World.ready(manual);
    world.faults.add({
      service: "c2m",
      operation: "issueLongTermToken",
      fault: { kind: "error", status: 400, code: "invalid_grant", message: "no" },
    });
    await world.rotate();
    expect((await runReconciler(world)).suspects).toEqual([]);
  });
});

describe("a pending version", () => {
  const rejecting = {
    service: "c2m",
    operation: "issueShortTermToken",
    times: Number.POSITIVE_INFINITY,
    fault: { kind: "error", status: 503, code: "unavailable", message: "later" },
  } as const;

  async function stuck(): Promise<{ world: World; pendingToken: string; withdraw: () => void }> {
    const world = await World.ready(manual);
    const current = world.current().token_id;
    const withdraw = world.faults.add(rejecting);
    await world.rotate();
    return { world, pendingToken: world.live().find((id) => id !== current) ?? "", withdraw };
  }

  const labels = (world: World) => Object.values(world.stages()).flat().sort();

  it("of a rotation that can still finish is left alone, and its age measured", async () => {
    const { world, pendingToken } = await stuck();
    await world.clock.advanceBy(5 * hour);
    const report = await runReconciler(world);
    expect(report).toMatchObject({ detached: [], revoked: [], waiting: 1 });
    // The schedule names the next rotation already, and this one's token is not current yet.
    expect(report).not.toHaveProperty("rotatesInTime");
    const age = world.metrics.findLast(({ name }) => name === "PendingVersionAge")?.value ?? 0;
    expect(age).toBeGreaterThanOrEqual(5 * 3_600);
    expect(age).toBeLessThan(5 * 3_600 + 120);
    expect(labels(world)).toContain("AWSPENDING");
    expect(world.live()).toContain(pendingToken);
  });

  it("whose window is over is detached in one run and revoked in a later one", async () => {
    const { world, pendingToken } = await stuck();
    await world.clock.advanceBy(27 * hour);
    expect(await runReconciler(world, { scope: "all" })).toMatchObject({ detached: [expect.any(String)], revoked: [] });
    expect(labels(world)).not.toContain("AWSPENDING");
    await world.clock.advanceBy(3 * minute);
    expect((await runReconciler(world, { scope: "all" })).revoked).toEqual([]);
    await world.clock.advanceBy(minute + 1);
    expect((await runReconciler(world, { scope: "all" })).revoked).toEqual([pendingToken]);
  });

  it("of a cancelled rotation is detached at once", async () => {
    const { world } = await stuck();
    world.engine.cancelRotateSecret({ SecretId: world.arn });
    const report = await runReconciler(world);
    expect(report.detached).toHaveLength(1);
    // There is no next rotation to be in time.
    expect(report).not.toHaveProperty("rotatesInTime");
  });

  it("of an abandoned rotation has lost its label; its token is revoked, and the value put by hand stays", async () => {
    const { world, pendingToken } = await stuck();
    const byHand = JSON.stringify({ ...world.current(), note: "by hand" });
    world.engine.putSecretValue(
      { SecretId: world.arn, ClientRequestToken: "a".repeat(36), SecretString: byHand },
      world.administrator,
    );
    expect(labels(world)).not.toContain("AWSPENDING");
    await world.clock.advanceBy(2 * hour);
    expect((await runReconciler(world)).revoked).toEqual([pendingToken]);
    expect(world.current().note).toBe("by hand");
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("that was detached lets the next rotation start", async () => {
    const { world, withdraw } = await stuck();
    await world.clock.advanceBy(27 * hour);
    await runReconciler(world, { scope: "all" });
    withdraw();
    const version = await world.rotate();
    expect(world.stages()[version]).toContain("AWSCURRENT");
  });

  it("without a value is detached when its window is over", async () => {
    const world = await World.ready(manual);
    world.faults.add({
      service: "c2m",
      operation: "issueLongTermToken",
      fault: { kind: "error", status: 400, code: "invalid_grant", message: "no" },
    });
    await world.rotate();
    await world.clock.advanceBy(27 * hour);
    expect((await runReconciler(world)).detached).toHaveLength(1);
  });
});

describe("a run", () => {
  it("asks C2M once a day whether the current token works", async () => {
    const world = await World.ready();
    const before = world.countCalls("c2m").issueShortTermToken ?? 0;
    for (let run = 0; run < 24; run += 1) {
      await runReconciler(world);
      await world.clock.advanceBy(hour);
    }
    expect(world.countCalls("c2m").issueShortTermToken).toBe(before + 1);
    expect(world.events("token.proven").length).toBeGreaterThan(1);
  });

  it("says that the current token is rejected, and touches nothing", async () => {
    const world = await World.ready();
    const token = world.c2mEngine.byId(String(world.current().token_id));
    if (token) token.revokedAt = token.refusedFrom = world.clock.now();
    await world.clock.advanceBy(hour);
    const stages = world.stages();
    expect(await runReconciler(world, { proveNow: true })).toMatchObject({ currentWorks: false });
    expect(world.metrics.findLast(({ name }) => name === "CurrentTokenRejected")?.value).toBe(1);
    expect(world.events("token.rejected")).toHaveLength(1);
    expect(world.stages()).toEqual(stages);
  });

  it("says when the next rotation comes too late", async () => {
    const world = await World.ready({ settings: { lifetimeSeconds: 20 * 86_400 } });
    expect(await runReconciler(world)).toMatchObject({ rotatesInTime: false, secondsToExpiry: 20 * 86_400 });
    expect(world.metrics.findLast(({ name }) => name === "RotationTooLate")?.value).toBe(1);
  });

  it("goes on with the other secrets when one fails", async () => {
    const broken = await World.ready();
    broken.store.describe = () => Promise.reject(new Error("a bug that quotes secrets"));
    const whole = await World.ready();
    const { secrets } = await reconcileWorlds([broken, whole]);
    expect(secrets.map(({ error }) => error?.code)).toEqual(["unexpected", undefined]);
    expect(JSON.stringify(secrets)).not.toContain("quotes");
    expect(broken.events("reconcile.failed")).toHaveLength(1);
  });

  it("goes on with the other secrets when what is read of one is nonsense (row 17)", async () => {
    const broken = await World.ready();
    const { describe } = broken.store;
    broken.store.describe = async (id) => ({
      ...(await describe.call(broken.store, id)),
      stages: new Map([["0".repeat(36), null as unknown as string[]]]),
    });
    const whole = await World.ready();
    for (const scope of ["recent", "all"] as const) {
      const { secrets } = await reconcileWorlds([broken, whole], { scope });
      expect(secrets.map(({ error }) => error?.code)).toEqual(["unexpected", undefined]);
    }
  });

  it("stays within its budget of calls, takes the oldest token first, and the next run goes on", async () => {
    const orphaned = async (name: string, minutes: number): Promise<World> => {
      const world = await World.ready({ ...manual, settings: { secretName: name } });
      await world.clock.advanceBy(minutes * minute);
      killBefore(world, "PutSecretValue");
      await world.rotate();
      await world.clock.advanceTo("2026-01-01T02:00:00Z");
      return world;
    };
    const [young, old, middle] = [await orphaned("young", 30), await orphaned("old", 10), await orphaned("middle", 20)];
    const revokedBy = async (calls: number) => {
      const { secrets, c2mCalls } = await reconcileWorlds([young, old, middle], { calls });
      expect(c2mCalls).toBeLessThanOrEqual(calls);
      return secrets.filter(({ revoked }) => revoked.length > 0).map(({ name }) => name);
    };
    expect(await revokedBy(1)).toEqual(["old"]);
    expect(await revokedBy(2)).toEqual(["young", "middle"]);
  });

  it("also works with an empty ledger: what stands in versions is found all the same", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    const old = world.current().token_id;
    await world.rotate();
    await world.clock.advanceBy(2 * hour);
    expect((await runReconciler(world, { ledger: ledgerOf(world, () => true) })).revoked).toEqual([old]);
  });

  it("never issues, stores or promotes", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    await world.rotate();
    await world.clock.advanceBy(2 * hour);
    const from = world.calls.calls.length;
    await runReconciler(world, { scope: "all", proveNow: true });
    const made = { ...world.countCalls("secretsmanager", from), ...world.countCalls("c2m", from) };
    expect(Object.keys(made).sort()).toEqual([
      "DescribeSecret",
      "GetSecretValue",
      "ListSecretVersionIds",
      // The label that rules out a rollback.
      "UpdateSecretVersionStage",
      "issueShortTermToken",
      "revokeToken",
    ]);
  });
});
