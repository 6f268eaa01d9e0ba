import { describe, expect, it } from "vitest";
import { World } from "../harness/rotation-world.ts";

/** What Secrets Manager says about the configuration's test. */
function tests(world: World): string[] {
  return world.bus.events
    .map(({ detail }) => String(detail.eventName))
    .filter((name) => name.startsWith("TestRotation"));
}

describe("RotateImmediately=false, where testSecret runs alone on a copy of the current value", () => {
  it("exchanges the current token and issues nothing", async () => {
    const world = new World();
    await world.bootstrap();
    const from = world.calls.calls.length;
    await world.enableRotation();
    expect(tests(world)).toEqual(["TestRotationStarted", "TestRotationSucceeded"]);
    expect(world.countCalls("c2m", from)).toEqual({ issueShortTermToken: 1 });
    expect(world.countCalls("secretsmanager", from)).toEqual({ GetSecretValue: 1 });
  });

  it.each([
    ["a plain string", "an-old-token"],
    ["other JSON", '{"apiKey":"abc"}'],
  ])("accepts %s that was there before us, and sends it nowhere", async (_, value) => {
    const world = new World({ initialValue: value });
    await world.enableRotation();
    expect(tests(world)).toEqual(["TestRotationStarted", "TestRotationSucceeded"]);
    expect(world.countCalls("c2m")).toEqual({});
    expect(world.events("token.adopted")).toMatchObject([{ secret: world.arn, version_id: expect.any(String) }]);
  });

  it("accepts a current token that lacks a scope which the settings have gained: the next rotation asks for it", async () => {
    const world = new World();
    await world.bootstrap();
    world.settings.scopes = [...world.settings.scopes, "account:read"];
    await world.enableRotation();
    expect(tests(world)).toEqual(["TestRotationStarted", "TestRotationSucceeded"]);
    await world.rotate();
    expect(world.current().scopes).toContain("account:read");
  });

  it("accepts a current token of another C2M than the settings', sends it nowhere and calls it proven nowhere (row 1)", async () => {
    const world = new World();
    await world.bootstrap();
    Object.assign(world.settings, { baseUrl: "https://new.test/v2" });
    const [from, proven] = [world.calls.calls.length, world.events("token.proven").length];
    await world.enableRotation();
    expect(tests(world)).toEqual(["TestRotationStarted", "TestRotationSucceeded"]);
    expect(world.countCalls("c2m", from)).toEqual({});
    expect(world.events("token.proven")).toHaveLength(proven);
  });

  it("fails for a current token that C2M rejects, says so, and leaves the labels to Secrets Manager", async () => {
    const world = new World();
    await world.bootstrap();
    const current = world.holder("AWSCURRENT");
    await world.clock.advanceBy(11 * 60_000);
    world.fail("issueShortTermToken", { kind: "error", status: 401, code: "invalid_token", message: "" }, Infinity);
    await world.enableRotation();
    expect(tests(world)).toEqual(["TestRotationStarted", "TestRotationFailed"]);
    expect(world.failures).toMatchObject([
      {
        code: "token_rejected",
        message: "C2M says that the current token is not valid. Rotate now to replace it.",
      },
    ]);
    expect(world.events("pending.detached")).toEqual([]);
    expect(world.holder("AWSCURRENT")).toBe(current);
  });

  it("accepts the version that is current itself, should Secrets Manager test that", async () => {
    const world = new World({ initialValue: "an-old-token" });
    await world.enableRotation();
    const from = world.calls.calls.length;
    await world.run("testSecret", world.holder("AWSCURRENT") ?? "");
    expect(world.countCalls("secretsmanager", from)).toEqual({ GetSecretValue: 1 });
    expect(world.events("token.adopted")).toHaveLength(2);
  });
});
