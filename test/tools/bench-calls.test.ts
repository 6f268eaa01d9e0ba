import { describe, expect, it } from "vitest";
import { callsOfRotation, total } from "../../tools/bench/calls.ts";
import { runReconciler } from "../harness/reconciler-run.ts";
import { World } from "../harness/rotation-world.ts";

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
    ["after the grace", 3_600, { rotation: 2, reconcile: 3 }],
    ["without grace", 0, { rotation: 3, reconcile: 1 }],
  ])(
    "are five to C2M %s: issue, test, see the current one work, revoke, see the old one dead",
    async (_, graceSeconds, expected) => {
      for (const processPerStep of [false, true]) {
        const { reconcile, ...steps } = await callsOfRotation({ cold: true, graceSeconds, processPerStep });
        const rotation = total(...Object.values(steps).map(({ c2m }) => c2m));
        // Nothing unproven is promoted: a process that has not tested the token asks C2M itself.
        expect({ rotation: rotation - (processPerStep ? 1 : 0), reconcile: total(reconcile.c2m) }).toEqual(
          graceSeconds === 0 ? { rotation: expected.rotation, reconcile: expected.reconcile } : expected,
        );
      }
    },
  );

  it("are ten to Secrets Manager without grace: what was superseded, and AWSCURRENT right before it is revoked", async () => {
    const { reconcile: _, ...steps } = await callsOfRotation({ cold: true, graceSeconds: 0 });
    expect(total(...Object.values(steps).map(({ secretsManager }) => secretsManager))).toBe(10);
  });

  it("are three to Secrets Manager in an hourly run that has nothing to revoke, for a secret that has rotated", async () => {
    const world = await World.ready({ settings: { graceSeconds: 0 } });
    await world.rotate();
    await world.clock.advanceBy(3 * 3_600_000);
    const from = world.calls.calls.length;
    await runReconciler(world);
    expect(world.countCalls("secretsmanager", from)).toEqual({ DescribeSecret: 1, GetSecretValue: 2 });
  });
});
