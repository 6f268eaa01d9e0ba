import { expect, it } from "vitest";
import { World } from "../harness/rotation-world.ts";

it("runs a rotation by hand, step by step", async () => {
  const world = await World.ready(); // bootstrapped, rotation on, no grace
  const [first] = world.live();
  const version = await world.open(); // Secrets Manager has labelled an empty version AWSPENDING

  await world.run("createSecret", version);
  expect(world.stages()[version]).toEqual(["AWSPENDING"]);
  expect(world.live()).toEqual([first, world.value(version).token_id]);

  await world.run("setSecret", version);
  await world.run("testSecret", version);
  await world.run("finishSecret", version);
  expect(world.stages()[version]).toContain("AWSCURRENT");
  expect(world.live()).toEqual([world.current().token_id]); // the first one is revoked
});
