import { describe, expect, it } from "vitest";
import type { MetricName } from "../../src/formats/metrics.ts";
import { CallBudget } from "../../src/reconcile/call-budget.ts";
import { hourOfProof } from "../../src/reconcile/survey.ts";
import { type RunOptions, reconcileWorlds, runReconciler } from "../harness/reconciler-run.ts";
import { World } from "../harness/rotation-world.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const graced = { settings: { graceSeconds: 3_600 } };

async function superseded(): Promise<{ world: World; old: string }> {
  const world = await World.ready(graced);
  const old = String(world.current().token_id);
  await world.clock.advanceBy(day);
  await world.rotate();
  return { world, old };
}

/** The metrics of one run, and what it resolves with. */
async function metricsOf<Result>(world: World, run: () => Promise<Result>) {
  const from = world.metrics.length;
  const report = await run();
  const metrics: Partial<Record<MetricName, number>> = Object.fromEntries(
    world.metrics.slice(from).map(({ name, value }) => [name, value]),
  );
  return { report, metrics };
}

const lastSummary = (world: World) => world.events("reconcile.completed").at(-1);

describe("a run's figures", () => {
  it("tell of a quiet secret", async () => {
    const { world } = await superseded();
    const { report, metrics } = await metricsOf(world, () => runReconciler(world));
    expect(report).toStrictEqual({
      name: "c2m/api-token",
      revoked: [],
      waiting: 1,
      backlog: 0,
      unrevocable: [],
      held: [],
      seenDead: [],
      seenAlive: [],
      unseen: 0,
      quiet: false,
      suspects: [],
      detached: [],
      secondsToExpiry: 60 * 86_400,
      secondsSinceRotation: 0,
      rotatesInTime: true,
    });
    expect(lastSummary(world)).toEqual({
      scope: "recent",
      secrets: 1,
      failed: 0,
      revoked: 0,
      waiting: 1,
      backlog: 0,
      unrevocable: 0,
      suspects: 0,
      detached: 0,
      proven: 0,
      rejected: 0,
      c2m_calls: 0,
      held: 0,
      seen_dead: 0,
      seen_alive: 0,
      unseen: 0,
      unreadable: 0,
      paused: false,
    });
    // What is zero is not sent.
    expect(metrics).toEqual({ TokensInGrace: 1 });
  });

  it("tell of the first expiry once a day, and every hour in its last week", async () => {
    const { world } = await superseded();
    await world.clock.advanceBy(2 * hour);
    const told = async (scope: "recent" | "all") =>
      (await metricsOf(world, () => runReconciler(world, { scope }))).metrics.SecondsToExpiry;
    expect(await told("recent")).toBeUndefined();
    expect(await told("all")).toBe(60 * 86_400 - 2 * 3_600);
    world.engine.cancelRotateSecret({ SecretId: world.arn });
    await world.clock.advanceBy(53 * day - 2 * hour);
    expect(await told("recent")).toBeUndefined();
    await world.clock.advanceBy(2 * hour);
    expect(await told("recent")).toBe(7 * 86_400 - 2 * 3_600);
    await world.clock.advanceBy(8 * day);
    expect(await told("recent")).toBe(-86_400 - 2 * 3_600);
  });

  it("tell of a revocation and of a proof, and count their calls", async () => {
    const { world, old } = await superseded();
    await world.clock.advanceBy(2 * hour);
    const { report, metrics } = await metricsOf(world, () => runReconciler(world, { scope: "all", proveNow: true }));
    expect(report).toMatchObject({ revoked: [old], currentWorks: true });
    expect(lastSummary(world)).toMatchObject({ scope: "all", revoked: 1, waiting: 0, proven: 1, c2m_calls: 2 });
    expect(Object.keys(metrics)).toEqual(["TokenRevoked", "SecondsToExpiry"]);
    expect(world.events("token.proven").at(-1)).toMatchObject({
      secret: world.arn,
      version_id: world.holder("AWSCURRENT"),
      token_id: world.current().token_id,
      expires_at: world.current().expires_at,
    });
  });

  it("tell of a token that C2M lets nobody revoke, with its expiry, and count it as no backlog", async () => {
    const { world, old } = await superseded();
    const expiresAt = world.c2mEngine.byId(old)?.expiresAt ?? 0;
    await world.clock.advanceBy(2 * hour);
    world.fail("revokeToken", { kind: "error", status: 403, code: "insufficient_scope", message: "no" }, 2);
    const { report, metrics } = await metricsOf(world, () => runReconciler(world));
    expect(report).toMatchObject({ revoked: [], backlog: 0 });
    expect(report.unrevocable).toEqual([
      { tokenId: old, expiresAt: new Date(expiresAt).toISOString().replace(".000", "") },
    ]);
    expect(metrics).toMatchObject({ UnrevocableTokens: 1 });
    expect(metrics).not.toHaveProperty("RevocationBacklog");

    // C2M has changed its mind: the next run over everything finds out.
    const next = await metricsOf(world, () => runReconciler(world, { scope: "all" }));
    expect(next.report).toMatchObject({ revoked: [old], unrevocable: [] });
    expect(next.metrics).not.toHaveProperty("UnrevocableTokens");
  });

  it("tell of a token that is due and could not be revoked as backlog, and of the failure", async () => {
    const { world } = await superseded();
    await world.clock.advanceBy(2 * hour);
    const { report, metrics } = await metricsOf(world, () => runReconciler(world, { calls: 0 }));
    expect(report).toMatchObject({
      backlog: 1,
      error: { code: "budget_spent", reason: expect.stringContaining("next one") },
    });
    expect(lastSummary(world)).toMatchObject({ backlog: 1, failed: 1, c2m_calls: 0 });
    expect(metrics).toMatchObject({ RevocationBacklog: 1, SecretsNotReconciled: 1 });
    expect(world.events("reconcile.failed").at(-1)).toMatchObject({ secret: "c2m/api-token", code: "budget_spent" });
  });

  it("tell of no expiry where nothing of ours is current, and ask C2M nothing about it", async () => {
    const world = new World({ initialValue: "a-token-by-hand" });
    const { report, metrics } = await metricsOf(world, () => runReconciler(world, { scope: "all", proveNow: true }));
    expect(report).not.toHaveProperty("secondsToExpiry");
    expect(report).not.toHaveProperty("currentWorks");
    expect(report).not.toHaveProperty("secondsSinceRotation");
    expect(report).not.toHaveProperty("rotatesInTime");
    expect(metrics).not.toHaveProperty("SecondsToExpiry");
    expect(world.countCalls("c2m")).toEqual({});
  });

  it("tell of the first expiry also where another secret has none", async () => {
    const { world } = await superseded();
    const empty = new World({ settings: { secretName: "c2m/empty" } });
    const { metrics } = await metricsOf(world, () => reconcileWorlds([world, empty], { scope: "all" }));
    expect(metrics.SecondsToExpiry).toBe(60 * 86_400);
  });

  it("tell of an empty secret without an error", async () => {
    expect(await runReconciler(new World(), { proveNow: true })).toMatchObject({ revoked: [], backlog: 0 });
  });

  it("begin no revocation when the run's time is nearly up", async () => {
    const { world, old } = await superseded();
    await world.clock.advanceBy(2 * hour);
    const describeSecret = world.store.describe.bind(world.store);
    const slow = (ms: number) => {
      world.store.describe = async (secretId) => {
        await world.clock.sleep(ms);
        return await describeSecret(secretId);
      };
    };
    slow(110_001);
    expect(await runReconciler(world)).toMatchObject({
      revoked: [],
      error: { code: "time_spent", reason: expect.stringContaining("next one") },
    });
    expect(world.countCalls("c2m").revokeToken).toBeUndefined();
    slow(90_000);
    expect((await runReconciler(world)).revoked).toEqual([old]);
  });
});

describe("a rejected current token", () => {
  it("is told with its version, id and expiry", async () => {
    const world = await World.ready(graced);
    const token = world.c2mEngine.byId(String(world.current().token_id));
    if (token) token.revokedAt = token.refusedFrom = world.clock.now();
    await world.clock.advanceBy(hour);
    await runReconciler(world, { proveNow: true });
    expect(world.events("token.rejected")).toMatchObject([
      {
        secret: world.arn,
        version_id: world.holder("AWSCURRENT"),
        token_id: world.current().token_id,
        expires_at: world.current().expires_at,
      },
    ]);
    expect(lastSummary(world)).toMatchObject({ rejected: 1, proven: 0 });
  });

  it("is no news when a rotation has replaced it since the run looked", async () => {
    const world = await World.ready({ settings: { graceSeconds: 0 } });
    await world.clock.advanceBy(hour);
    const exchange = world.c2m.issueShortTermToken;
    world.c2m.issueShortTermToken = async (request) => {
      world.c2m.issueShortTermToken = exchange;
      await world.rotate();
      return await exchange(request);
    };
    const report = await runReconciler(world, { proveNow: true });
    expect(report).not.toHaveProperty("currentWorks");
    expect(world.events("token.rejected")).toEqual([]);
  });
});

describe("a retired secret", () => {
  it.each<[string, (world: World) => Promise<unknown>, RunOptions]>([
    ["in a change freeze", (world) => world.rotate(), { paused: true }],
    [
      "with an issue call that nobody has answered",
      async (world) => {
        world.fail("issueLongTermToken", { kind: "cut", when: "after" });
        await world.rotate();
      },
      {},
    ],
    [
      "whose current token C2M rejects",
      async (world) => {
        await world.rotate();
        await world.clock.advanceBy(hour);
        world.operator.revokeByHand(String(world.current().token_id));
      },
      {},
    ],
  ])(
    "is called quiet by no run over the recent, which does not see all that lives: %s",
    async (_, happens, options) => {
      const world = await World.ready({ settings: { graceSeconds: 3_600 }, knobs: { retry: "manual" } });
      await world.clock.advanceBy(hour);
      await happens(world);
      world.settings.retire = true;
      world.engine.cancelRotateSecret({ SecretId: world.arn });
      for (let run = 0; run < 12; run += 1) {
        await world.clock.advanceBy(hour);
        expect(await runReconciler(world, options)).toMatchObject({ quiet: false });
      }
      expect(await runReconciler(world, { ...options, scope: "all" })).toMatchObject({ quiet: false });
    },
  );

  it("that was adopted is called quiet once the value from before us can't live any more (row 16)", async () => {
    const world = new World({
      settings: { graceSeconds: 3_600 },
      knobs: { retry: "manual" },
      initialValue: "an-old-token",
    });
    await world.bootstrap();
    await world.enableRotation();
    await world.rotate();
    world.settings.retire = true;
    world.engine.cancelRotateSecret({ SecretId: world.arn });
    await world.clock.advanceBy(89 * day);
    expect(await runReconciler(world, { scope: "all" })).toMatchObject({ quiet: false, unrevocable: [{}] });
    await world.clock.advanceBy(day);
    expect(await runReconciler(world)).toMatchObject({ unrevocable: [] });
    expect(await runReconciler(world, { scope: "all" })).toMatchObject({ quiet: true, unrevocable: [] });
  });

  it("is called quiet by the run over everything once nothing of it lives but the current token", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600, retire: true } });
    await world.clock.advanceBy(hour);
    expect(await runReconciler(world)).toMatchObject({ quiet: false, backlog: 0 });
    expect(await runReconciler(world, { scope: "all" })).toMatchObject({ quiet: true });
  });
});

describe("proofs of life", () => {
  it("come in another order each day, so that a budget which does not last leaves out others", async () => {
    const names = Array.from({ length: 400 }, (_, index) => `token-${index}`).filter((name) => hourOfProof(name) === 5);
    const [first = "", ...others] = names.slice(0, 6);
    const worlds: [World, ...World[]] = [await World.ready({ settings: { secretName: first } })];
    for (const secretName of others) worlds.push(await World.ready({ settings: { secretName } }));
    for (const { clock } of worlds) await clock.advanceTo("2026-01-01T05:30:00Z");
    const proven = async (): Promise<string[]> => {
      const { secrets } = await reconcileWorlds(worlds, { calls: 3 });
      return secrets.filter(({ currentWorks }) => currentWorks).map(({ name }) => name);
    };
    const seen = new Set<string>();
    for (let day = 0; day < 10; day += 1) {
      const names = await proven();
      expect(names).toHaveLength(3);
      for (const name of names) seen.add(name);
      for (const { clock } of worlds) await clock.advanceBy(86_400_000);
    }
    expect(seen.size).toBe(6);
  });

  it("wait out the minute for which C2M sends callers away", async () => {
    const world = await World.ready(graced);
    world.fail("issueShortTermToken", {
      kind: "error",
      status: 429,
      code: "rate_limited",
      message: "retry after 60 seconds",
      headers: { "retry-after": "60" },
    });
    expect(await runReconciler(world, { proveNow: true })).toMatchObject({ currentWorks: true });
  });
});

describe("what a run reads", () => {
  it("is only the labelled versions each hour, and each that may hold a living token once a day", async () => {
    const world = await World.ready({ settings: { revocation: false, lifetimeSeconds: 90 * 86_400 } });
    await world.clock.advanceBy(day);
    await world.rotate();
    await world.clock.advanceBy(day);
    await world.rotate();
    const reads = async (scope: "recent" | "all") => {
      const from = world.calls.calls.length;
      await runReconciler(world, { scope });
      const { GetSecretValue, ListSecretVersionIds } = world.countCalls("secretsmanager", from);
      return { GetSecretValue, ListSecretVersionIds };
    };
    expect(await reads("recent")).toEqual({ GetSecretValue: 2, ListSecretVersionIds: undefined });
    expect(await reads("all")).toEqual({ GetSecretValue: 3, ListSecretVersionIds: 1 });
    // The first version, stored at the start, is then 90 days old: what it held has expired.
    world.engine.cancelRotateSecret({ SecretId: world.arn });
    await world.clock.advanceBy(88 * day);
    expect(await reads("all")).toEqual({ GetSecretValue: 2, ListSecretVersionIds: 1 });
  });
});

describe("the budget of calls", () => {
  const c2m = {
    issueShortTermToken: async () => "short" as never,
    revokeToken: async () => "revoked" as const,
  };

  it("counts every call, hands out the answer, and refuses the call after the last", async () => {
    const budget = new CallBudget(2);
    const limited = budget.limit(c2m);
    expect(await limited.issueShortTermToken({} as never)).toBe("short");
    expect(await limited.revokeToken({} as never)).toBe("revoked");
    expect(budget.used).toBe(2);
    await expect(limited.revokeToken({} as never)).rejects.toMatchObject({
      code: "budget_spent",
      message: expect.stringContaining("The next one goes on"),
    });
    expect(budget.used).toBe(2);
  });
});
