import { expect, it } from "vitest";
import { type EndOfLife, endTokens } from "../../cli/acting/end-of-life.ts";
import { ledgerOf, runReconciler } from "../harness/reconciler-run.ts";
import { World } from "../harness/rotation-world.ts";

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
