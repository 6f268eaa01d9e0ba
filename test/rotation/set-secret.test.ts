import { expect, it } from "vitest";
import { World } from "../harness/rotation-world.ts";

it("setSecret calls nobody: a C2M token is live as soon as it is issued", async () => {
  const world = await World.ready();
  const version = await world.open();
  await world.run("createSecret", version);
  const from = world.calls.calls.length;
  await world.run("setSecret", version);
  expect(world.calls.calls.slice(from)).toEqual([]);
  expect(world.log.slice(-2)).toMatchObject([
    { event: "step.started", fields: { step: "setSecret", secret: world.arn, version_id: version } },
    { event: "step.succeeded", fields: { step: "setSecret", secret: world.arn, version_id: version } },
  ]);
});
