import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DeployedWorld, type RequestOfRotation } from "./explorer/deployed.ts";

describe.each([
  ["before it is done", false],
  ["after it is done and before its answer", true],
] as const)("the real function process, killed at every request of a rotation, %s", (_, done) => {
  let world: DeployedWorld;
  let requests: RequestOfRotation[];

  beforeAll(async () => {
    world = await DeployedWorld.deploy();
    requests = await world.requestsOfRotation();
  });

  afterAll(() => world.cloud.stop());

  it("leaves no token that the log knows, and reports each one that it does not", async () => {
    expect(requests.map(({ operation }) => operation)).toEqual(
      expect.arrayContaining([
        "issueLongTermToken",
        "PutSecretValue",
        "issueShortTermToken",
        "UpdateSecretVersionStage",
      ]),
    );
    let unknown = 0;
    for (const request of requests) {
      const failedBefore = failures(world);
      await world.day(() => world.killAt(request, done));
      const where = `${request.operation} ${request.nth}`;
      expect(failures(world), `${where}: an attempt was killed`).toBeGreaterThan(failedBefore);
      const leftovers = world.leftovers();
      expect(leftovers.known, `${where}: orphans with a known id`).toEqual([]);
      expect(world.stuck, `${where}: stuck versions`).toEqual([]);
      expect(world.currentWorks, `${where}: the current token works`).toBe(true);
      const latest = leftovers.suspects.map(({ latestExpiresAt }) => latestExpiresAt).sort((a, b) => b - a);
      const expiries = leftovers.unknown.map(({ expiresAt }) => expiresAt).sort((a, b) => b - a);
      // The later the token expires, the later must the suspect: one for each.
      expect(
        expiries.every((expiry, index) => (latest[index] ?? 0) >= expiry),
        `${where}: suspects`,
      ).toBe(true);
      unknown = Math.max(unknown, expiries.length);
    }
    // Only the answer of the issue call takes an id with it.
    expect(unknown).toBe(done ? 1 : 0);
  });
});

function failures({ cloud }: DeployedWorld): number {
  return cloud.bus.events.filter(({ detail }) => detail.eventName === "RotationFailed").length;
}
