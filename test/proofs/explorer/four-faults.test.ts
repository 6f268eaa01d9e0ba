import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { currentToken } from "../../harness/stack.ts";
import { DeployedWorld } from "./deployed.ts";

/** The faults under which rotators of other vendors were measured to leave tokens behind. */
describe("the deployed function leaves no orphan after", () => {
  let world: DeployedWorld;

  beforeAll(async () => {
    world = await DeployedWorld.deploy();
  });

  afterAll(() => world.cloud.stop());

  function expectOnlyCurrent(): void {
    const { token_id } = currentToken(world.cloud);
    expect(world.cloud.c2m.liveLongTokens().map(({ id }) => id)).toEqual([token_id]);
    expect(world.leftovers().suspects).toEqual([]);
    expect(world.stuck).toEqual([]);
  }

  it("a kill between issue and store", async () => {
    const issued = world.events("token.issued").length;
    await world.day(() => world.killAt({ service: "secretsmanager", operation: "PutSecretValue", nth: 1 }, false));
    expect(world.events("token.issued").length - issued, "tokens issued for one rotation").toBe(2);
    expectOnlyCurrent();
  });

  it("a store that is down for three attempts", async () => {
    const { cloud } = world;
    const failed = cloud.bus.events.length;
    const puts = () =>
      cloud.calls.calls.filter(({ operation, error }) => operation === "PutSecretValue" && error).length;
    const before = puts();
    // The SDK tries each store three times.
    const fault = { kind: "error", status: 503, code: "ServiceUnavailable", message: "down" } as const;
    await world.day(() => {
      cloud.faults.add({ service: "secretsmanager", operation: "PutSecretValue", times: 9, fault });
    });
    expect(puts() - before, "stores that failed").toBe(9);
    const names = cloud.bus.events.slice(failed).map(({ detail }) => detail.eventName);
    expect(names.filter((name) => name === "RotationFailed")).toHaveLength(3);
    expectOnlyCurrent();
  });

  it("a revocation that fails once", async () => {
    const failed = world.events("token.revocation.failed").length;
    // The client tries each revocation eight times.
    const fault = { kind: "error", status: 503, code: "unavailable", message: "down" } as const;
    await world.day(() => {
      world.cloud.faults.add({ service: "c2m", operation: "revokeToken", times: 8, fault });
    });
    expect(world.events("token.revocation.failed").length - failed).toBe(1);
    expectOnlyCurrent();
  });

  it("createSecret delivered three times, two of them at once", async () => {
    const { engine } = world.cloud.secretsManager;
    const steps = () => world.events("step.started").filter(({ step }) => step === "createSecret").length;
    const before = steps();
    engine.knobs.delivery = (step) => (step === "createSecret" ? "concurrently" : "once");
    // The attempt fails in testSecret, and so createSecret comes again.
    const fault = { kind: "error", status: 400, code: "invalid_request", message: "once" } as const;
    await world.day(() => {
      world.cloud.faults.add({ service: "c2m", operation: "issueShortTermToken", fault });
    });
    expect(steps() - before).toBeGreaterThanOrEqual(3);
    engine.knobs.delivery = () => "once";
    expectOnlyCurrent();
  });
});
