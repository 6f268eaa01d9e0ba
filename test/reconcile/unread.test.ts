import { describe, expect, it } from "vitest";
import { hourOfProof } from "../../src/reconcile/survey.ts";
import { type RunOptions, reconcileWorlds, runReconciler } from "../harness/reconciler-run.ts";
import { World } from "../harness/rotation-world.ts";

const hour = 3_600_000;
const day = 24 * hour;

/** A secret that was rotated hours ago, in an hour that is not that of its proof. */
async function settled(settings: Partial<World["settings"]> = {}): Promise<World> {
  const world = await World.ready({ settings: { graceSeconds: 3_600, ...settings } });
  await world.clock.advanceBy(day);
  await world.rotate();
  for (let run = 0; run < 12; run += 1) {
    await world.clock.advanceBy(hour);
    await runReconciler(world);
  }
  if (new Date(world.clock.now()).getUTCHours() === hourOfProof(world.settings.secretName)) {
    await world.clock.advanceBy(hour);
  }
  return world;
}

async function callsOf(world: World, options: RunOptions = {}) {
  const from = world.calls.calls.length;
  const report = await runReconciler(world, options);
  return { report, calls: world.countCalls("secretsmanager", from) };
}

const read = expect.objectContaining({ GetSecretValue: expect.any(Number) });

describe("an hourly run over a secret to which nothing has happened", () => {
  it("makes one call, and reports it quiet", async () => {
    const world = await settled();
    const { report, calls } = await callsOf(world);
    expect(calls).toEqual({ DescribeSecret: 1 });
    expect(report).toMatchObject({ quiet: true, backlog: 0, waiting: 0, secondsSinceRotation: expect.any(Number) });
    expect(report).not.toHaveProperty("secondsToExpiry");
  });

  it("makes one call before the first rotation, too", async () => {
    const world = await World.ready();
    await world.clock.advanceBy(10 * hour);
    if (new Date(world.clock.now()).getUTCHours() === hourOfProof(world.settings.secretName)) {
      await world.clock.advanceBy(hour);
    }
    expect((await callsOf(world)).calls).toEqual({ DescribeSecret: 1 });
  });

  it("reads it in the hour of its proof, in the daily run, and where somebody ends the grace", async () => {
    const world = await settled();
    expect((await callsOf(world, { scope: "all" })).calls).toEqual(read);
    expect((await callsOf(world, { graceSeconds: 0 })).calls).toEqual(read);
    while (new Date(world.clock.now()).getUTCHours() !== hourOfProof(world.settings.secretName)) {
      await world.clock.advanceBy(hour);
    }
    const { report, calls } = await callsOf(world);
    expect(calls).toEqual(read);
    expect(report.currentWorks).toBe(true);
  });

  const changes: [string, (world: World) => Promise<unknown>][] = [
    ["a rotation", (world) => world.rotate()],
    [
      "a label moved by hand",
      async (world) =>
        world.engine.updateSecretVersionStage({
          SecretId: world.arn,
          VersionStage: "AWSCURRENT",
          MoveToVersionId: world.holder("AWSPREVIOUS") ?? "",
          RemoveFromVersionId: world.holder("AWSCURRENT") ?? "",
        }),
    ],
    ["rotation turned off", async (world) => world.engine.cancelRotateSecret({ SecretId: world.arn })],
    [
      "a rotation that does not end",
      async (world) => {
        world.fail("issueLongTermToken", { kind: "error", status: 500, code: "internal", message: "no" }, 100);
        await world.rotate().catch(() => undefined);
      },
    ],
    [
      "the last week of the token's life has begun",
      async (world) => {
        // The next rotation is 30 days and a half away.
        Object.assign(world.settings, { lifetimeSeconds: 31.5 * 86_400 });
        expect((await callsOf(world)).calls).toEqual({ DescribeSecret: 1 });
        await world.clock.advanceBy(25 * day);
      },
    ],
  ];
  it.each(changes)("reads it after %s", async (_, change) => {
    const world = await settled();
    await change(world);
    expect((await callsOf(world)).calls).toEqual(read);
  });

  it("reads it where the schedule comes too late for the lifetime that is asked for", async () => {
    const world = await settled();
    Object.assign(world.settings, { lifetimeSeconds: 86_400 });
    expect((await callsOf(world)).calls).toEqual(read);
  });

  it("reads what is current in it where another secret's token is to go, so that one in both is spared", async () => {
    const quiet = await settled({ secretName: "c2m/quiet" });
    const other = await World.ready({ settings: { secretName: "c2m/other", graceSeconds: 3_600 } });
    await other.clock.advanceTo(new Date(quiet.clock.now() - 3 * hour).toISOString());
    await other.rotate();
    await other.clock.advanceTo(new Date(quiet.clock.now()).toISOString());
    const from = quiet.calls.calls.length;
    const report = await reconcileWorlds([other, quiet]);
    expect(report.secrets.map(({ revoked }) => revoked.length)).toEqual([1, 0]);
    expect(quiet.countCalls("secretsmanager", from)).toEqual({ DescribeSecret: 1, GetSecretValue: 1 });
  });

  it.each(["a text", "our JSON without its id", "C2M's own answer"])(
    "spares what another secret holds as %s, copied from a version that has lost its labels since (row 8)",
    async (kind) => {
      const world = await World.ready({ settings: { graceSeconds: 3_600 } });
      const copied = world.current();
      const { token_id: id, access_token: text, ...rest } = copied;
      const { client_id: _, base_url: __, ...answer } = rest;
      const fields = kind === "C2M's own answer" ? answer : rest;
      const value = kind === "a text" ? String(text) : JSON.stringify({ ...fields, access_token: text });
      const other = new World({ settings: { secretName: "c2m/other" }, initialValue: value });
      await other.enableRotation();
      await world.clock.advanceBy(10 * 60_000);
      await world.rotate();
      await world.clock.advanceBy(10 * 60_000);
      const second = String(world.current().token_id);
      await world.rotate();
      await world.clock.advanceBy(2 * hour);
      const third = new World({ settings: { secretName: "c2m/third" }, initialValue: "somebody's text" });
      const { secrets } = await reconcileWorlds([world, other, third]);
      expect(secrets[0]).toMatchObject({ revoked: [second], backlog: 0 });
      expect(world.live()).toContain(id);
    },
  );

  it("spares what a rotation of another secret is about to make current: C2M gave it twice (rows 8, 18)", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    const first = world.current();
    await world.rotate();
    const other = await World.ready({ settings: { secretName: "c2m/other" } });
    await world.clock.advanceBy(2 * hour);
    await other.clock.advanceBy(2 * hour);
    const pending = await other.open();
    other.operator.put(JSON.stringify(first), ["AWSPENDING"], pending);
    const { secrets } = await reconcileWorlds([world, other]);
    expect(secrets.map(({ revoked }) => revoked)).toEqual([[], []]);
    expect(world.live()).toContain(first.token_id);
  });
});
