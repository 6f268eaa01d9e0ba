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
