import { describe, expect, it } from "vitest";
import { World } from "./world.ts";

describe("a rotation", () => {
  it("replaces the token, promotes it and revokes its predecessor", async () => {
    const world = await World.ready();
    const first = world.current();
    await world.rotate();
    expect(world.failures).toEqual([]);
    expect(world.current().token_id).not.toBe(first.token_id);
    expect(world.live()).toEqual([world.current().token_id]);
  });

  it("makes seven Secrets Manager calls with grace, and one issue and one exchange", async () => {
    const world = await World.ready({ settings: { graceSeconds: 3_600 } });
    const from = world.calls.calls.length;
    await world.rotate();
    expect(world.countCalls("secretsmanager", from)).toEqual({
      DescribeSecret: 2,
      GetSecretValue: 3,
      PutSecretValue: 1,
      UpdateSecretVersionStage: 1,
    });
    expect(world.countCalls("c2m", from)).toEqual({ issueLongTermToken: 1, issueShortTermToken: 1 });
  });
});
