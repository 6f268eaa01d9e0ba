import { describe, expect, it } from "vitest";
import { type EndOfLife, endTokens } from "../../cli/acting/end-of-life.ts";
import { ledgerOf, runReconciler } from "../harness/reconciler-run.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

function endOf(world: World, revoked: string[] = []): EndOfLife {
  const { clock, engine, arn, settings } = world;
  return {
    context: world.context({ deadline: clock.now() + 3_600_000 }),
    ledger: ledgerOf(world),
    baseUrl: settings.baseUrl,
    others: [],
    aws: { cancelRotation: async () => void engine.cancelRotateSecret({ SecretId: arn }) },
    stepMs: 120_000,
    signal: new AbortController().signal,
    wait: async (moment) => void (await clock.advanceTo(new Date(moment).toISOString())),
    onRevoked: (id) => revoked.push(id),
  };
}

/** A secret whose token was revoked, and which holds one of a former C2M under the same id. */
it("tells tokens of two C2Ms apart that have the same id", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const before = world.current();
  const former = { ...before, access_token: "of-the-former", base_url: "https://former.test/v2" };
  const id = String(world.current().token_id);
  await world.rotate();
  await world.clock.advanceBy(2 * 3_600_000);
  expect((await runReconciler(world)).revoked).toEqual([id]);
  const current = String(world.current().token_id);
  world.operator.put(JSON.stringify(former), ["ANY"], crypto.randomUUID());
  const revoked: string[] = [];
  expect(await endTokens(endOf(world, revoked))).toEqual([{ tokenId: id, until: before.expires_at }]);
  expect(revoked).toEqual([current]);
  expect(world.live()).toEqual([]);
});

/** A token that only the log knows. */
async function orphan() {
  const world = await World.ready();
  const { id } = await world.foreignToken(7 * 86_400);
  const until = "2026-01-08T00:00:00Z";
  const c2m = { token_id: id, expires_at: until, client_id: "c2m_client" };
  const fields = { secret: world.arn, version_id: "lost", attempt_id: "a", ...c2m };
  world.log.push({ at: world.clock.now(), event: "token.issued", fields });
  await world.clock.advanceBy(2 * 3_600_000);
  return { world, left: { tokenId: id, until, unseen: true } };
}

const gateway = { kind: "error", status: 404, code: "", message: "" } as const;

/** C2M answers for tokens that it has forgotten with a 404 of its own that has no code, or a gateway does for all. */
it("lets an exchange decide where a revocation is answered 404 without C2M's code (row 20)", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const [first] = world.live();
  await world.rotate();
  await world.clock.advanceBy(20 * 60_000);
  for (const id of world.live()) world.operator.revokeByHand(id);
  world.fail("revokeToken", gateway, Number.POSITIVE_INFINITY);
  expect(await endTokens(endOf(world))).toEqual([]);
  expect(world.live()).toEqual([]);
  expect(world.issued()).toContain(first);
});

it("leaves a token with its expiry whose text nobody has, where the answer is 404 without C2M's code (row 20)", async () => {
  const { world, left } = await orphan();
  world.fail("revokeToken", gateway, 1);
  expect(await endTokens(endOf(world))).toEqual([left]);
});

it("believes no line of an operator's that a token is dead at which it can't look (row 10)", async () => {
  const world = await World.ready();
  const before = world.current();
  const c2m = { token_id: "tok_of_the_former", base_url: "https://former.test/v2" };
  world.operator.put(JSON.stringify({ ...before, ...c2m, access_token: "its-text" }), ["ANY"], crypto.randomUUID());
  const until = String(before.expires_at);
  const fields = { secret: world.arn, expires_at: until, client_id: "c2m_client", ...c2m };
  const line = { at: world.clock.now(), event: "token.revoked" as const, fields, byOperator: true };
  world.log.push(line);
  expect(await endTokens(endOf(world))).toEqual([{ tokenId: c2m.token_id, until }]);
});

it("takes no 404 without C2M's code for the end of a token that works (row 20)", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  await world.rotate();
  await world.clock.advanceBy(20 * 60_000);
  const withdraw = world.fail("revokeToken", gateway, Number.POSITIVE_INFINITY);
  expect((await failureOf(endTokens(endOf(world)))).code).toBe("revocation_unclear");
  expect(world.live()).toHaveLength(2);
  withdraw();
  expect(await endTokens(endOf(world))).toEqual([]);
  expect(world.live()).toEqual([]);
});

const claim = { kind: "error", status: 200, code: "fine", message: "done" } as const;

describe("a revocation that is answered with 2xx and JSON, which need not be C2M's (row 2)", () => {
  it.each([
    ["superseded", 1],
    ["current", 0],
  ])("is no end of a %s token that works", async (_, rotations) => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    for (let count = 0; count < rotations; count += 1) await world.rotate();
    world.fail("revokeToken", claim);
    expect((await failureOf(endTokens(endOf(world)))).code).toBe("revocation_unclear");
    expect(world.live()).toHaveLength(rotations + 1);
    // The next run asks C2M again, though the log says revoked.
    expect(await endTokens(endOf(world))).toEqual([]);
    expect(world.live()).toEqual([]);
  });

  it("that a step was given is not believed either", async () => {
    const world = await World.ready();
    const id = String(world.current().token_id);
    world.fail("revokeToken", claim, Number.POSITIVE_INFINITY);
    await world.rotate();
    world.faults.clear();
    expect(world.live()).toContain(id);
    const revoked: string[] = [];
    expect(await endTokens(endOf(world, revoked))).toEqual([]);
    expect(revoked).toEqual([id, world.current().token_id]);
    expect(world.live()).toEqual([]);
  });

  it("leaves a token whose text nobody has, with its expiry", async () => {
    const { world, left } = await orphan();
    world.fail("revokeToken", claim, 1);
    expect(await endTokens(endOf(world))).toEqual([left]);
  });
});

it.each(["refused", "not_found", "unclear"] as const)(
  "revokes the current token by its other id where one is %s (row 21)",
  async (answer) => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    await world.clock.advanceBy(20 * 60_000);
    const { revokeToken } = world.c2m;
    world.c2m.revokeToken = async (request) =>
      request.tokenId === "tok_of_the_body" ? answer : await revokeToken(request);
    const { token_id, ...current } = world.current();
    const value = { ...current, token_id: "tok_of_the_body", header_token_id: token_id };
    world.operator.put(JSON.stringify(value), ["AWSCURRENT"], crypto.randomUUID());
    expect(await endTokens(endOf(world))).toEqual([]);
    expect(world.live()).toEqual([]);
  },
);

it("revokes what it can't tell from a current value that nobody knows: all of it is to end (row 20)", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  await world.rotate();
  world.operator.put('{"apiKey":"x"}', ["AWSCURRENT"], crypto.randomUUID());
  expect(await endTokens(endOf(world))).toEqual([{ tokenId: undefined, until: undefined }]);
  expect(world.live()).toEqual([]);
});

const day = 86_400_000;

it("takes an open rotation's version off, and revokes its token, too", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const current = world.current().token_id;
  world.fail("issueShortTermToken", { kind: "error", status: 403, code: "", message: "" }, Number.POSITIVE_INFINITY);
  await world.rotate();
  world.faults.clear();
  expect(world.holder("AWSPENDING")).not.toBe(world.holder("AWSCURRENT"));
  const [, pending] = world.live();
  const revoked: string[] = [];
  expect(await endTokens(endOf(world, revoked))).toEqual([]);
  expect(revoked).toEqual([pending, current]);
  expect(world.holder("AWSPENDING")).toBeUndefined();
});

it("says in the log, too, that a current value lives on that nobody can revoke", async () => {
  const world = await World.ready();
  const { token_id: _, ...plain } = world.current();
  world.operator.put(JSON.stringify(plain), ["AWSCURRENT"], crypto.randomUUID());
  const from = world.log.length;
  const left = await endTokens(endOf(world));
  expect(left).toEqual([{ tokenId: undefined, until: plain.expires_at }]);
  expect(world.log.slice(from)).toMatchObject([
    { event: "token.unrevocable", fields: { expires_at: plain.expires_at, reason: expect.stringContaining("nobody") } },
  ]);
});

it("spares what is current in another secret, and tells in which", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const first = world.current();
  const { ARN } = world.engine.createSecret(
    { Name: "c2m/other", SecretString: JSON.stringify(first), ClientRequestToken: crypto.randomUUID() },
    world.administrator,
  );
  await world.rotate();
  const current = String(world.current().token_id);
  const revoked: string[] = [];
  const left = await endTokens({ ...endOf(world, revoked), others: [ARN, "c2m/not-there"] });
  expect(left).toEqual([{ tokenId: first.token_id, until: first.expires_at, heldBy: ARN }]);
  expect(revoked).toEqual([current]);
  expect(world.live()).toEqual([first.token_id]);
});

it("spares its own current token where another secret holds it", async () => {
  const world = await World.ready();
  const current = world.current();
  const copy = { Name: "c2m/other", SecretString: JSON.stringify(current), ClientRequestToken: crypto.randomUUID() };
  const { ARN } = world.engine.createSecret(copy, world.administrator);
  expect(await endTokens({ ...endOf(world), others: [ARN] })).toMatchObject([{ heldBy: ARN }]);
  expect(world.live()).toEqual([current.token_id]);
});

it("asks for no end of what has ended", async () => {
  const world = await World.ready();
  world.engine.cancelRotateSecret({ SecretId: world.arn });
  await world.clock.advanceBy(91 * day);
  const from = world.calls.calls.length;
  const revoked: string[] = [];
  expect(await endTokens(endOf(world, revoked))).toEqual([]);
  expect(revoked).toEqual([]);
  expect(world.countCalls("c2m", from)).toEqual({});
});

describe("the rotation", () => {
  it("is switched off, and waited for until no step can be at work and the log tells of all, once", async () => {
    const world = await World.ready();
    const [token] = world.live();
    const waits: number[] = [];
    const begins = world.clock.now();
    const wait: EndOfLife["wait"] = async (moment, what) => {
      waits.push(moment - begins);
      expect(what).toBe("step");
      expect(world.live()).toEqual([token]);
      expect((await world.store.describe(world.arn)).rotationEnabled).toBe(false);
      await endOf(world).wait(moment, what);
    };
    await endTokens({ ...endOf(world), wait });
    expect(waits).toEqual([120_000 + 15 * 60_000]);
    await world.clock.advanceBy(day);
    await endTokens({ ...endOf(world), wait });
    expect(waits).toHaveLength(1);
  });

  it("that is switched on meanwhile ends it before anything is revoked", async () => {
    const world = await World.ready();
    const end = endOf(world);
    const wait: EndOfLife["wait"] = async (moment, what) => {
      await end.wait(moment, what);
      await world.enableRotation();
    };
    const error = await failureOf(endTokens({ ...end, wait }));
    expect(error).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    expect(error.message).toContain("switched on again");
    expect(world.live()).toHaveLength(1);
  });

  it("that goes on to issue is told, and the current token is not touched", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    await world.rotate();
    await world.clock.advanceBy(20 * 60_000);
    const again: string[] = [];
    // Somebody stores another one for each that is revoked.
    const onRevoked = () => void again.push(storeAnother(world, `tok_again_${again.length}`, ["ANY"]));
    const error = await failureOf(endTokens({ ...endOf(world), onRevoked }));
    expect(error).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    expect(error.message).toContain("somebody still issues some");
    expect(again).toHaveLength(3);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it.each<[string, (world: World) => unknown]>([
    ["another token is stored", (world) => storeAnother(world, "tok_again", ["ANY"])],
    ["another token is current", (world) => storeAnother(world, "tok_again", ["AWSCURRENT"])],
    [
      "rotation is switched on",
      (world) => world.engine.rotateSecret({ SecretId: world.arn, ClientRequestToken: crypto.randomUUID() }),
    ],
  ])("is looked at once more at the end: where %s, nothing is called done", async (_, act) => {
    const world = await World.ready();
    await world.clock.advanceBy(20 * 60_000);
    const error = await failureOf(endTokens({ ...endOf(world), onRevoked: () => void act(world) }));
    expect(error).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    await world.engine.idle();
  });
});

/** Somebody stores a token that nobody here has issued. Returns its id. */
function storeAnother(world: World, token_id: string, stages: string[]): string {
  const value = { ...world.current(), token_id, access_token: `the-text-of-${token_id}` };
  world.operator.put(JSON.stringify(value), stages, crypto.randomUUID());
  return token_id;
}

it("that is broken off while it waits has revoked nothing", async () => {
  const world = await World.ready();
  const broken = new AbortController();
  const end = { ...endOf(world), signal: broken.signal, wait: async () => broken.abort(new Error("broken off")) };
  await expect(endTokens(end)).rejects.toThrow("broken off");
  expect(world.live()).toHaveLength(1);
});

it.each([1, 2])(
  "that is broken off between two tokens, %i of them superseded, has revoked the first",
  async (rotations) => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    for (let count = 0; count < rotations; count += 1) await world.rotate();
    const broken = new AbortController();
    const end = { ...endOf(world), signal: broken.signal, onRevoked: () => broken.abort(new Error("broken off")) };
    await expect(endTokens(end)).rejects.toThrow("broken off");
    expect(world.live()).toHaveLength(rotations);
    expect(world.live()).toContain(world.current().token_id);
  },
);

/** The answers to the current token's own revocation; `done`: C2M has done it, whatever it answers. */
describe("the current token, which revokes itself,", () => {
  type Answer = "revoked" | "claimed" | "refused" | "not_found" | "unclear";
  const ending = async (answer: Answer, done: boolean) => {
    const world = await World.ready();
    await world.clock.advanceBy(20 * 60_000);
    const { token_id, expires_at } = world.current();
    if (done) world.operator.revokeByHand(String(token_id));
    world.c2m.revokeToken = async () => answer;
    const [revoked, waits, from]: [string[], string[], number] = [[], [], world.log.length];
    const end = endOf(world, revoked);
    const wait: EndOfLife["wait"] = async (moment, why) => {
      waits.push(`${why} ${(moment - world.clock.now()) / 60_000} min`);
      await end.wait(moment, why);
    };
    const ended = await endTokens({ ...end, wait }).catch((error: { code?: string }) => error.code);
    const told = world.log.slice(from).flatMap(({ event, fields }) => {
      if (event !== "token.revoked" || !("token_id" in fields)) return [];
      expect(fields).toMatchObject({ token_id, expires_at });
      return "claimed" in fields ? "claimed" : "revoked";
    });
    return { ended, left: [{ tokenId: token_id, until: expires_at }], revoked, token_id, told, waits };
  };

  it.each<[Answer, boolean, "done" | "left" | "unclear", string[], boolean]>([
    ["revoked", true, "done", ["revoked"], false],
    ["claimed", true, "done", ["claimed"], true],
    ["claimed", false, "unclear", ["claimed"], true],
    ["refused", true, "done", ["revoked"], false],
    ["refused", false, "left", [], false],
    ["not_found", true, "done", ["revoked"], false],
    ["not_found", false, "unclear", [], false],
    ["unclear", true, "done", ["revoked"], false],
    ["unclear", false, "unclear", [], false],
  ])("answered %s, and dead: %s, is %s", async (answer, done, outcome, told, waitsForEffect) => {
    const { ended, left, revoked, token_id, ...seen } = await ending(answer, done);
    expect(ended).toEqual({ done: [], left, unclear: "revocation_unclear" }[outcome]);
    expect(revoked).toEqual(outcome === "done" ? [token_id] : []);
    expect(seen).toEqual({ told, waits: ["step 17 min", ...(waitsForEffect ? ["effect 5 min"] : [])] });
  });
});
