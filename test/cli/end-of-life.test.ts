import { expect, it } from "vitest";
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

it("revokes what it can't tell from a current value that nobody knows: all of it is to end (row 20)", async () => {
  const world = await World.ready({ settings: { graceSeconds: 3_600 } });
  await world.rotate();
  world.operator.put('{"apiKey":"x"}', ["AWSCURRENT"], crypto.randomUUID());
  expect(await endTokens(endOf(world))).toEqual([{ tokenId: undefined, until: undefined }]);
  expect(world.live()).toEqual([]);
});
