import { describe, expect, it } from "vitest";
import { metricNames } from "../../src/formats/metrics.ts";
import { runReconciler } from "../harness/reconciler-run.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

const minute = 60_000;
const hour = 60 * minute;
const manual = { knobs: { retry: "manual" as const } };
const detachIt = /Detach AWSPENDING from it and rotate again/;
const gateway = { kind: "error", status: 404, code: "", message: "" } as const;

/** Faults of issue 16, each by its row, through the steps of a rotation. */
describe("a step", () => {
  it("revokes what the store refused, also when the secret is deleted by then (row 6)", async () => {
    const world = await World.ready(manual);
    const version = await world.open();
    world.fail("PutSecretValue", "ResourceNotFoundException");
    const stop = world.calls.onCall(({ operation }) => {
      if (operation !== "PutSecretValue") return;
      stop();
      world.fail("GetSecretValue", "ResourceNotFoundException", Number.POSITIVE_INFINITY);
    });
    const current = String(world.current().token_id);
    expect((await failureOf(world.run("createSecret", version))).code).toBe("secret_not_found");
    expect(world.live()).toEqual([current]);
  });

  it("promotes no version that is empty or whose token is dead, in whatever order events come (row 12)", async () => {
    const world = await World.ready(manual);
    const current = world.holder("AWSCURRENT");
    const empty = await world.open();
    expect(await failureOf(world.run("finishSecret", empty))).toMatchObject({
      code: "pending_not_visible",
      message: expect.stringContaining("runs the rotation again"),
    });
    await world.run("createSecret", empty);
    world.operator.revokeByHand(String(world.value(empty).token_id));
    await world.clock.advanceBy(11 * minute);
    expect(await failureOf(world.run("finishSecret", empty))).toMatchObject({
      code: "token_rejected",
      message: expect.stringMatching(detachIt),
    });
    expect(world.holder("AWSCURRENT")).toBe(current);
  });

  it.each([
    [
      "lacks scopes of the settings",
      { scopes: ["jobs:submit"] },
      "scopes_missing",
      /^scopes: .*jobs:read, tokens:revoke.*rotate again/,
    ],
    ["is of another client", { client_id: "c2m_former" }, "pending_not_ours", detachIt],
    ["is of another C2M", { base_url: "https://former.test/v2" }, "pending_not_ours", detachIt],
    ["is none of ours", { client_id: undefined }, "pending_not_ours", detachIt],
    ["is a text", undefined, "pending_not_ours", detachIt],
  ])("promotes no version that was not tested and whose value %s (row 12)", async (_, change, code, remedy) => {
    const world = await World.ready(manual);
    const current = world.holder("AWSCURRENT");
    const version = await world.open();
    const { text } = await world.foreignToken();
    const value = { ...world.current(), access_token: text, token_id: "tok_next", ...change };
    world.operator.put(change ? JSON.stringify(value) : text, ["AWSPENDING"], version);
    const failure = await failureOf(world.run("finishSecret", version));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(remedy);
    expect(world.holder("AWSCURRENT")).toBe(current);
    expect(world.stages()[version]).toEqual(["AWSPENDING"]);
  });

  it("promotes nothing where C2M does not answer, and is tried again (row 12)", async () => {
    const world = await World.ready(manual);
    const version = await world.open();
    await world.run("createSecret", version);
    const withdraw = world.fail("issueShortTermToken", { kind: "cut", when: "before" }, Number.POSITIVE_INFINITY);
    expect(await failureOf(world.run("finishSecret", version))).toMatchObject({ name: "RetryableError" });
    expect(world.holder("AWSCURRENT")).not.toBe(version);
    withdraw();
    await world.run("finishSecret", version);
    expect(world.holder("AWSCURRENT")).toBe(version);
  });

  it("asks C2M once where the same process has tested the token, and again after a quarter of an hour", async () => {
    const world = await World.ready(manual);
    const version = await world.open();
    await world.runAll(version, ["createSecret", "testSecret"]);
    const from = world.calls.calls.length;
    await world.clock.advanceBy(15 * minute);
    await world.run("finishSecret", version);
    expect(world.countCalls("c2m", from).issueShortTermToken).toBe(1);
  });

  it("succeeds where C2M gives the token that it gave before: there is nothing to revoke (row 18)", async () => {
    const world = await World.ready();
    const first = world.holder("AWSCURRENT");
    const version = await world.open();
    world.operator.put(String(world.text(first ?? "")), ["AWSPENDING"], version);
    await world.runAll(version, ["testSecret", "finishSecret", "finishSecret"]);
    expect(world.holder("AWSCURRENT")).toBe(version);
    expect(world.countCalls("c2m").revokeToken).toBeUndefined();
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it.each([0, 3_600])(
    "succeeds with the same token weeks later, too, of which less is left: grace %i (row 18)",
    async (graceSeconds) => {
      const world = await World.ready({ ...manual, settings: { graceSeconds }, c2mKnobs: { sameTokenAgain: true } });
      const first = String(world.current().token_id);
      await world.clock.advanceBy(20 * 24 * hour);
      const version = await world.rotate();
      expect(world.failures).toEqual([]);
      expect(world.holder("AWSCURRENT")).toBe(version);
      await world.clock.advanceBy(2 * hour);
      expect(await runReconciler(world, { scope: "all" })).toMatchObject({ revoked: [], backlog: 0 });
      expect(world.live()).toEqual([first]);
    },
  );

  it("replaces a dead current token whatever lifetime C2M grants (row 7)", async () => {
    const world = await World.ready(manual);
    world.operator.revokeByHand(String(world.current().token_id));
    await world.clock.advanceBy(hour);
    world.c2mEngine.knobs.maximumTtlSeconds = 3_600;
    await world.rotate();
    expect(world.failures).toEqual([]);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it.each([-10, 10])(
    "is not told of a clamped lifetime by a clock that is %i minutes off (row 15)",
    async (minutes) => {
      const world = await World.ready();
      const version = await world.open();
      const { clock } = world;
      const off = { now: () => clock.now() + minutes * minute, sleep: (ms: number) => clock.sleep(ms) };
      const context = world.context({ clock: off, deadline: clock.now() + 20 * minute });
      const { createSecret } = await import("../../src/rotation/steps/create-secret.ts");
      await createSecret(context, { versionId: version, rotationToken: undefined });
      expect(world.events("token.lifetime.clamped")).toEqual([]);
    },
  );

  it("takes no gateway's word for a revocation: the step fails and the reconciler goes on (row 2)", async () => {
    const world = await World.ready(manual);
    const version = await world.open();
    await world.runAll(version, ["createSecret", "testSecret"]);
    world.fail("revokeToken", gateway);
    expect(await failureOf(world.run("finishSecret", version))).toMatchObject({
      code: "revocation_unclear",
      message: expect.stringContaining("The reconciler tries again"),
    });
    expect(world.holder("AWSCURRENT")).toBe(version);
    expect(world.events("token.revoked")).toEqual([]);
    expect(world.events("token.revocation.failed")).toMatchObject([{ code: "not_found" }]);
    await world.run("finishSecret", version);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("records both ids of a token and revokes both (row 21)", async () => {
    const world = await World.ready(manual);
    const version = await world.open();
    const { issueLongTermToken } = world.c2m;
    const issuer = {
      issueLongTermToken: async (request: Parameters<typeof issueLongTermToken>[0]) => {
        const token = await issueLongTermToken(request);
        return { ...token, tokenId: "tok_of_the_body", headerTokenId: token.tokenId };
      },
    };
    const { createSecret } = await import("../../src/rotation/steps/create-secret.ts");
    world.fail("PutSecretValue", "AccessDeniedException");
    const current = String(world.current().token_id);
    await failureOf(createSecret(world.context({ issuer }), { versionId: version, rotationToken: undefined }));
    const [issued] = world.events("token.issued").slice(-1);
    expect(issued).toMatchObject({ token_id: "tok_of_the_body", header_token_id: expect.stringMatching(/^tok_/) });
    expect(world.events("token.revoked").map(({ token_id }) => token_id)).toEqual([
      "tok_of_the_body",
      issued?.header_token_id,
    ]);
    expect(world.live()).toEqual([current]);
  });

  it("issues nothing where Lambda would drop the lines of the ledger (row 23)", async () => {
    const world = await World.ready(manual);
    const version = await world.open();
    const { createSecret } = await import("../../src/rotation/steps/create-secret.ts");
    const context = world.context({ ledgerFault: { what: "Its lines are dropped", remedy: "Keep them." } });
    const failure = await failureOf(createSecret(context, { versionId: version, rotationToken: undefined }));
    expect(failure).toMatchObject({ name: "PermanentError", code: "ledger_dropped" });
    expect(world.issued()).toHaveLength(1);
  });

  it("begins nothing while rotations are paused, and finishes what is under way", async () => {
    const world = await World.ready(manual);
    const { createSecret } = await import("../../src/rotation/steps/create-secret.ts");
    const version = await world.open();
    const target = { versionId: version, rotationToken: undefined };
    const failure = await failureOf(createSecret(world.context({ paused: true }), target));
    expect(failure.code).toBe("paused");
    expect(failure.message).toMatch(/^paused: .*"c2m\/api-token"\. Set paused to false, then rotate\.$/);
    expect(world.issued()).toHaveLength(1);
    await world.run("createSecret", version);
    await createSecret(world.context({ paused: true }), target);
    await world.runAll(version, ["testSecret", "finishSecret"]);
    expect(world.holder("AWSCURRENT")).toBe(version);
  });

  it("begins nothing for a token that is retired", async () => {
    const world = await World.ready({ ...manual, settings: { retire: true } });
    const version = await world.open();
    const failure = await failureOf(world.run("createSecret", version));
    expect(failure.code).toBe("retired");
    expect(failure.message).toMatch(/^retire: the token of "c2m\/api-token" is retired/);
    expect(world.issued()).toHaveLength(1);
  });

  it("gives up a pending token of another C2M, and sends it nowhere (row 1)", async () => {
    const world = await World.ready(manual);
    for (const step of ["createSecret", "testSecret"] as const) {
      const version = await world.open();
      const value = { ...world.current(), base_url: "https://former.test/v2", access_token: "another" };
      world.operator.put(JSON.stringify(value), ["AWSPENDING"], version);
      const from = world.calls.calls.length;
      const code = step === "createSecret" ? "pending_dead" : "other_c2m";
      expect((await failureOf(world.run(step, version))).code).toBe(code);
      expect(world.countCalls("c2m", from)).toEqual({});
      expect(world.stages()[version]).toBeUndefined();
    }
  });

  it("forgets that a token worked which it revokes: what is brought back by hand is no reason to revoke the last (row 5)", async () => {
    const world = await World.ready();
    const second = await world.rotate();
    await world.rotate();
    const last = String(world.current().token_id);
    world.operator.moveStage("AWSCURRENT", second);
    expect(await failureOf(world.run("finishSecret", second))).toMatchObject({ code: "invalid_token" });
    expect(world.live()).toEqual([last]);
  });

  it("revokes nothing while a replica may still hold it, without a grace, too (row 9)", async () => {
    const world = await World.ready();
    const old = String(world.current().token_id);
    world.engine.knobs.replicationLagMs = 60 * minute;
    world.engine.replicateSecretToRegions({ SecretId: world.arn, AddReplicaRegions: [{ Region: "eu-west-1" }] });
    await world.clock.advanceBy(2 * hour);
    await world.rotate();
    expect(world.failures).toEqual([]);
    expect(world.live()).toContain(old);
    expect(await runReconciler(world)).toMatchObject({ revoked: [], waiting: 1 });
    await world.clock.advanceBy(61 * minute);
    expect(await runReconciler(world)).toMatchObject({ revoked: [old] });
  });

  it("leaves what another secret holds to the reconciler (row 8)", async () => {
    const world = await World.ready();
    const copied = String(world.text(world.holder("AWSCURRENT") ?? ""));
    world.engine.createSecret(
      { Name: "c2m/other", ClientRequestToken: crypto.randomUUID(), SecretString: copied },
      world.administrator,
    );
    const version = await world.open();
    await world.runAll(version, ["createSecret", "testSecret"]);
    const { finishSecret } = await import("../../src/rotation/steps/finish-secret.ts");
    await finishSecret(world.context({ siblings: ["c2m/other"] }), { versionId: version, rotationToken: undefined });
    expect(world.holder("AWSCURRENT")).toBe(version);
    expect(world.countCalls("c2m").revokeToken).toBeUndefined();
  });
});

describe("a run of the reconciler", () => {
  async function superseded(settings = {}): Promise<{ world: World; old: string }> {
    const world = await World.ready({ settings: { graceSeconds: 3_600, ...settings } });
    const old = String(world.current().token_id);
    await world.rotate();
    await world.clock.advanceBy(2 * hour);
    return { world, old };
  }

  it("takes no gateway's word: it tries again, the backlog shows it, and the death is seen once (row 2)", async () => {
    const { world, old } = await superseded();
    world.fail("revokeToken", gateway);
    expect(await runReconciler(world)).toMatchObject({ revoked: [], backlog: 1 });
    expect(world.live()).toContain(old);
    await world.clock.advanceBy(hour);
    expect(await runReconciler(world)).toMatchObject({ revoked: [old], backlog: 0, seenDead: [] });
    await world.clock.advanceBy(hour);
    expect(await runReconciler(world)).toMatchObject({ revoked: [], seenDead: [old] });
    expect(world.events("token.dead")).toMatchObject([{ token_id: old, base_url: "https://c2m.test/v2" }]);
    const from = world.calls.calls.length;
    await world.clock.advanceBy(hour);
    await runReconciler(world);
    expect(world.countCalls("c2m", from).revokeToken).toBeUndefined();
  });

  it("rings where a revoked token works, and revokes it again (row 2)", async () => {
    const { world, old } = await superseded();
    world.fail("revokeToken", { kind: "error", status: 200, code: "fine", message: "done" });
    await runReconciler(world);
    await world.clock.advanceBy(hour);
    expect(await runReconciler(world)).toMatchObject({ seenAlive: [old] });
    expect(world.metrics).toContainEqual({ name: metricNames.revokedAlive, value: 1 });
    await world.clock.advanceBy(hour);
    expect(await runReconciler(world)).toMatchObject({ revoked: [old] });
    expect(world.live()).not.toContain(old);
  });

  it("lets an exchange decide where a 404 without a code lasts for a day (row 2)", async () => {
    const { world, old } = await superseded();
    world.fail("revokeToken", gateway, Number.POSITIVE_INFINITY);
    await runReconciler(world, { scope: "all" });
    world.operator.revokeByHand(old);
    await world.clock.advanceBy(23 * hour);
    expect(await runReconciler(world, { scope: "all" })).toMatchObject({ revoked: [], backlog: 1 });
    await world.clock.advanceBy(2 * hour);
    expect(await runReconciler(world, { scope: "all" })).toMatchObject({ revoked: [old], backlog: 0 });
    expect(world.events("token.dead")).toMatchObject([{ token_id: old }]);
  });

  it("keeps the newest superseded token while C2M rejects the current one, for a day (row 5)", async () => {
    const { world, old } = await superseded();
    world.operator.revokeByHand(String(world.current().token_id));
    expect(await runReconciler(world)).toMatchObject({
      revoked: [],
      currentWorks: false,
      held: [{ tokenId: old, reason: "kept" }],
    });
    expect(world.metrics.findLast(({ name }) => name === "CurrentTokenRejected")?.value).toBe(1);
    expect(world.live()).toEqual([old]);
    // By hand nothing is kept.
    expect(await runReconciler(world, { scope: "all", graceSeconds: 0 })).toMatchObject({ revoked: [old] });
  });

  it("keeps it though two versions hold it, since C2M gave it twice (rows 5 and 18)", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    const value = world.current();
    const old = String(value.token_id);
    await world.rotate();
    world.operator.put(JSON.stringify(value), ["TWICE"], crypto.randomUUID());
    world.operator.revokeByHand(String(world.current().token_id));
    await world.clock.advanceBy(2 * hour);
    const { held: kept, revoked } = await runReconciler(world, { scope: "all" });
    expect([kept.map(({ tokenId, reason }) => [tokenId, reason]), revoked]).toEqual([
      [
        [old, "kept"],
        [old, "kept"],
      ],
      [],
    ]);
    expect(world.live()).toEqual([old]);
  });

  it("keeps the newest superseded token that lives, and looks for it once (row 5)", async () => {
    const { world, old } = await superseded();
    const second = String(world.current().token_id);
    await world.rotate();
    world.operator.revokeByHand(second);
    world.operator.revokeByHand(String(world.current().token_id));
    await world.clock.advanceBy(2 * hour);
    const from = world.calls.calls.length;
    const report = await runReconciler(world, { scope: "all" });
    expect(report.held).toMatchObject([{ tokenId: old, reason: "kept" }]);
    expect(world.live()).toEqual([old]);
    // The current one, the newest before it, and the one before that.
    expect(world.countCalls("c2m", from).issueShortTermToken).toBe(3);
  });

  it("leaves alone a token that was revoked before the rotation (row 4)", async () => {
    const { world, old } = await superseded();
    expect(await runReconciler(world)).toMatchObject({ revoked: [old] });
    await world.clock.advanceBy(10 * hour);
    const second = String(world.current().token_id);
    await world.rotate();
    await world.clock.advanceBy(2 * hour);
    expect(await runReconciler(world)).toMatchObject({ revoked: [second] });
  });

  it("puts the last other token off where C2M does not say whether the current one works (row 5)", async () => {
    const { world, old } = await superseded();
    world.fail("issueShortTermToken", { kind: "cut", when: "before" }, Number.POSITIVE_INFINITY);
    expect(await runReconciler(world)).toMatchObject({ revoked: [], backlog: 1 });
    expect(world.live()).toContain(old);
  });

  it("revokes nothing while paused, and says what it holds back", async () => {
    const { world, old } = await superseded();
    expect(await runReconciler(world, { paused: true })).toMatchObject({
      revoked: [],
      backlog: 0,
      held: [{ tokenId: old, expiresAt: expect.any(String), reason: "paused" }],
    });
    expect(world.events("reconcile.completed").at(-1)).toMatchObject({ paused: true, held: 1 });
    expect(world.metrics).toContainEqual({ name: metricNames.held, value: 1 });
    expect(await runReconciler(world)).toMatchObject({ revoked: [old] });
  });

  it("reads the ledger by the secret's name: what was issued before it was made again is revoked (row 14)", async () => {
    const world = await World.ready(manual);
    const { id } = await world.foreignToken();
    const fields = {
      secret: world.arn.replace(/-AbCdEf$/, "-ZyXwVu"),
      version_id: "v",
      attempt_id: "a",
      token_id: id,
      expires_at: "2026-01-02T00:00:00Z",
      client_id: "c2m_client",
    };
    world.log.push({ at: world.clock.now(), event: "token.issued", fields });
    await world.clock.advanceBy(2 * hour);
    expect((await runReconciler(world)).revoked).toEqual([id]);
  });

  it("reports a former client's orphan as what nobody can revoke (row 20)", async () => {
    const world = await World.ready(manual);
    const { id } = await world.foreignToken();
    const line = { secret: world.arn, version_id: "v", attempt_id: "a", token_id: id, client_id: "c2m_former" };
    world.log.push({
      at: world.clock.now(),
      event: "token.issued",
      fields: { ...line, expires_at: "2026-01-02T00:00:00Z" },
    });
    await world.clock.advanceBy(2 * hour);
    expect(await runReconciler(world)).toMatchObject({
      backlog: 0,
      unrevocable: [{ tokenId: id, expiresAt: "2026-01-02T00:00:00Z" }],
    });
  });

  it("is quiet when nothing is left but the current token: a retired one may be taken out", async () => {
    const { world } = await superseded({ retire: true });
    expect((await runReconciler(world, { scope: "all" })).quiet).toBe(true);
    const waiting = await World.ready({ settings: { graceSeconds: 3_600 } });
    await waiting.rotate();
    expect((await runReconciler(waiting)).quiet).toBe(false);
  });
});
