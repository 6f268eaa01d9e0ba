import { describe, expect, it } from "vitest";
import { metricNames } from "../../src/formats/metrics.ts";
import { runBootstrap, runStep } from "../../src/rotation/steps/run-step.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

describe("a step", () => {
  it("says that it started and that it succeeded, and counts no failure", async () => {
    const world = await World.ready();
    world.log.length = 0;
    world.metrics.length = 0;
    const version = world.holder("AWSCURRENT") ?? "";
    await world.run("createSecret", version);
    const fields = { step: "createSecret", secret: world.arn, version_id: version };
    expect(world.log.map(({ event, fields }) => [event, fields])).toEqual([
      ["step.started", fields],
      ["step.succeeded", fields],
    ]);
    expect(world.metrics).toEqual([]);
  });

  it("says what it failed with, counts it, and throws it on", async () => {
    const world = await World.ready();
    world.log.length = 0;
    world.metrics.length = 0;
    const failure = await failureOf(world.run("finishSecret", "11111111-1111-4111-8111-111111111111"));
    expect(world.log.map(({ event }) => event)).toEqual(["step.started", "step.failed"]);
    expect(world.events("step.failed")).toMatchObject([
      {
        step: "finishSecret",
        secret: world.arn,
        version_id: "11111111-1111-4111-8111-111111111111",
        code: "not_pending",
        reason: failure.message,
      },
    ]);
    expect(world.metrics).toEqual([{ name: metricNames.stepFailed, value: 1 }]);
  });

  it.each([
    [new TypeError("hunter2"), "An unexpected TypeError."],
    ["hunter2", "An unexpected string."],
  ])("tells of an error that is not ours only what kind it is", async (error, reason) => {
    const world = await World.ready();
    const store = { ...world.store, describe: () => Promise.reject(error) };
    const target = { versionId: "v", rotationToken: undefined };
    await expect(runStep(world.context({ store }), "createSecret", target)).rejects.toBe(error);
    await expect(runBootstrap(world.context({ store }))).rejects.toBe(error);
    expect(world.events("step.failed")).toMatchObject([
      { step: "createSecret", secret: world.arn, version_id: "v", code: "unexpected", reason },
      { step: "bootstrap", secret: world.arn, version_id: "", code: "unexpected", reason },
    ]);
  });
});
