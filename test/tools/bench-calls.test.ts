import { describe, expect, it } from "vitest";
import { callsOfRotation, total } from "../../tools/bench/calls.ts";

describe("the calls of a rotation", () => {
  it("are eight to Secrets Manager in a new process, and each step makes its own", async () => {
    const { createSecret, setSecret, testSecret, finishSecret } = await callsOfRotation({
      cold: true,
      graceSeconds: 3_600,
    });
    expect(createSecret.secretsManager).toEqual({ DescribeSecret: 1, GetSecretValue: 3, PutSecretValue: 1 });
    expect(setSecret.secretsManager).toEqual({});
    expect(testSecret.secretsManager).toEqual({ GetSecretValue: 1 });
    expect(finishSecret.secretsManager).toEqual({ DescribeSecret: 1, UpdateSecretVersionStage: 1 });
    const steps = [createSecret, setSecret, testSecret, finishSecret];
    expect(total(...steps.map(({ secretsManager }) => secretsManager))).toBe(8);
  });

  it("are seven in a process that holds the credentials", async () => {
    const { createSecret, testSecret, finishSecret } = await callsOfRotation({ cold: false, graceSeconds: 3_600 });
    const steps = [createSecret, testSecret, finishSecret];
    expect(total(...steps.map(({ secretsManager }) => secretsManager))).toBe(7);
  });

  it.each([
    ["by the reconciler after the grace", 3_600],
    ["by finishSecret without grace", 0],
  ])("are three to C2M: issue, exchange, and revoke %s", async (_, graceSeconds) => {
    const calls = await callsOfRotation({ cold: true, graceSeconds });
    const c2m = Object.values(calls).flatMap((one) => Object.entries(one.c2m));
    expect(c2m.map(([operation, count]) => `${operation} ${count}`).sort()).toEqual([
      "issueLongTermToken 1",
      "issueShortTermToken 1",
      "revokeToken 1",
    ]);
  });
});
