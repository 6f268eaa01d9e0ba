import { expect, test } from "vitest";
import { LocalAccount, refusal, token } from "./local-account.ts";

test("reads see writes only after the visibility delay, writes see them at once", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  await account.clock.advanceBy(60_000);
  account.engine.knobs.visibilityDelayMs = 2000;
  account.put(arn, "second", "two", ["AWSPENDING"]);
  const readPending = () => account.engine.getSecretValue({ SecretId: arn, VersionStage: "AWSPENDING" }).SecretString;
  expect(refusal(readPending).code).toBe("ResourceNotFoundException");
  expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSCURRENT"] });
  expect(account.engine.listSecretVersionIds({ SecretId: arn }).Versions).toHaveLength(1);
  expect(refusal(() => account.put(arn, "second", "other")).code).toBe("ResourceExistsException");
  await account.clock.advanceBy(1999);
  expect(refusal(readPending).code).toBe("ResourceNotFoundException");
  await account.clock.advanceBy(1);
  expect(readPending()).toBe("two");
});

test("each read sees the state of exactly that long ago", async () => {
  const account = new LocalAccount({ visibilityDelayMs: 1000 });
  const arn = account.create();
  const values: (string | undefined)[] = [];
  await account.clock.advanceBy(1000);
  for (const version of ["second", "third", "fourth"]) {
    account.put(arn, version, version);
    await account.clock.advanceBy(400);
    values.push(account.value(arn));
  }
  await account.clock.advanceBy(1000);
  values.push(account.value(arn));
  expect(values).toEqual(["one", "one", "second", "fourth"]);
});

test("a new secret is not there yet", async () => {
  const account = new LocalAccount({ visibilityDelayMs: 1000 });
  const arn = account.create();
  expect(refusal(() => account.engine.describeSecret({ SecretId: arn })).code).toBe("ResourceNotFoundException");
  expect(account.engine.listSecrets({}).SecretList).toEqual([]);
  await account.clock.advanceBy(1000);
  expect(account.value(arn)).toBe("one");
});
