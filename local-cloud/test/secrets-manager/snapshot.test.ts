import { expect, test } from "vitest";
import type { SecretsSnapshot } from "../../secrets-manager/engine.ts";
import { LocalAccount, operator, token } from "./local-account.ts";

/** Where a rotation is after each of its steps that another one follows. */
async function snapshotsOf(account: LocalAccount, arn: string): Promise<(SecretsSnapshot | undefined)[]> {
  const taken: (SecretsSnapshot | undefined)[] = [];
  const other = new LocalAccount({}, account.service.save(), {
    betweenSteps: () => {
      taken.push(other.service.snapshot());
      return undefined;
    },
  });
  other.rotate(arn, "second");
  await other.service.idle();
  return taken;
}

test.each([0, 1, 2])(
  "a rotation goes on in another engine after its step %i, with the same RotationToken",
  async (nth) => {
    const account = new LocalAccount();
    const arn = account.create();
    const from = (await snapshotsOf(account, arn))[nth];
    const other = new LocalAccount({}, {}, { from });
    expect(other.invocations).toEqual([]);
    other.engine.goOn();
    await other.service.idle();
    expect(other.steps()).toEqual(["createSecret", "setSecret", "testSecret", "finishSecret"].slice(nth + 1));
    expect(new Set(other.invocations.map(({ RotationToken }) => RotationToken))).toEqual(
      new Set([from?.rotations[0]?.rotationToken]),
    );
    expect(other.stages(arn)[token("second")]).toContain("AWSCURRENT");
    expect(other.rotationEvents()).toEqual(["RotationSucceeded"]);
  },
);

test("two engines that go on from one snapshot share nothing that changes", () => {
  const account = new LocalAccount();
  const arn = account.create();
  const from = account.service.snapshot();
  const [one, other] = [new LocalAccount({}, {}, { from }), new LocalAccount({}, {}, { from })];
  one.put(arn, "second", "two");
  one.engine.tagResource({ SecretId: arn, Tags: [{ Key: "a", Value: "b" }] });
  account.put(arn, "third", "three");
  expect(other.value(arn)).toBe("one");
  expect(other.engine.describeSecret({ SecretId: arn })).not.toHaveProperty("Tags");
});

test("reads that lag see in the other engine what was before", async () => {
  const account = new LocalAccount({ visibilityDelayMs: 3_000 });
  const arn = account.create();
  await account.clock.advanceBy(10_000);
  account.put(arn, "second", "two");
  const other = new LocalAccount({}, {}, { from: account.service.snapshot() });
  await other.clock.advanceTo(account.clock.now());
  expect(other.value(arn)).toBe("one");
  await other.clock.advanceBy(3_001);
  expect(other.value(arn)).toBe("two");
});

test("there is no snapshot while a rotation is only tested, nor where there are replicas", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.rotate(arn, "second", { RotateImmediately: false });
  expect(account.service.snapshot()).toBeUndefined();
  await account.service.idle();
  expect(account.service.snapshot()).toBeDefined();
  account.engine.createSecret(
    { Name: "replicated", ClientRequestToken: token("x"), AddReplicaRegions: [{ Region: "eu-west-1" }] },
    operator,
  );
  expect(account.service.snapshot()).toBeUndefined();
});
