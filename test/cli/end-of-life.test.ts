import { describe, expect, it } from "vitest";
import { type EndOfLife, endTokens, mostEffectMs, tokensToEnd } from "../../cli/acting/end-of-life.ts";
import { RetryableError } from "../../src/ports/errors.ts";
import { unmarkDecommissioned } from "../../src/rotation/decommissioned.ts";
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

/** Ends them, and tells what was waited for: `step 17 min`. */
async function watchedEnd(world: World, change: Partial<EndOfLife> = {}) {
  const [revoked, waits]: [string[], string[]] = [[], []];
  const end = { ...endOf(world, revoked), ...change };
  const wait: EndOfLife["wait"] = async (moment, why) => {
    waits.push(`${why} ${(moment - world.clock.now()) / 60_000} min`);
    await end.wait(moment, why);
  };
  const from = world.log.length;
  const ended = await endTokens({ ...end, wait }).catch((error: { code?: string }) => error.code);
  return { ended, revoked, waits, told: world.log.slice(from) };
}

/** A secret with a superseded token and a current one, both old enough for C2M to know them. */
async function twoTokens() {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const first = world.current();
  await world.rotate();
  await world.clock.advanceBy(20 * 60_000);
  return { world, first, firstId: String(first.token_id), currentId: String(world.current().token_id) };
}

/** C2M's answers for some ids; the others are C2M's own. */
function answering(world: World, answers: Record<string, "revoked" | "claimed" | "refused">): void {
  const { revokeToken } = world.c2m;
  world.c2m.revokeToken = async (request) => answers[request.tokenId] ?? (await revokeToken(request));
}

const unsaid = { kind: "error", status: 401, code: "", message: "" } as const;

it("ends nothing of a secret without a value", async () => {
  const world = new World();
  expect(await watchedEnd(world)).toMatchObject({ ended: [], revoked: [], told: [] });
  expect(await tokensToEnd(endOf(world))).toEqual([]);
});

it("names what it would end, the current token last, and changes nothing", async () => {
  const { world, firstId, currentId } = await twoTokens();
  expect(await tokensToEnd(endOf(world))).toEqual([firstId, currentId]);
  world.operator.put("by hand", ["AWSCURRENT"], crypto.randomUUID());
  const named = await tokensToEnd(endOf(world));
  expect(named).toHaveLength(3);
  expect(new Set(named.slice(0, 2))).toEqual(new Set([firstId, currentId]));
  expect(world.live()).toEqual([firstId, currentId]);
});

it("takes AWSPENDING off no version that is current", async () => {
  const { world } = await twoTokens();
  const current = world.holder("AWSCURRENT");
  world.operator.moveStage("AWSPENDING", current);
  expect((await watchedEnd(world)).ended).toEqual([]);
  expect(world.holder("AWSPENDING")).toBe(current);
});

it("lists no current token without an id that C2M rejects already", async () => {
  const world = await World.ready();
  const { token_id, ...unnamed } = world.current();
  world.operator.put(JSON.stringify(unnamed), ["AWSCURRENT"], crypto.randomUUID());
  await world.clock.advanceBy(20 * 60_000);
  expect(await endTokens(endOf(world))).toEqual([{ tokenId: undefined, until: unnamed.expires_at }]);
  world.operator.revokeByHand(String(token_id));
  expect(await endTokens(endOf(world))).toEqual([]);
});

it("leaves a pending token without an id with its expiry, and says why it was taken off", async () => {
  const world = await World.ready();
  const currentId = world.current().token_id;
  const { token_id: _, ...pending }: Record<string, unknown> = {
    ...world.current(),
    access_token: (await world.foreignToken()).text,
  };
  const versionId = await world.open();
  world.engine.putSecretValue(
    {
      SecretId: world.arn,
      ClientRequestToken: versionId,
      SecretString: JSON.stringify(pending),
      VersionStages: ["AWSPENDING"],
    },
    world.administrator,
  );
  const { ended, revoked, told } = await watchedEnd(world);
  expect(ended).toEqual([{ tokenId: undefined, until: pending.expires_at }]);
  expect(revoked).toEqual([currentId]);
  const reason = "its secret is decommissioned";
  expect(told).toContainEqual(
    expect.objectContaining({ event: "pending.detached", fields: expect.objectContaining({ reason }) }),
  );
});

it("tells an issue call of which nobody knows the end, until when its token would live", async () => {
  const world = await World.ready();
  world.fail("issueLongTermToken", { kind: "cut", when: "after" }, Number.POSITIVE_INFINITY);
  await world.rotate();
  world.faults.clear();
  const [started] = world.events("token.issue.started").slice(-1);
  expect((await watchedEnd(world)).ended).toContainEqual({ tokenId: undefined, until: started?.latest_expires_at });
});

it("tells each of several tokens that live on: by version without an id, by id where the version is the same", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  const { token_id: _, ...plain } = world.current();
  for (const text of ["one", "two"]) {
    world.operator.put(JSON.stringify({ ...plain, access_token: (await world.foreignToken()).text }), [text]);
  }
  const ids = [(await world.foreignToken()).id, (await world.foreignToken()).id];
  for (const token_id of ids) {
    const c2m = { token_id, expires_at: String(plain.expires_at), client_id: "c2m_client" };
    const fields = { secret: world.arn, version_id: "lost", attempt_id: token_id, ...c2m };
    world.log.push({ at: world.clock.now(), event: "token.issued", fields });
  }
  await world.clock.advanceBy(2 * 3_600_000);
  answering(world, Object.fromEntries(ids.map((id) => [id, "claimed"])));
  const until = plain.expires_at;
  const { ended } = await watchedEnd(world);
  expect(ended).toHaveLength(4);
  expect(ended).toEqual(
    expect.arrayContaining([
      ...ids.map((tokenId) => ({ tokenId, until, unseen: true })),
      ...[0, 1].map(() => ({ tokenId: undefined, until })),
    ]),
  );
});

it("tells of each secret that holds one of its tokens, also beside values that nobody knows", async () => {
  const { world, first, firstId } = await twoTokens();
  const second = world.current();
  world.operator.put('{"apiKey":"x"}', ["AWSCURRENT"], crypto.randomUUID());
  const others = [first, second].map((held, index) => {
    const copy = { Name: `c2m/other-${index}`, SecretString: JSON.stringify(held) };
    return world.engine.createSecret({ ...copy, ClientRequestToken: crypto.randomUUID() }, world.administrator).ARN;
  });
  const { ended, revoked } = await watchedEnd(world, { others });
  expect(ended).toHaveLength(3);
  expect(ended).toEqual(
    expect.arrayContaining([
      { tokenId: firstId, until: first.expires_at, heldBy: others[0] },
      { tokenId: second.token_id, until: second.expires_at, heldBy: others[1] },
      { tokenId: undefined, until: undefined },
    ]),
  );
  expect(revoked).toEqual([]);
});

describe("a superseded token", () => {
  it("that is dead, and of which C2M says 404 without its code, is waited for by nobody", async () => {
    const { world, firstId } = await twoTokens();
    world.operator.revokeByHand(firstId);
    world.fail("revokeToken", gateway, 1);
    expect(await watchedEnd(world)).toMatchObject({ ended: [], waits: ["step 17 min"] });
  });

  it("that works ends it, where only of that one C2M says 404 without its code", async () => {
    const { world, firstId, currentId } = await twoTokens();
    world.fail("revokeToken", gateway, 1);
    expect((await watchedEnd(world)).ended).toBe("revocation_unclear");
    expect(world.live()).toEqual([firstId, currentId]);
  });

  it("that something before C2M may have revoked is looked for when it would have taken effect", async () => {
    const { world, firstId, currentId } = await twoTokens();
    world.operator.revokeByHand(firstId);
    answering(world, { [firstId]: "claimed" });
    expect(await watchedEnd(world)).toMatchObject({
      ended: [],
      revoked: [firstId, currentId],
      waits: ["step 17 min", "effect 5 min"],
    });
  });

  it("that nobody may revoke is not left where C2M rejects it, and is where it works", async () => {
    for (const isDead of [true, false]) {
      const { world, first, firstId, currentId } = await twoTokens();
      if (isDead) world.operator.revokeByHand(firstId);
      answering(world, { [firstId]: "refused" });
      const { ended, revoked } = await watchedEnd(world);
      expect(ended).toEqual(isDead ? [] : [{ tokenId: firstId, until: first.expires_at }]);
      expect(revoked).toEqual([currentId]);
    }
  });

  it("whose revocation fails ends it, and does not revoke itself: only one that can't be told apart does", async () => {
    const { world, firstId, currentId } = await twoTokens();
    const { revokeToken } = world.c2m;
    let calls = 0;
    world.c2m.revokeToken = async (request) => {
      calls += 1;
      if (calls > 1) return await revokeToken(request);
      throw new RetryableError("no_answer", "as ordered");
    };
    expect((await watchedEnd(world)).ended).toBe("no_answer");
    expect([calls, world.live()]).toEqual([1, [firstId, currentId]]);
  });
});

describe("the rotation that is off", () => {
  it("is not switched off again, and is waited for where nobody has marked the secret before", async () => {
    const world = await World.ready();
    world.engine.cancelRotateSecret({ SecretId: world.arn });
    await world.clock.advanceBy(day);
    const cancelRotation = () => Promise.reject(new Error("It is off."));
    expect(await watchedEnd(world, { aws: { cancelRotation } })).toMatchObject({ ended: [], waits: ["step 17 min"] });
  });

  it("whose mark is taken off meanwhile ends it before anything is revoked", async () => {
    const world = await World.ready();
    const end = endOf(world);
    const wait: EndOfLife["wait"] = async (moment, why) => {
      await end.wait(moment, why);
      await unmarkDecommissioned(world, await world.store.describe(world.arn));
    };
    const error = await failureOf(endTokens({ ...end, wait }));
    expect(error).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    expect(error.message).toContain("cancelled the decommission");
    expect(world.live()).toHaveLength(1);
  });
});

it("that is broken off before it waits does not wait", async () => {
  const world = await World.ready();
  const waits: number[] = [];
  const wait = async (moment: number) => void waits.push(moment);
  const end = { ...endOf(world), signal: AbortSignal.abort(new Error("broken off")), wait };
  await expect(endTokens(end)).rejects.toThrow("broken off");
  expect(waits).toEqual([]);
});

it("that is broken off while it waits for an effect calls nothing revoked", async () => {
  const world = await World.ready();
  const id = String(world.current().token_id);
  answering(world, { [id]: "claimed" });
  const [broken, revoked]: [AbortController, string[]] = [new AbortController(), []];
  const end = endOf(world, revoked);
  const wait: EndOfLife["wait"] = async (moment, why) => {
    await end.wait(moment, why);
    world.operator.revokeByHand(id);
    if (why === "effect") broken.abort(new Error("broken off"));
  };
  await expect(endTokens({ ...end, signal: broken.signal, wait })).rejects.toThrow("broken off");
  expect(revoked).toEqual([]);
});

it("waits for effects no longer than it says", async () => {
  const { world, firstId, currentId } = await twoTokens();
  const ids = [firstId, "tok_of_somebody", currentId];
  answering(world, Object.fromEntries(ids.map((id) => [id, "claimed"])));
  for (const id of [firstId, currentId]) world.operator.revokeByHand(id);
  const onRevoked = (id: string) => {
    if (id === firstId) storeAnother(world, "tok_of_somebody", ["ANY"]);
  };
  const { waits } = await watchedEnd(world, { onRevoked });
  expect(waits).toEqual(["step 17 min", "effect 5 min", "effect 5 min", "effect 5 min"]);
  expect(mostEffectMs).toBeGreaterThanOrEqual(15 * 60_000);
  expect(mostEffectMs).toBeLessThan(3_600_000);
});

describe("the current token of which C2M knows two ids", () => {
  const twoIds = async () => {
    const { world, currentId } = await twoTokens();
    const current = world.current();
    const value = { ...current, token_id: "tok_of_the_body", header_token_id: currentId };
    world.operator.put(JSON.stringify(value), ["AWSCURRENT"], crypto.randomUUID());
    return { world, currentId, until: current.expires_at };
  };

  it("is not done where one is said to be revoked and the token works", async () => {
    const { world, currentId, until } = await twoIds();
    answering(world, { tok_of_the_body: "revoked", [currentId]: "refused" });
    expect((await watchedEnd(world)).ended).toEqual([{ tokenId: "tok_of_the_body", until }]);
    expect(world.live()).toEqual([currentId]);
  });

  it("is told once by each when it is dead", async () => {
    const { world, currentId } = await twoIds();
    answering(world, { tok_of_the_body: "refused" });
    const { told } = await watchedEnd(world);
    const ids = told.flatMap(({ event, fields }) =>
      event === "token.revoked" && "token_id" in fields ? [fields.token_id] : [],
    );
    expect(ids.filter((id) => id === currentId || id === "tok_of_the_body").sort()).toEqual(
      [currentId, "tok_of_the_body"].sort(),
    );
  });
});

it("asks nobody whether a token works that C2M has revoked, and takes no gateway's word that it does not", async () => {
  const world = await World.ready();
  await world.clock.advanceBy(20 * 60_000);
  const from = world.calls.calls.length;
  expect((await watchedEnd(world)).ended).toEqual([]);
  expect(world.countCalls("c2m", from)).toEqual({ revokeToken: 1 });
  const other = await World.ready();
  answering(other, { [String(other.current().token_id)]: "refused" });
  other.fail("issueShortTermToken", unsaid, Number.POSITIVE_INFINITY);
  expect((await watchedEnd(other)).ended).toBe("revocation_unclear");
});

/** Its function's clock was ahead: C2M may not know it yet, for all that anybody can tell. */
describe("a young token that C2M rejects and nobody may revoke", () => {
  const young = async (lineOf: (id: string) => object | undefined) => {
    const world = await World.ready();
    const id = String(world.current().token_id);
    const issued_at = new Date(world.clock.now() + 30 * 60_000).toISOString();
    world.operator.put(JSON.stringify({ ...world.current(), issued_at }), ["AWSCURRENT"], crypto.randomUUID());
    world.operator.revokeByHand(id);
    answering(world, { [id]: "refused" });
    const common = { secret: world.arn, token_id: id, base_url: world.settings.baseUrl, client_id: "c2m_client" };
    const line = lineOf(id);
    if (line) {
      const entry = { at: world.clock.now(), event: "token.revoked", ...line };
      const fields = { ...common, expires_at: undefined, ...("fields" in line ? (line.fields as object) : {}) };
      world.log.push({ ...entry, fields } as World["log"][number]);
    }
    return await watchedEnd(world);
  };

  it("is dead where the functions have written that C2M revoked it", async () => {
    expect((await young(() => ({}))).ended).toEqual([]);
  });

  it.each<[string, object | undefined]>([
    ["nothing", undefined],
    ["that something before C2M said so", { fields: { claimed: true } }],
    ["the same of another token", { fields: { token_id: "tok_other" } }],
    ["the same of another C2M's", { fields: { base_url: "https://former.test/v2" } }],
    ["that it can't be revoked", { event: "token.unrevocable" }],
    ["nothing, but an operator has", { byOperator: true }],
  ])("is not known to be dead where they have written %s", async (_, line) => {
    expect((await young(() => line)).ended).toBe("invalid_token");
  });
});
