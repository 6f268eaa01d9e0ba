import { describe, expect, it } from "vitest";
import { metricNames } from "../../src/formats/metrics.ts";
import type { TokenUser } from "../../src/ports/c2m.ts";
import { RetryableError } from "../../src/ports/errors.ts";
import { reconcileWorlds, runReconciler } from "../harness/reconciler-run.ts";
import { World } from "../harness/rotation-world.ts";

const minute = 60_000;
const hour = 60 * minute;
const all = { scope: "all" } as const;
const gateway = { kind: "error", status: 404, code: "", message: "" } as const;
const unnamed401 = { kind: "garble", status: 401, body: "<html>" } as const;
const cut = { kind: "cut", when: "before" } as const;

/** A world whose first token is superseded, and its grace over. */
async function superseded(settings: Partial<World["settings"]> = {}): Promise<{ world: World; old: string }> {
  const world = await World.ready({ settings: { graceSeconds: 3_600, ...settings } });
  const old = String(world.current().token_id);
  await world.rotate();
  await world.clock.advanceBy(2 * hour);
  return { world, old };
}

const runBoth = async (worlds: [World, World]) => (await reconcileWorlds(worlds)).secrets;

describe("a revocation that is answered 404 without a code for a day", () => {
  it.each([
    ["the token works", undefined],
    ["what stands before C2M answers in its place", unnamed401],
  ])("is tried again while %s", async (_, fault) => {
    const { world, old } = await superseded();
    world.fail("revokeToken", gateway, Number.POSITIVE_INFINITY);
    await runReconciler(world, all);
    await world.clock.advanceBy(25 * hour);
    if (fault) world.fail("issueShortTermToken", fault, Number.POSITIVE_INFINITY);
    expect(await runReconciler(world, all)).toMatchObject({ revoked: [], backlog: 1, unseen: 0, quiet: false });
    expect([world.events("token.dead"), world.events("token.death.unseen")]).toEqual([[], []]);
    world.faults.clear();
    expect(await runReconciler(world, all)).toMatchObject({ revoked: [old], backlog: 0 });
  });

  it("is given up where the token's text is not at hand, by each of its ids, and is not asked for again", async () => {
    const world = await World.ready();
    const { id } = await world.foreignToken(7 * 86_400);
    const fields = {
      secret: world.arn,
      version_id: "lost",
      attempt_id: "a",
      token_id: id,
      header_token_id: "tok_of_the_header",
      expires_at: "2026-01-08T00:00:00Z",
      client_id: "c2m_client",
    };
    world.log.push({ at: world.clock.now(), event: "token.issued", fields });
    await world.clock.advanceBy(2 * hour);
    world.fail("revokeToken", gateway, Number.POSITIVE_INFINITY);
    expect(await runReconciler(world, all)).toMatchObject({ backlog: 1, unseen: 0 });
    await world.clock.advanceBy(25 * hour);
    expect(await runReconciler(world, all)).toMatchObject({ revoked: [], backlog: 0, unseen: 1 });
    expect(world.metrics).toContainEqual({ name: metricNames.unseen, value: 1 });
    expect(world.metrics.map(({ name }) => name)).not.toContain(metricNames.orphansRevoked);
    const reason = "404 for a day, and C2M's code is not there";
    expect(world.events("token.death.unseen")).toMatchObject([
      { secret: world.arn, token_id: id, reason },
      { secret: world.arn, token_id: "tok_of_the_header", reason },
    ]);
    const from = world.calls.calls.length;
    expect(await runReconciler(world, all)).toMatchObject({ backlog: 0, unseen: 0 });
    expect(world.countCalls("c2m", from).revokeToken).toBeUndefined();
  });
});

describe("a revocation that is answered with 2xx and JSON, which need not be C2M's", () => {
  const claim = { kind: "error", status: 200, code: "fine", message: "done" } as const;

  async function orphan(): Promise<{ world: World; id: string }> {
    const world = await World.ready();
    const { id } = await world.foreignToken(7 * 86_400);
    const c2m = { token_id: id, expires_at: "2026-01-08T00:00:00Z", client_id: "c2m_client" };
    const fields = { secret: world.arn, version_id: "lost", attempt_id: "a", ...c2m };
    world.log.push({ at: world.clock.now(), event: "token.issued", fields });
    await world.clock.advanceBy(2 * hour);
    return { world, id };
  }

  it("is asked for once more where the token's text is not at hand, and then told with its expiry, once", async () => {
    const { world, id } = await orphan();
    world.fail("revokeToken", claim, Number.POSITIVE_INFINITY);
    expect(await runReconciler(world, all)).toMatchObject({ revoked: [id], unseen: 0, quiet: false });
    await world.clock.advanceBy(hour);
    // A run over the recent does not read every version.
    expect(await runReconciler(world)).toMatchObject({ revoked: [id], unseen: 0 });
    expect(await runReconciler(world, all)).toMatchObject({ revoked: [], backlog: 0, unseen: 1 });
    expect(world.metrics).toContainEqual({ name: metricNames.unseen, value: 1 });
    expect(world.events("token.death.unseen")).toMatchObject([{ token_id: id, expires_at: "2026-01-08T00:00:00Z" }]);
    const from = world.calls.calls.length;
    expect(await runReconciler(world, all)).toMatchObject({ revoked: [], unseen: 0 });
    expect(world.countCalls("c2m", from).revokeToken).toBeUndefined();
  });

  it("is settled by C2M's own word", async () => {
    const { world, id } = await orphan();
    world.fail("revokeToken", claim);
    await runReconciler(world, all);
    expect(world.live()).toContain(id);
    await world.clock.advanceBy(hour);
    expect(await runReconciler(world, all)).toMatchObject({ revoked: [id], unseen: 0 });
    expect(world.live()).not.toContain(id);
    expect(world.events("token.death.unseen")).toEqual([]);
  });
});

describe("a revocation that C2M refuses", () => {
  /** A superseded token of a former client: nobody but itself may revoke it. */
  async function ofFormerClient() {
    const { world, old } = await superseded();
    world.operator.put(JSON.stringify({ ...world.current(), client_id: "c2m_next" }));
    await world.clock.advanceBy(2 * hour);
    return { world, old };
  }

  it("since the token is dead, as that of a client that was closed, is none: its death is seen (row 20)", async () => {
    const { world, old } = await ofFormerClient();
    world.operator.revokeByHand(old);
    expect(await runReconciler(world, all)).toMatchObject({ revoked: [old], unrevocable: [], backlog: 0 });
    expect(world.events("token.dead")).toMatchObject([{ token_id: old }]);
    const from = world.calls.calls.length;
    expect(await runReconciler(world, all)).toMatchObject({ revoked: [], unrevocable: [] });
    expect(world.countCalls("c2m", from).revokeToken).toBeUndefined();
  });

  it.each<[string, TokenUser["issueShortTermToken"] | undefined]>([
    ["the token works", undefined],
    ["what stands before C2M answers for it", async () => ({ outcome: "unauthorized" })],
    ["nobody answers", () => Promise.reject(new RetryableError("no_answer", "Nobody answers."))],
  ])("is reported while %s", async (_, answer) => {
    const { world, old } = await ofFormerClient();
    world.fail("revokeToken", { kind: "error", status: 403, code: "insufficient_scope", message: "" });
    const { issueShortTermToken } = world.c2m;
    world.c2m.issueShortTermToken = (request) =>
      answer && request.longToken.reveal() !== world.current().access_token
        ? answer(request)
        : issueShortTermToken(request);
    const found = { revoked: [], unrevocable: [{ tokenId: old }], backlog: 0 };
    expect(await runReconciler(world, all)).toMatchObject(found);
    expect(world.events("token.dead")).toEqual([]);
  });
});

describe("a revoked token that is looked for", () => {
  const said = (world: World) => [...world.events("token.dead"), ...world.events("token.alive")];

  it.each([
    ["C2M does not answer", cut],
    ["what stands before C2M answers in its place", unnamed401],
  ])("is seen neither dead nor alive where %s, and is looked for again", async (_, fault) => {
    const { world, old } = await superseded();
    await runReconciler(world);
    await world.clock.advanceBy(hour);
    world.fail("issueShortTermToken", fault, Number.POSITIVE_INFINITY);
    expect(await runReconciler(world)).toMatchObject({ seenDead: [], seenAlive: [], unseen: 1 });
    expect(said(world)).toEqual([]);
    world.faults.clear();
    await world.clock.advanceBy(hour);
    expect(await runReconciler(world)).toMatchObject({ seenDead: [old], seenAlive: [], unseen: 0 });
    expect(world.metrics.map(({ name }) => name)).not.toContain(metricNames.revokedAlive);
  });

  it("and works is not called quiet, until it was revoked again (row 2)", async () => {
    const { world, old } = await superseded();
    world.fail("revokeToken", { kind: "gateway", status: 204, body: "empty", when: "before" });
    await runReconciler(world, all);
    await world.clock.advanceBy(hour);
    expect(await runReconciler(world, all)).toMatchObject({ seenAlive: [old], quiet: false });
    await world.clock.advanceBy(hour);
    expect(await runReconciler(world, all)).toMatchObject({ revoked: [old], quiet: true });
  });

  it("is sent nowhere once the settings don't name its C2M any more", async () => {
    const { world } = await superseded();
    await runReconciler(world);
    await world.clock.advanceBy(hour);
    Object.assign(world.settings, { baseUrl: "https://new.test/v2" });
    const from = world.calls.calls.length;
    expect(await runReconciler(world)).toMatchObject({ seenDead: [], seenAlive: [], unseen: 1 });
    expect(world.countCalls("c2m", from)).toEqual({});
    expect([...said(world), ...world.events("reconcile.failed")]).toEqual([]);
  });

  it("is reported with its own secret", async () => {
    const [one, other] = [await superseded(), await superseded({ secretName: "c2m/other" })];
    const worlds: [World, World] = [one.world, other.world];
    expect((await runBoth(worlds)).map(({ revoked }) => revoked)).toEqual([[one.old], [other.old]]);
    for (const world of worlds) await world.clock.advanceBy(hour);
    expect((await runBoth(worlds)).map(({ seenDead }) => seenDead)).toEqual([[one.old], [other.old]]);
  });
});

describe("a superseded token that is kept", () => {
  it("is named in the log, with the reason", async () => {
    const { world, old } = await superseded();
    world.operator.revokeByHand(String(world.current().token_id));
    await runReconciler(world);
    expect(world.events("token.kept")).toMatchObject([
      {
        secret: world.arn,
        token_id: old,
        expires_at: expect.any(String),
        reason: "C2M rejects the current token, and this is the newest one before it",
      },
    ]);
  });
});

describe("the daily proof of the current token", () => {
  it("that fails is told with its own secret only", async () => {
    const one = await World.ready();
    // Its proof comes in the same hour.
    const other = await World.ready({ settings: { secretName: "c2m/other-58" } });
    for (const world of [one, other]) await world.clock.advanceTo("2026-01-02T05:30:00Z");
    other.fail("issueShortTermToken", cut, Number.POSITIVE_INFINITY);
    const secrets = await runBoth([one, other]);
    expect(secrets.map(({ currentWorks }) => currentWorks)).toEqual([true, undefined]);
    expect(secrets.map(({ error }) => error?.code)).toEqual([undefined, "no_answer"]);
    expect(secrets.map(({ quiet }) => quiet)).toEqual([true, false]);
  });

  it.each([
    ["nothing", () => new World()],
    ["other JSON", () => new World({ initialValue: '{"apiKey":"abc"}' })],
    [
      "a token of another C2M",
      async () => {
        const world = await World.ready();
        world.operator.put(JSON.stringify({ ...world.current(), base_url: "https://former.test/v2" }));
        return world;
      },
    ],
  ])("says nothing where %s is current", async (_, make) => {
    const world = await make();
    const from = world.calls.calls.length;
    const report = await runReconciler(world, { proveNow: true });
    expect([report.currentWorks, report.error]).toEqual([undefined, undefined]);
    expect(world.countCalls("c2m", from)).toEqual({});
    expect(world.events("token.rejected")).toEqual([]);
  });
});

describe("an exchange", () => {
  /** Its runs have no more time than what is kept back for the report. */
  function hurry(world: World): void {
    const context = world.context.bind(world);
    world.context = (overrides) => context({ deadline: world.clock.now() + 9_000, ...overrides });
  }

  it("of a current token is tried for a minute and a half: others wait", async () => {
    const world = new World();
    await world.clock.advanceTo("2026-01-02T05:30:00Z");
    await world.bootstrap();
    await world.enableRotation();
    world.operator.revokeByHand(String(world.current().token_id));
    const from = world.clock.now();
    expect((await runReconciler(world)).error).toMatchObject({ code: "invalid_token" });
    // 1, 2, 4 and 8 s, and four times 15 s: another wait would end too late.
    expect(world.clock.now() - from).toBe(75_000);
  });

  it("is not begun in the time that is kept for the report: of a current token", async () => {
    const world = await World.ready();
    await world.clock.advanceTo("2026-01-02T05:30:00Z");
    hurry(world);
    const from = world.calls.calls.length;
    expect((await runReconciler(world)).error).toMatchObject({ code: "no_time" });
    expect(world.countCalls("c2m", from)).toEqual({});
  });

  it("is not begun in the time that is kept for the report: of a revoked one", async () => {
    const { world } = await superseded();
    await runReconciler(world);
    await world.clock.advanceBy(hour);
    hurry(world);
    const from = world.calls.calls.length;
    expect(await runReconciler(world)).toMatchObject({ unseen: 1 });
    expect(world.countCalls("c2m", from)).toEqual({});
    expect(world.events("reconcile.failed")).toMatchObject([{ code: "no_time" }]);
  });
});

describe("a change freeze", () => {
  it("takes no label off either", async () => {
    const world = await World.ready({ knobs: { retry: "manual" } });
    world.fail("issueShortTermToken", unnamed401, Number.POSITIVE_INFINITY);
    await world.rotate();
    world.faults.clear();
    const pending = world.holder("AWSPENDING");
    await world.clock.advanceBy(27 * hour);
    expect(await runReconciler(world, { ...all, paused: true })).toMatchObject({ detached: [] });
    expect(world.holder("AWSPENDING")).toBe(pending);
    expect(await runReconciler(world, all)).toMatchObject({ detached: [pending] });
  });
});

describe("a label that is taken off", () => {
  it("is reported with its own secret", async () => {
    const [one, other] = [await World.ready(), await World.ready({ settings: { secretName: "c2m/other" } })];
    const pending = await other.open();
    other.engine.cancelRotateSecret({ SecretId: other.arn });
    expect((await runBoth([one, other])).map(({ detached }) => detached)).toEqual([[], [pending]]);
  });
});

describe("a secret that can't be looked at", () => {
  it("has nothing done to it, and is not quiet", async () => {
    const world = await World.ready();
    world.fail("DescribeSecret", "AccessDeniedException", Number.POSITIVE_INFINITY);
    expect(await runReconciler(world)).toEqual({
      name: "c2m/api-token",
      revoked: [],
      waiting: 0,
      backlog: 0,
      unrevocable: [],
      held: [],
      seenDead: [],
      seenAlive: [],
      unseen: 0,
      quiet: false,
      suspects: [],
      detached: [],
      error: { code: "store_denied", reason: expect.any(String) },
    });
  });
});

describe("a token that somebody has stored", () => {
  it("is named in the log by the run that reads the whole of it, once", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    const { id, text } = await world.foreignToken();
    const { expires_at, base_url, client_id } = world.current();
    const value = { ...world.current(), access_token: text, token_id: id };
    const version = world.operator.put(JSON.stringify(value));
    await runReconciler(world);
    expect(world.events("token.found")).toEqual([]);
    const named = {
      secret: world.arn,
      version_id: version,
      token_id: id,
      expires_at,
      base_url,
      client_id,
    };
    await runReconciler(world, all);
    expect(world.events("token.found")).toMatchObject([named]);
    await runReconciler(world, all);
    expect(world.events("token.found")).toHaveLength(1);
  });
});
