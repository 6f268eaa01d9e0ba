import { describe, expect, it } from "vitest";
import { promote } from "../../src/rotation/promote.ts";
import { failureOf, World } from "../harness/rotation-world.ts";

const manual = { knobs: { retry: "manual" as const } };
const c2m = { baseUrl: "https://c2m.test/v2", clientId: "c2m_client" };

describe("a promotion", () => {
  it("whose moves are all lost ends after its tries, and says of no promotion", async () => {
    const world = await World.ready(manual);
    const versionId = await world.open();
    const current = world.holder("AWSCURRENT");
    world.fail("UpdateSecretVersionStage", { kind: "cut", when: "before" }, 1_000);
    const promoted = world.events("token.promoted").length;
    let checks = 0;
    const check = async () => {
      checks += 1;
    };
    const failure = await failureOf(promote(world.context(), { versionId, c2m, tries: 2, check }));
    expect(failure).toMatchObject({ name: "AmbiguousError", code: "store_unknown" });
    expect([checks, world.holder("AWSCURRENT")]).toEqual([2, current]);
    expect(world.events("token.promoted")).toHaveLength(promoted);
  });

  it("under which the label moves each time ends after its tries", async () => {
    const world = await World.ready(manual);
    const versionId = await world.open();
    let checks = 0;
    const check = async () => {
      checks += 1;
      world.operator.moveStage("AWSCURRENT", world.operator.put("by-hand", ["OTHER"]));
    };
    const failure = await failureOf(promote(world.context(), { versionId, c2m, tries: 2, check }));
    expect(failure).toMatchObject({ name: "RetryableError", code: "labels_moved" });
    expect(failure.message).toContain("AWSCURRENT is not where it was seen");
    expect(checks).toBe(2);
  });
});
