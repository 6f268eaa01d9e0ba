import { expect, it } from "vitest";
import { othersLive } from "../../cli/survey.ts";
import { ledgerOf, runReconciler } from "../harness/reconciler-run.ts";
import { World } from "../harness/rotation-world.ts";

const hour = 3_600_000;
const settings = { graceSeconds: 3_600 };

const livesIn = (world: World) =>
  othersLive({ context: world.context(), ledger: ledgerOf(world), baseUrl: world.settings.baseUrl, others: [] });

/** What `status` says of a token that is retired. */
it("tells that a superseded token lives until it was revoked, however long that is ago", async () => {
  const world = await World.ready({ settings });
  expect(await livesIn(world)).toBe(false);
  await world.rotate();
  world.engine.cancelRotateSecret({ SecretId: world.arn });
  expect(await livesIn(world)).toBe(true);
  await world.clock.advanceBy(2 * hour);
  expect((await runReconciler(world)).revoked).toHaveLength(1);
  expect(await livesIn(world)).toBe(false);
  await world.clock.advanceBy(20 * 24 * hour);
  expect(await livesIn(world)).toBe(false);
});

it("tells of one whose version has lost its labels, and of one without an id", async () => {
  const world = await World.ready({ settings });
  await world.rotate();
  await world.rotate();
  await world.clock.advanceBy(2 * hour);
  const previous = String(world.value(world.holder("AWSPREVIOUS") ?? "").token_id);
  world.operator.revokeByHand(previous);
  world.log.push({
    at: world.clock.now(),
    event: "token.revoked",
    fields: { secret: world.arn, token_id: previous, expires_at: undefined },
  });
  expect(await livesIn(world)).toBe(true);
  const adopted = new World({ settings, initialValue: "an-old-token" });
  await adopted.enableRotation();
  expect(await livesIn(adopted)).toBe(false);
  await adopted.rotate();
  expect(await livesIn(adopted)).toBe(true);
});

it("tells of an issue call without an answer", async () => {
  const world = await World.ready({ settings, knobs: { retry: "manual" } });
  world.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: { kind: "cut", when: "after" } });
  await world.rotate();
  await world.clock.advanceBy(hour);
  expect(await livesIn(world)).toBe(true);
});
