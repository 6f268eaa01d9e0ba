import { expect, test } from "vitest";
import { functionArn, LocalAccount, operator, refusal, token } from "./local-account.ts";

test("RotateSecret without a function is refused", () => {
  const account = new LocalAccount();
  const arn = account.create();
  expect(refusal(() => account.engine.rotateSecret({ SecretId: arn, ClientRequestToken: token("second") }))).toEqual({
    code: "InvalidRequestException",
    message: "No Lambda rotation function ARN is associated with this secret.",
    status: 400,
  });
});

test("RotateSecret with a function that may not be invoked is refused and stores nothing", () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.mayInvoke = false;
  expect(refusal(() => account.rotate(arn, "second", { days: 1 }))).toEqual({
    code: "AccessDeniedException",
    message:
      "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.",
    status: 400,
  });
  const described = account.engine.describeSecret({ SecretId: arn });
  expect(described).not.toHaveProperty("RotationEnabled");
  expect(described).not.toHaveProperty("RotationRules");
  expect(described).not.toHaveProperty("RotationLambdaARN");
});

test("RotateSecret without a ClientRequestToken is an InvalidParameterException", () => {
  const account = new LocalAccount();
  const arn = account.create();
  expect(refusal(() => account.engine.rotateSecret({ SecretId: arn, RotationLambdaARN: functionArn }))).toEqual({
    code: "InvalidParameterException",
    message: "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
    status: 400,
  });
});

test("RotateImmediately=false runs testSecret alone, on a copy of the value under a new version, which then goes", async () => {
  const account = new LocalAccount();
  const arn = account.create("app/token", "old_secret");
  let seen: unknown;
  account.step = (event) => {
    const { SecretString, VersionStages } = account.engine.getSecretValue({
      SecretId: arn,
      VersionId: event.ClientRequestToken,
      VersionStage: "AWSPENDING",
    });
    seen = { step: event.Step, version: event.ClientRequestToken, SecretString, VersionStages };
  };
  account.rotate(arn, "test", { RotateImmediately: false, days: 1 });
  await account.service.idle();
  expect(seen).toEqual({
    step: "testSecret",
    version: token("test"),
    SecretString: "old_secret",
    VersionStages: ["AWSPENDING"],
  });
  expect(account.steps()).toEqual(["testSecret"]);
  expect(account.engine.listSecretVersionIds({ SecretId: arn, IncludeDeprecated: true }).Versions).toHaveLength(1);
  expect(account.rotationEvents()).toEqual(["TestRotationStarted", "TestRotationSucceeded"]);
  expect(account.engine.describeSecret({ SecretId: arn })).not.toHaveProperty("LastRotatedDate");
});

test("RotateSecret while the test runs is refused, and starts no rotation of the copy", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.step = () => {
    expect(refusal(() => account.rotate(arn, "second")).code).toBe("InvalidRequestException");
  };
  account.rotate(arn, "test", { RotateImmediately: false, days: 1 });
  await account.service.idle();
  expect(account.steps()).toEqual(["testSecret"]);
  expect(account.rotationEvents()).toEqual(["TestRotationStarted", "TestRotationSucceeded"]);
});

test.each([true, false])("a failed test turns rotation off again: %s", async (failedTestDisablesRotation) => {
  const account = new LocalAccount({ failedTestDisablesRotation });
  const arn = account.create();
  account.step = () => Promise.reject(new Error("no"));
  account.rotate(arn, "test", { RotateImmediately: false, days: 1 });
  await account.service.idle();
  expect(account.stages(arn)).toEqual({ [token("first")]: ["AWSCURRENT"] });
  expect(account.rotationEvents()).toEqual(["TestRotationStarted", "TestRotationFailed"]);
  expect(account.eventsNamed("TestRotationFailed")[0]?.detail.errorMessage).toBe(
    `Error when executing lambda ${functionArn} during testSecret step`,
  );
  expect(account.engine.describeSecret({ SecretId: arn }).RotationEnabled).toBe(!failedTestDisablesRotation);
});

test("a cancelled rotation leaves the labels, blocks the next one, and answers with its version", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  let cancelled: unknown;
  account.step = (event) => {
    account.template(event);
    if (event.Step === "setSecret") cancelled = account.engine.cancelRotateSecret({ SecretId: arn });
  };
  account.rotate(arn, "second", { days: 1 });
  await account.service.idle();
  expect(cancelled).toEqual({ ARN: arn, Name: "app/token", VersionId: token("second") });
  expect(account.steps()).toEqual(["createSecret", "setSecret"]);
  expect(account.stages(arn)[token("second")]).toEqual(["AWSPENDING"]);
  expect(refusal(() => account.rotate(arn, "third")).code).toBe("InvalidRequestException");
});

test("after CancelRotateSecret rules and function stay visible, and the rotation dates go", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.rotate(arn, "second", { days: 1 });
  await account.service.idle();
  account.engine.cancelRotateSecret({ SecretId: arn });
  const described = account.engine.describeSecret({ SecretId: arn });
  expect(described).toMatchObject({
    RotationEnabled: false,
    RotationRules: { AutomaticallyAfterDays: 1 },
    RotationLambdaARN: functionArn,
  });
  expect(described).not.toHaveProperty("NextRotationDate");
  expect(described).not.toHaveProperty("LastRotatedDate");
  account.invocations.length = 0;
  await account.clock.advanceBy(10 * 86_400_000);
  expect(account.invocations).toEqual([]);
});

test("CancelRotateSecret of a secret that never rotated is refused", () => {
  const account = new LocalAccount();
  const arn = account.create();
  expect(refusal(() => account.engine.cancelRotateSecret({ SecretId: arn })).code).toBe("InvalidRequestException");
});

test.each([
  ["accept", "no error"],
  ["refuse", "InvalidRequestException"],
] as const)("RotateSecret on a secret without a value: %s", async (rotateWithoutValue, code) => {
  const account = new LocalAccount({ rotateWithoutValue });
  account.engine.createSecret({ Name: "empty" }, operator);
  if (rotateWithoutValue === "accept") expect(account.rotate("empty", "second").VersionId).toBe(token("second"));
  else expect(refusal(() => account.rotate("empty", "second")).code).toBe(code);
  await account.service.idle();
});

test.each(["accept", "refuse"] as const)(
  "RotateSecret again with the token of the current version: %s",
  async (rotateWithUsedToken) => {
    const account = new LocalAccount({ rotateWithUsedToken });
    const arn = account.create();
    account.rotate(arn, "second");
    await account.service.idle();
    if (rotateWithUsedToken === "accept") expect(account.rotate(arn, "second").VersionId).toBe(token("second"));
    else expect(refusal(() => account.rotate(arn, "second")).code).toBe("ResourceExistsException");
    await account.service.idle();
    expect(account.steps()).toHaveLength(4);
  },
);

test("RotateSecret of a secret that is marked for deletion is refused", () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.engine.deleteSecret({ SecretId: arn });
  expect(refusal(() => account.rotate(arn, "second")).message).toBe(
    "You can't perform this operation on the secret because it was marked for deletion.",
  );
});
