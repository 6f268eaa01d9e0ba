import { describe, expect, it } from "vitest";
import { type EndOfLife, endTokens } from "../../cli/acting/end-of-life.ts";
import { RetryableError } from "../../src/ports/errors.ts";
import { answering, claim, endOf, gateway, orphan, twoTokens, unsaid, watchedEnd } from "../harness/end-of-life.ts";
import { runReconciler } from "../harness/reconciler-run.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

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

  it("is dead where the functions have written that C2M revoked it, or an earlier run of the command", async () => {
    expect((await young(() => ({}))).ended).toEqual([]);
    expect((await young(() => ({ byOperator: true }))).ended).toEqual([]);
  });

  it.each<[string, object | undefined]>([
    ["nothing", undefined],
    ["that something before C2M said so", { fields: { claimed: true } }],
    ["the same of another token", { fields: { token_id: "tok_other" } }],
    ["the same of another C2M's", { fields: { base_url: "https://former.test/v2" } }],
    ["that it can't be revoked", { event: "token.unrevocable" }],
  ])("is not known to be dead where they have written %s", async (_, line) => {
    expect((await young(() => line)).ended).toBe("invalid_token");
  });
});
