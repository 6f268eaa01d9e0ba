import { describe, expect, it } from "vitest";
import { hourOfProof } from "../../src/reconcile/survey.ts";
import { reconcileWorlds } from "../harness/reconciler-run.ts";
import { World, type WorldOptions } from "../harness/rotation-world.ts";

const hour = 3_600_000;
const evening = "2026-01-01T20:00:00Z";
const graced = { graceSeconds: 3_600 };

/** A world whose first token is superseded, and its grace over. */
async function superseded(): Promise<{ world: World; old: string; oldText: string }> {
  const world = await World.ready({ settings: graced });
  const { token_id: old, access_token: oldText } = world.current();
  await world.clock.advanceTo("2026-01-01T17:30:00Z");
  await world.rotate();
  await world.clock.advanceTo(evening);
  return { world, old: String(old), oldText: String(oldText) };
}

/** Another secret of the same stack, to which nothing has happened for hours. */
async function another(options: WorldOptions = {}): Promise<World> {
  const settings = { secretName: "c2m/other", ...options.settings };
  const world = new World({ ...options, settings });
  if (options.initialValue === undefined) await world.bootstrap();
  await world.enableRotation();
  await world.clock.advanceTo(evening);
  return world;
}

describe("a token that two secrets hold", () => {
  it("is revoked when its grace is over in both", async () => {
    const world = await World.ready({ settings: graced });
    const { token_id: id } = world.current();
    const other = new World({
      settings: { secretName: "c2m/other", graceSeconds: 3 * 3_600 },
      initialValue: JSON.stringify(world.current()),
    });
    // At the same C2M.
    Object.assign(other, { c2m: world.c2m });
    await other.enableRotation();
    for (const one of [world, other]) await one.rotate();
    for (const one of [world, other]) await one.clock.advanceBy(2 * hour);
    const figures = async () =>
      (await reconcileWorlds([world, other])).secrets.map(({ revoked, waiting }) => ({ revoked, waiting }));
    expect(await figures()).toEqual([
      { revoked: [], waiting: 1 },
      { revoked: [], waiting: 1 },
    ]);
    expect(world.live()).toContain(id);
    for (const one of [world, other]) await one.clock.advanceBy(2 * hour);
    expect(await figures()).toEqual([
      { revoked: [id], waiting: 0 },
      { revoked: [id], waiting: 0 },
    ]);
    expect(world.live()).not.toContain(id);
  });

  it("holds back no other token", async () => {
    const { world, old } = await superseded();
    const other = await another({ settings: graced });
    await other.rotate();
    const { secrets } = await reconcileWorlds([world, other]);
    expect(secrets).toMatchObject([
      { revoked: [old], waiting: 0 },
      { revoked: [], waiting: 1 },
    ]);
  });
});

describe("a superseded token that another secret holds as a text", () => {
  it("is spared, also where nothing else would have had the run read that secret", async () => {
    const { world, old, oldText } = await superseded();
    const other = await another({ initialValue: oldText });
    const from = other.calls.calls.length;
    expect((await reconcileWorlds([world, other])).secrets).toMatchObject([
      { revoked: [], backlog: 0, quiet: true },
      { revoked: [], backlog: 0, quiet: true },
    ]);
    expect(other.countCalls("secretsmanager", from)).toEqual({ DescribeSecret: 1, GetSecretValue: 1 });
    expect(world.live()).toContain(old);
  });
});

describe("a run over one secret only", () => {
  const only = ["c2m/api-token"];

  it("reports no other one, and spares what another one holds", async () => {
    const { world, old, oldText } = await superseded();
    const other = await another({ initialValue: oldText });
    const report = await reconcileWorlds([world, other], { only });
    expect(report.secrets).toMatchObject([{ name: "c2m/api-token", revoked: [] }]);
    expect(world.live()).toContain(old);
  });

  it("goes on where another one is empty, which is no failure", async () => {
    const { world, old } = await superseded();
    const empty = new World({ settings: { secretName: "c2m/empty" } });
    expect((await reconcileWorlds([world, empty], { only })).secrets).toMatchObject([{ revoked: [old] }]);
    expect(world.events("reconcile.failed")).toEqual([]);
  });

  it("goes on where another one can't be read, and says so", async () => {
    const { world, old } = await superseded();
    const other = await another();
    other.fail("GetSecretValue", "AccessDeniedException", Number.POSITIVE_INFINITY);
    expect((await reconcileWorlds([world, other], { only })).secrets).toMatchObject([{ revoked: [old] }]);
    expect(world.events("reconcile.failed")).toMatchObject([{ secret: "c2m/other", code: "store_denied" }]);
  });
});

describe("a secret that can't be read", () => {
  it("holds back its own tokens only, whether it can't be described or its value is not handed out", async () => {
    const { world, old } = await superseded();
    const mute = await another({ settings: { secretName: "c2m/mute" } });
    const gone = await another({ settings: { secretName: "c2m/gone" } });
    expect(hourOfProof("c2m/mute")).not.toBe(20);
    mute.fail("GetSecretValue", "AccessDeniedException", Number.POSITIVE_INFINITY);
    gone.fail("DescribeSecret", "ResourceNotFoundException", Number.POSITIVE_INFINITY);
    const { secrets } = await reconcileWorlds([world, mute, gone]);
    expect(secrets).toMatchObject([
      { revoked: [old], quiet: true },
      { revoked: [], quiet: false, error: { code: "store_denied" } },
      { revoked: [], quiet: false, error: { code: "secret_not_found" } },
    ]);
    expect(secrets[0]).not.toHaveProperty("error");
  });
});
