import { describe, expect, it } from "vitest";
import { proofOfCredentials } from "../../src/formats/ledger.ts";
import { PermanentError } from "../../src/ports/errors.ts";
import { hourOfProof } from "../../src/reconcile/survey.ts";
import { reconcileWorlds } from "../harness/reconciler-run.ts";
import { World, type WorldOptions } from "../harness/rotation-world.ts";

const hour = 3_600_000;
/** No proof of life falls in this hour. */
const evening = "2026-01-01T21:00:00Z";
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
async function another(settings: WorldOptions["settings"] = {}, value?: string): Promise<World> {
  const world = await World.ready({ settings: { secretName: "c2m/other", ...settings } });
  if (value !== undefined) world.operator.put(value);
  await world.clock.advanceTo(evening);
  expect(hourOfProof(world.settings.secretName)).not.toBe(21);
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
    const other = await another(graced);
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
    const other = await another({}, oldText);
    const from = other.calls.calls.length;
    expect((await reconcileWorlds([world, other])).secrets).toMatchObject([
      { revoked: [], backlog: 0, quiet: true },
      { revoked: [], backlog: 0, quiet: true },
    ]);
    expect(other.countCalls("secretsmanager", from)).toEqual({ DescribeSecret: 1, GetSecretValue: 1 });
    expect(world.live()).toContain(old);
  });

  it.each<[string, (text: string) => string]>([
    ["with a line's end", (text) => `${text}\n`],
    ["in quotes", (text) => JSON.stringify(text)],
    ["in JSON of somebody's own", (text) => JSON.stringify({ C2M_TOKEN: text })],
  ])("is spared in whatever form: %s (row 8)", async (_, form) => {
    const { world, old, oldText } = await superseded();
    await reconcileWorlds([world, await another({}, form(oldText))]);
    expect(world.live()).toContain(old);
  });
});

describe("a token that only the ledger knows", () => {
  const removed = "1".repeat(36);

  /** Named in the ledger as issued for this version. */
  async function orphaned(version: string): Promise<{ world: World; id: string; versionId: string }> {
    const { world } = await superseded();
    await reconcileWorlds([world]);
    const versionId = world.holder(version) ?? version;
    const { id } = await world.foreignToken();
    const fields = { secret: world.arn, version_id: versionId, attempt_id: "a", token_id: id, client_id: "c2m_client" };
    world.log.push({
      at: world.clock.now() - 2 * hour,
      event: "token.issued",
      fields: { ...fields, expires_at: "2026-01-02T20:00:00Z" },
    });
    return { world, id, versionId };
  }

  it.each([
    ["that is not there any more", removed],
    ["that holds another token", "AWSPREVIOUS"],
    ["that can be none", "lost"],
    ["that never was one", proofOfCredentials],
  ])("is revoked where another secret holds a text, and it was issued for a version %s", async (_, version) => {
    const { world, id } = await orphaned(version);
    const other = await another({}, "somebody's text");
    expect((await reconcileWorlds([world, other])).secrets).toMatchObject([{ revoked: [id] }, { revoked: [] }]);
    expect(world.events("reconcile.failed")).toEqual([]);
  });

  it.each([
    ["its own text", true],
    ["another text", false],
  ])(
    "since its version has no label any more, is spared or revoked where another secret holds %s",
    async (_, isSpared) => {
      const world = await World.ready({ settings: graced });
      for (const at of ["17:30", "18:00", "18:30"]) {
        await world.clock.advanceTo(`2026-01-01T${at}:00Z`);
        await world.rotate();
      }
      await world.clock.advanceTo(evening);
      const [, id] = world.live();
      const { fields } =
        world.log.find(({ event, fields }) => event === "token.issued" && fields.token_id === id) ?? {};
      const { access_token } = world.value(fields && "version_id" in fields ? fields.version_id : "");
      const other = await another({}, isSpared ? String(access_token) : "somebody's text");
      await reconcileWorlds([world, other]);
      expect(world.live().includes(String(id))).toBe(isSpared);
    },
  );

  it("is not revoked where another secret holds a text, and the version that it was issued for can't be read", async () => {
    const { world, id, versionId } = await orphaned(removed);
    const { store } = world;
    const read = store.read.bind(store);
    store.read = async (secretId, version) => {
      if (version === versionId) throw new PermanentError("store_denied", "As ordered.");
      return await read(secretId, version);
    };
    expect((await reconcileWorlds([world, await another({}, "somebody's text")])).secrets).toMatchObject([
      { revoked: [], quiet: false, error: { code: "store_denied" } },
      { revoked: [] },
    ]);
    expect(world.live()).toContain(id);
  });

  it("is told by its ids from what the others hold, where they have some, and its version is not read", async () => {
    const { world, id, versionId } = await orphaned(removed);
    const read: string[] = [];
    const { store } = world;
    const whole = store.read.bind(store);
    store.read = async (secretId, version) => {
      read.push(version);
      return await whole(secretId, version);
    };
    expect((await reconcileWorlds([world, await another()])).secrets).toMatchObject([{ revoked: [id] }, {}]);
    expect(read).not.toContain(versionId);
  });
});

describe("a run over one secret only", () => {
  const only = ["c2m/api-token"];

  it("reports no other one, and spares what another one holds", async () => {
    const { world, old, oldText } = await superseded();
    const other = await another({}, oldText);
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
  it("is asked once more for what it holds alone, before another one's token goes", async () => {
    const { world, old, oldText } = await superseded();
    const mute = await another({ secretName: "c2m/mute" }, oldText);
    mute.fail("DescribeSecret", "AccessDeniedException", Number.POSITIVE_INFINITY);
    expect((await reconcileWorlds([world, mute])).secrets).toMatchObject([
      { revoked: [] },
      { error: { code: "store_denied" } },
    ]);
    expect(world.live()).toContain(old);
    // Where it does not tell, it holds nothing back.
    mute.fail("GetSecretValue", "AccessDeniedException", Number.POSITIVE_INFINITY);
    expect((await reconcileWorlds([world, mute])).secrets).toMatchObject([{ revoked: [old] }, { revoked: [] }]);
  });

  it("holds back its own tokens only, whether it can't be described or its value is not handed out", async () => {
    const { world, old } = await superseded();
    const mute = await another({ secretName: "c2m/mute" });
    const gone = await another({ secretName: "c2m/gone" });
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
