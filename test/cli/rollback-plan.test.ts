import { describe, expect, it } from "vitest";
import { rollback } from "../../cli/acting/rollback-plan.ts";
import { decisionLabel } from "../../src/formats/labels.ts";
import type { RotationError } from "../../src/ports/errors.ts";
import type { SecretStore } from "../../src/ports/secret-store.ts";
import type { RotationContext } from "../../src/rotation/context.ts";
import { ruleOutRevocation, ruleOutRollback } from "../../src/rotation/going-back.ts";
import { ledgerOf, runReconciler } from "../harness/reconciler-run.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

const settings = { graceSeconds: 3_600 };

/** A world that has rotated once; its first token is at AWSPREVIOUS. */
async function rotated() {
  const world = await World.ready({ settings });
  const first = world.holder("AWSCURRENT");
  const second = await world.rotate();
  return { world, first, second };
}

const requestOf = (world: World) => ({
  ledger: ledgerOf(world),
  graceMs: 3_600_000,
  stepMs: 120_000,
  acceptExpiry: false,
});

const goBack = (world: World, overrides: Partial<RotationContext> = {}) =>
  rollback(world.context(overrides), requestOf(world));

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
      const moved = await store.moveStage(move);
      if (move.stage === "AWSCURRENT") after();
      return moved;
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
    expect(world.events("pending.detached")).toMatchObject([
      expect.objectContaining({ version_id: open, reason: "a rollback overtook its rotation" }),
    ]);
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
    ["no_previous", "^There is no previous version to go back to", async () => World.ready({ settings })],
    [
      "previous_expired",
      "^The previous token expired at 2026-",
      async () => {
        const world = await World.ready({ settings: { ...settings, lifetimeSeconds: 3_600 } });
        await world.rotate();
        await world.clock.advanceBy(7_200_000);
        return world;
      },
    ],
    [
      "previous_dead",
      "^C2M rejects the previous token",
      async () => {
        const { world, first } = await rotated();
        world.operator.revokeByHand(String(world.value(first ?? "").token_id));
        await world.clock.advanceBy(11 * 60_000);
        return world;
      },
    ],
    [
      "previous_revoked",
      "^The previous token was revoked, or its revocation has begun",
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
      "^The previous version holds no token of ours",
      async () => {
        const world = await World.ready({ settings, initialValue: "a-token-from-before" });
        await world.rotate();
        return world;
      },
    ],
  ])("is refused with %s, says why and what to do instead, and moves no label", async (code, says, arrange) => {
    const world = await arrange();
    const [labels, from] = [world.stages(), world.log.length];
    expect(await failureOf(goBack(world))).toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`${says}.*\\. Rotate instead\\.$`)),
    });
    expect(world.stages()).toEqual(labels);
    expect(world.log.slice(from)).toEqual([]);
  });

  it("is refused from the moment in which the previous token expires", async () => {
    const world = await World.ready({ settings: { ...settings, lifetimeSeconds: 3_600 } });
    const expiresAt = Date.parse(String(world.current().expires_at));
    await world.rotate();
    await world.clock.advanceTo(expiresAt);
    expect(await failureOf(goBack(world))).toMatchObject({ code: "previous_expired" });
  });

  it("asks the ledger for what came since the token was issued, and minds no other token's revocation", async () => {
    const { world, first } = await rotated();
    const { issued_at, expires_at } = world.value(first ?? "");
    const { log } = world.context();
    log.event("token.revoked", { secret: world.arn, token_id: "tok_lt_another", expires_at: String(expires_at) });
    const asked: number[] = [];
    const ledger = ledgerOf(world);
    const read = (from: number) => {
      asked.push(from);
      return ledger.read(from);
    };
    await rollback(world.context(), { ...requestOf(world), ledger: { read } });
    expect(new Set(asked)).toEqual(new Set([Date.parse(String(issued_at))]));
    expect(world.holder("AWSCURRENT")).toBe(first);
  });

  it("goes to a token without an id as well, which nobody can have revoked by it", async () => {
    const world = await World.ready({ settings, c2mKnobs: { tokenIdInBody: false, tokenIdInHeader: false } });
    const first = world.holder("AWSCURRENT");
    await world.rotate();
    world.context().log.event("token.revoked", { secret: world.arn, token_id: undefined, expires_at: undefined });
    await goBack(world);
    expect(world.holder("AWSCURRENT")).toBe(first);
  });

  it("takes AWSPENDING off the version that it replaces, where AWS has left it there: that rotation would undo it", async () => {
    const world = await World.ready({ settings, knobs: { pendingAfterSuccess: "never" } });
    const first = world.holder("AWSCURRENT");
    const second = await world.rotate();
    expect(world.holder("AWSPENDING")).toBe(second);
    await goBack(world);
    expect(world.holder("AWSPENDING")).toBeUndefined();
    expect(world.events("pending.detached")).toMatchObject([
      expect.objectContaining({ version_id: second, reason: "a rollback overtook its rotation" }),
    ]);
    const third = await world.rotate();
    expect([world.holder("AWSCURRENT"), world.holder("AWSPREVIOUS")]).toEqual([third, first]);
  });

  it.each([
    ["denied", "AccessDeniedException"],
    ["lost before it arrived", { kind: "cut", when: "before" }],
  ] as const)("whose move of the label is %s fails, and says of no promotion", async (_, fault) => {
    const { world, second } = await rotated();
    const from = world.log.length;
    world.fail("UpdateSecretVersionStage", fault, 100);
    await expect(goBack(world)).rejects.toThrow();
    expect(world.holder("AWSCURRENT")).toBe(second);
    expect(world.log.slice(from)).toEqual([]);
  });

  it("moves the label back where the second exchange is refused for good, and the token is old enough to be dead", async () => {
    const { world, first, second } = await rotated();
    await world.clock.advanceBy(11 * 60_000);
    let moves = 0;
    const after = () => {
      moves += 1;
      if (moves === 1) world.operator.revokeByHand(String(world.value(first ?? "").token_id));
    };
    expect(await failureOf(goBack(world, { store: storeWith(world, { after }) }))).toMatchObject({
      code: "previous_dead",
    });
    expect(world.holder("AWSCURRENT")).toBe(second);
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

  it("is refused where the reconciler wins between its look and its move, whatever ended the grace", async () => {
    const { world, first = "", second } = await rotated();
    const seen = await world.store.describe(world.arn);
    const { store } = world;
    const moveStage: SecretStore["moveStage"] = async (move) => {
      if (move.stage === decisionLabel) await ruleOutRollback(world.context(), seen, first);
      return await store.moveStage(move);
    };
    const slow = { ...storeWith(world, { after: () => undefined }), moveStage };
    expect(await failureOf(goBack(world, { store: slow }))).toMatchObject({ code: "previous_revoked" });
    expect([world.holder("AWSCURRENT"), world.holder(decisionLabel)]).toEqual([second, first]);
    // And the next one knows it from its first look.
    expect(await failureOf(goBack(world))).toMatchObject({ code: "previous_revoked" });
  });

  it("keeps a reconciler that saw the labels before it from revoking, while it is under way and afterwards", async () => {
    const { world, first = "", second } = await rotated();
    const seen = await world.store.describe(world.arn);
    const revoke = async () => ((await failureOf(ruleOutRollback(world.context(), seen, first))) as RotationError).code;
    const codes: Promise<string>[] = [];
    const after = () => void codes.push(revoke());
    await goBack(world, { store: storeWith(world, { after }) });
    expect(await Promise.all(codes)).toEqual(["labels_moved"]);
    expect([world.holder("AWSCURRENT"), world.holder(decisionLabel)]).toEqual([first, undefined]);
    expect((await world.store.describe(world.arn)).stages.get(second ?? "")).toEqual(["AWSPREVIOUS"]);
  });

  it("that was cut short binds the reconciler until another version is current", async () => {
    const { world, first = "", second = "" } = await rotated();
    const { store } = world;
    const context = world.context();
    const labels = { currentId: second, previousId: first };
    expect(await ruleOutRevocation(context, await store.describe(world.arn), labels)).toBe(true);
    const revoke = async () => await ruleOutRollback(context, await store.describe(world.arn), first);
    await expect(revoke()).rejects.toMatchObject({ code: "labels_moved" });
    await world.rotate();
    await revoke();
    const now = await store.describe(world.arn);
    await ruleOutRollback(context, now, second);
    expect(world.holder(decisionLabel)).toBe(second);
  });

  it("waits, where nothing tells the grace, until the step that promoted can't revoke any more", async () => {
    const { world, first } = await rotated();
    const request = { ...requestOf(world), graceMs: undefined };
    expect(await failureOf(rollback(world.context(), request))).toMatchObject({ code: "previous_revoked" });
    await world.clock.advanceBy(200_000);
    expect(await rollback(world.context(), request)).toMatchObject({ versionId: first });
  });

  it("is refused where a revocation of the token has failed: it may have arrived", async () => {
    const { world, first } = await rotated();
    const { token_id, expires_at } = world.value(first ?? "");
    world.context().log.event("token.revocation.failed", {
      secret: world.arn,
      token_id: String(token_id),
      expires_at: String(expires_at),
      code: "no_answer",
    });
    expect(await failureOf(goBack(world))).toMatchObject({ code: "previous_revoked" });
  });

  it("is refused when the grace is over or ends within a minute, also where it was lowered since", async () => {
    const { world } = await rotated();
    await world.clock.advanceBy(1_800_000);
    const request = { ...requestOf(world), graceMs: 1_800_000 };
    expect(await failureOf(rollback(world.context(), request))).toMatchObject({ code: "previous_revoked" });
    expect(await rollback(world.context(), requestOf(world))).toMatchObject({});
  });

  it("is refused without a grace, also where the clock of the function that promoted is ahead", async () => {
    const { world } = await rotated();
    for (const line of world.log) line.at += 10 * 60_000;
    const request = { ...requestOf(world), graceMs: 0 };
    expect(await failureOf(rollback(world.context(), request))).toMatchObject({ code: "previous_revoked" });
  });

  it("is refused where the token ends before the next rotation, unless that is accepted", async () => {
    const world = await World.ready({ settings: { ...settings, lifetimeSeconds: 86_400 } });
    const first = world.holder("AWSCURRENT");
    await world.rotate();
    const { store } = world;
    const describe = async (id: string) => ({
      ...(await store.describe(id)),
      rotationEnabled: true,
      nextRotationAt: world.clock.now() + 2 * 86_400_000,
    });
    const late = { ...storeWith(world, { after: () => undefined }), describe };
    const refused = await failureOf(goBack(world, { store: late }));
    expect(refused).toMatchObject({ code: "previous_ends_early" });
    expect(refused.message).toMatch(/ends at 2026-.*next rotation is due by 2026-.*--accept-expiry/);
    const request = { ...requestOf(world), acceptExpiry: true };
    expect(await rollback(world.context({ store: late }), request)).toMatchObject({ versionId: first });
  });

  describe("where the promotion is told by the ledger", () => {
    const minute = 60_000;

    /** Rotated; what the secret's own dates say is moved to now, and the token is asked for so long afterwards. */
    async function later(ms: number, lost: (event: string) => boolean = () => false) {
      const { world, first, second } = await rotated();
      await world.clock.advanceTo((promotedAt(world) ?? 0) + ms);
      const dates = { lastChangedAt: world.clock.now(), lastRotatedAt: world.clock.now() };
      const { store } = world;
      const describe = async (id: string) => ({ ...(await store.describe(id)), ...dates });
      const context = world.context({ store: { ...storeWith(world, { after: () => undefined }), describe } });
      const ledger = ledgerOf(world, ({ event }) => lost(event));
      return { world, first, second, dates, run: () => rollback(context, { ...requestOf(world), ledger }) };
    }

    const promotedAt = (world: World) => world.log.findLast(({ event }) => event === "token.promoted")?.at;

    it("the grace counts from it, whatever moved the dates since", async () => {
      const inTime = await later(59 * minute);
      expect(await inTime.run()).toMatchObject({ versionId: inTime.first });
      const failure = await failureOf((await later(59 * minute + 1)).run());
      expect(failure).toMatchObject({ code: "previous_revoked" });
      expect(failure.message).toContain("grace is over, or about to be");
    });

    it.each(["token.promoted", "token.promotion.started"])(
      "one line of the two is enough: %s is lost, and lines of other things come after it",
      async (name) => {
        const late = await later(59 * minute + 1, (event) => event === name);
        const { log } = late.world.context();
        const of = { version_id: "another", attempt_id: "a", latest_expires_at: "2026-03-01T00:00:00Z" };
        log.event("token.issue.started", { secret: late.world.arn, ...of });
        log.event("token.promoted", { secret: "another", version_id: "another", superseded_version_id: undefined });
        log.event("token.promotion.started", {
          secret: "another",
          version_id: "another",
          superseded_version_id: undefined,
        });
        expect(await failureOf(late.run())).toMatchObject({ code: "previous_revoked" });
      },
    );

    it.each(["lastChangedAt", "lastRotatedAt"] as const)(
      "the secret's dates count where its last word is of another version: %s",
      async (other) => {
        const late = await later(70 * minute);
        const of = { secret: late.world.arn, version_id: late.first ?? "", superseded_version_id: undefined };
        late.world.log.push({ at: promotedAt(late.world) ?? 0, event: "token.promoted", fields: of });
        Object.assign(late.dates, { [other]: undefined });
        expect(await late.run()).toMatchObject({ versionId: late.first });
        const none = await later(70 * minute, () => true);
        Object.assign(none.dates, {
          lastChangedAt: undefined,
          lastRotatedAt: undefined,
          [other]: none.world.clock.now() - 61 * minute,
        });
        expect(await failureOf(none.run())).toMatchObject({ code: "previous_revoked" });
      },
    );

    it("says until when to wait where nothing tells the grace", async () => {
      const { world, first } = await rotated();
      const at = promotedAt(world) ?? 0;
      const request = { ...requestOf(world), graceMs: undefined };
      await world.clock.advanceTo(at + 3 * minute - 1);
      const { message } = await failureOf(rollback(world.context(), request));
      expect(message).toContain(`Wait until ${new Date(at + 3 * minute).toISOString()}`);
      await world.clock.advanceTo(at + 3 * minute);
      expect(await rollback(world.context(), request)).toMatchObject({ versionId: first });
    });
  });

  it.each([
    ["it was seen dead", "token.dead", (id: string) => ({ token_id: id })],
    ["it was revoked by its other id", "token.revoked", (id: string) => ({ token_id: "tok", header_token_id: id })],
  ] as const)("is refused where the ledger says that %s", async (_, event, idsOf) => {
    const { world, first } = await rotated();
    const { token_id, expires_at } = world.value(first ?? "");
    const fields = { secret: world.arn, expires_at: String(expires_at), ...idsOf(String(token_id)) };
    world.context().log.event(event, fields);
    expect(await failureOf(goBack(world))).toMatchObject({ code: "previous_revoked" });
  });

  it.each([
    ["its name", (world: World) => world.settings.secretName],
    ["the ARN that it had before it was made again", (world: World) => `${world.arn.slice(0, -6)}ZzZzZz`],
  ] as const)("is refused where a line that says so names the secret by %s", async (_, saidOf) => {
    const { world, first } = await rotated();
    const { token_id, expires_at } = world.value(first ?? "");
    const fields = { secret: saidOf(world), expires_at: String(expires_at), token_id: String(token_id) };
    world.context().log.event("token.revoked", fields);
    expect(await failureOf(goBack(world))).toMatchObject({ code: "previous_revoked" });
  });

  it("sends nothing to C2M where a revocation has begun", async () => {
    const { world, first } = await rotated();
    world.operator.moveStage(decisionLabel, first);
    const from = world.calls.calls.length;
    expect(await failureOf(goBack(world))).toMatchObject({ code: "previous_revoked" });
    expect(world.countCalls("c2m", from)).toEqual({});
  });

  it("sends a previous token of another C2M nowhere", async () => {
    const world = await World.ready({ settings });
    const value = { ...world.current(), base_url: "https://former.test/v2", access_token: "former", token_id: "tok_f" };
    world.operator.put(JSON.stringify(value));
    await world.rotate();
    const from = world.calls.calls.length;
    const failure = await failureOf(goBack(world));
    expect(failure).toMatchObject({ code: "previous_elsewhere" });
    expect(failure.message).toMatch(/^The previous token belongs to another C2M, and is sent nowhere\. Rotate instead/);
    expect(world.countCalls("c2m", from)).toEqual({});
  });

  it("is refused where nothing is current, or the previous version has no value", async () => {
    const { world, first = "" } = await rotated();
    const { store } = world;
    const plain = storeWith(world, { after: () => undefined });
    const describe = async (id: string) => ({
      ...(await store.describe(id)),
      stages: new Map([[first, ["AWSPREVIOUS"]]]),
    });
    expect(await failureOf(goBack(world, { store: { ...plain, describe } }))).toMatchObject({ code: "no_previous" });
    const read = async () => undefined;
    expect(await failureOf(goBack(world, { store: { ...plain, read } }))).toMatchObject({ code: "previous_foreign" });
  });

  it("is refused where no rotation will come, or only as the token ends, unless that is accepted", async () => {
    const { world, first } = await rotated();
    const expiresAt = Date.parse(String(world.value(first ?? "").expires_at));
    const { store } = world;
    const schedule = { rotationEnabled: true, nextRotationAt: expiresAt };
    const describe = async (id: string) => ({ ...(await store.describe(id)), ...schedule });
    const scheduled = { ...storeWith(world, { after: () => undefined }), describe };
    expect(await failureOf(goBack(world, { store: scheduled }))).toMatchObject({ code: "previous_ends_early" });
    schedule.rotationEnabled = false;
    expect((await failureOf(goBack(world, { store: scheduled }))).message).toContain("and no rotation is due.");
    Object.assign(schedule, { rotationEnabled: true, nextRotationAt: expiresAt - 1 });
    expect(await goBack(world, { store: scheduled })).toMatchObject({ versionId: first });
  });

  it("fails where another version became current after its look", async () => {
    const { world } = await rotated();
    const stop = world.calls.onCall(({ operation }) => {
      if (operation !== "issueShortTermToken") return;
      stop();
      world.operator.put("by-hand");
    });
    const failure = await failureOf(goBack(world));
    expect(failure).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    expect(failure.message).toContain("The labels were moved meanwhile.");
    expect(world.text(world.holder("AWSCURRENT") ?? "")).toBe("by-hand");
  });

  describe("to a token that turns out to be dead", () => {
    /** The previous token dies as soon as it is current; then something else happens before it is exchanged again. */
    async function dying(world: World, then: () => void = () => undefined) {
      const previous = world.value(world.holder("AWSPREVIOUS") ?? "");
      await world.clock.advanceBy(11 * 60_000);
      let moves = 0;
      const after = () => {
        moves += 1;
        if (moves > 1) return;
        world.operator.revokeByHand(String(previous.token_id));
        const stop = world.calls.onCall(({ operation }) => {
          if (operation !== "issueShortTermToken") return;
          stop();
          then();
        });
      };
      return storeWith(world, { after });
    }

    it("says in the ledger of which C2M the token is that is current again", async () => {
      const { world, second } = await rotated();
      const failure = await failureOf(goBack(world, { store: await dying(world) }));
      expect(failure.message).toMatch(/^C2M rejects the previous token\./);
      const { base_url, client_id } = world.current();
      expect(world.events("token.promoted").at(-1)).toMatchObject({ version_id: second, base_url, client_id });
      expect(base_url).toBe("https://c2m.test/v2");
    });

    it("goes back to a value that is not ours as well", async () => {
      const { world } = await rotated();
      const byHand = world.operator.put("by-hand");
      expect(await failureOf(goBack(world, { store: await dying(world) }))).toMatchObject({ code: "previous_dead" });
      expect(world.events("token.promoted").at(-1)).toMatchObject({ version_id: byHand, base_url: undefined });
    });

    it("says that the way back is closed where the replaced token's revocation has begun", async () => {
      const { world, first, second } = await rotated();
      const store = await dying(world, () => world.operator.moveStage(decisionLabel, second));
      const failure = await failureOf(goBack(world, { store }));
      expect(failure).toMatchObject({ name: "RetryableError", code: "labels_moved" });
      expect(failure.message).toMatch(/^The previous token is current, C2M rejects it.*Rotate at once\.$/);
      expect(failure.cause).toMatchObject({ code: "previous_revoked" });
      expect(world.holder("AWSCURRENT")).toBe(first);
    });

    it.each(["ledger", "store"])("throws what is a fault of the program as it is: %s", async (where) => {
      const { world } = await rotated();
      const store = where === "store" ? await dying(world) : storeWith(world, { after: () => undefined });
      const { read } = ledgerOf(world);
      let reads = 0;
      const ledger = {
        read: async (from: number) => {
          reads += 1;
          if (where === "ledger" && reads === 2) throw new TypeError("a bug");
          return await read(from);
        },
      };
      const { moveStage } = store;
      let moves = 0;
      const broken: SecretStore["moveStage"] = async (move) => {
        if (where === "store" && move.stage === "AWSCURRENT") moves += 1;
        if (moves === 2) throw new TypeError("a bug");
        return await moveStage(move);
      };
      const context = world.context({ store: { ...store, moveStage: broken } });
      await expect(rollback(context, { ...requestOf(world), ledger })).rejects.toThrow(TypeError);
    });
  });
});
