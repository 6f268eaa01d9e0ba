import { describe, expect, test } from "vitest";
import type { SecretsManagerService } from "../../secrets-manager/service.ts";
import { LocalAccount, operator, refusal, region, token } from "./local-account.ts";

function handle(service: SecretsManagerService, operation: string, input: Record<string, unknown>, where = region) {
  return service.handle({ operation, input, caller: operator, region: where, requestId: "request" });
}

async function withSecret(): Promise<SecretsManagerService> {
  const account = new LocalAccount();
  account.create();
  return account.service;
}

describe("what AWS's model limits", () => {
  test.each<[string, string, Record<string, unknown>]>([
    ["a name of 513 characters", "CreateSecret", { Name: "n".repeat(513) }],
    ["an empty name", "CreateSecret", { Name: "" }],
    ["no name", "CreateSecret", {}],
    ["no SecretId", "DescribeSecret", {}],
    ["a SecretId of 2049 characters", "DescribeSecret", { SecretId: "s".repeat(2049) }],
    ["a token of 31 characters", "PutSecretValue", { SecretId: "app/token", ClientRequestToken: "t".repeat(31) }],
    ["a token of 65 characters", "PutSecretValue", { SecretId: "app/token", ClientRequestToken: "t".repeat(65) }],
    ["a VersionId of 31 characters", "GetSecretValue", { SecretId: "app/token", VersionId: "v".repeat(31) }],
    ["a label of 257 characters", "GetSecretValue", { SecretId: "app/token", VersionStage: "s".repeat(257) }],
    ["no labels", "PutSecretValue", { SecretId: "app/token", VersionStages: [] }],
    ["21 labels", "PutSecretValue", { SecretId: "app/token", VersionStages: Array(21).fill("LABEL") }],
    ["a text of 65,537 bytes", "PutSecretValue", { SecretId: "app/token", SecretString: `${"é".repeat(32_768)}e` }],
    [
      "65,537 bytes",
      "PutSecretValue",
      { SecretId: "app/token", SecretBinary: Buffer.alloc(65_537).toString("base64") },
    ],
    ["a description of 2049 characters", "UpdateSecret", { SecretId: "app/token", Description: "d".repeat(2049) }],
    ["11 filters", "ListSecrets", { Filters: Array(11).fill({ Key: "name", Values: ["a"] }) }],
    ["11 values of a filter", "ListSecrets", { Filters: [{ Key: "name", Values: Array(11).fill("a") }] }],
    [
      "a policy of 20,481 characters",
      "PutResourcePolicy",
      { SecretId: "app/token", ResourcePolicy: "p".repeat(20_481) },
    ],
    ["21 secrets", "BatchGetSecretValue", { SecretIdList: Array(21).fill("app/token") }],
    ["a short RotationToken", "PutSecretValue", { SecretId: "app/token", RotationToken: "r".repeat(35) }],
    ["a RotationToken with a dot", "PutSecretValue", { SecretId: "app/token", RotationToken: ".".repeat(36) }],
    ["an unknown filter", "ListSecrets", { Filters: [{ Key: "colour", Values: ["red"] }] }],
  ])("%s is a ValidationException with status 400", async (_, operation, input) => {
    const service = await withSecret();
    await expect(handle(service, operation, input)).rejects.toMatchObject({ code: "ValidationException", status: 400 });
  });

  test("65,536 bytes of text or binary are taken", async () => {
    const account = new LocalAccount();
    account.create();
    account.put("app/token", "second", "é".repeat(32_768));
    const SecretBinary = Buffer.alloc(65_536).toString("base64");
    account.engine.putSecretValue(
      { SecretId: "app/token", ClientRequestToken: token("third"), SecretBinary },
      operator,
    );
    expect(account.engine.getSecretValue({ SecretId: "app/token" }).SecretBinary).toBe(SecretBinary);
  });

  test("a wrong JSON type is a SerializationException", async () => {
    const service = await withSecret();
    await expect(handle(service, "DescribeSecret", { SecretId: 7 })).rejects.toMatchObject({
      code: "SerializationException",
    });
  });

  test("no message repeats a secret value", async () => {
    const service = await withSecret();
    const secret = "hunter2".repeat(10_000);
    for (const input of [{ SecretString: secret }, { SecretBinary: "hunter2!" }, { SecretString: { secret } }]) {
      const error = await handle(service, "PutSecretValue", { SecretId: "app/token", ...input }).catch(String);
      expect(error).toContain("AwsError");
      expect(error).not.toContain("hunter2");
    }
  });
});

describe("names", () => {
  const message =
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";

  test.each([
    ["CreateSecret", { Name: "a name" }],
    ["DescribeSecret", { SecretId: "a*name" }],
    ["PutSecretValue", { SecretId: "name?", SecretString: "x" }],
    ["GetSecretValue", { SecretId: "arn:aws:secretsmanager:us-east-1:123456789012:secret:a name" }],
  ])("%s with other characters is refused", async (operation, input) => {
    const service = await withSecret();
    await expect(handle(service, operation, input)).rejects.toMatchObject({ code: "ValidationException", message });
  });

  test("of every allowed character are taken", () => {
    const account = new LocalAccount();
    const arn = account.create("aZ9-/_+=.@!");
    expect(account.engine.find("aZ9-/_+=.@!")?.arn).toBe(arn);
  });
});

test("a value is either text or binary", () => {
  const account = new LocalAccount();
  const arn = account.create();
  const input = { SecretId: arn, ClientRequestToken: token("second") };
  expect(refusal(() => account.engine.putSecretValue(input, operator))).toMatchObject({
    code: "InvalidRequestException",
    message: "You must provide either SecretString or SecretBinary.",
  });
  const both = { ...input, SecretString: "a", SecretBinary: "YQ==" };
  expect(refusal(() => account.engine.putSecretValue(both, operator)).code).toBe("InvalidParameterException");
});

test("an operation that is not there is refused by its name", async () => {
  const service = await withSecret();
  await expect(handle(service, "PutSecretPolicy", {})).rejects.toMatchObject({
    code: "UnknownOperationException",
    message: expect.stringContaining("PutSecretPolicy"),
  });
});

test("a secret is not seen from another region", async () => {
  const service = await withSecret();
  await expect(handle(service, "DescribeSecret", { SecretId: "app/token" }, "eu-west-1")).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
});

test("a schedule that AWS refuses is refused with what is wrong about it", () => {
  const account = new LocalAccount();
  const arn = account.create();
  expect(refusal(() => account.rotate(arn, "second", { days: 0 }))).toEqual({
    code: "InvalidParameterException",
    message: "AutomaticallyAfterDays must be a whole number from 1 to 1000, not 0.",
    status: 400,
  });
  expect(account.engine.describeSecret({ SecretId: arn })).not.toHaveProperty("RotationEnabled");
});

test("with KMS refusing, values can be neither stored nor read", () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.engine.knobs.kmsDenies = (operation, secretArn) => secretArn === arn && operation !== "DescribeSecret";
  const denied = { code: "AccessDeniedException", message: "Access to KMS is not allowed", status: 400 };
  expect(refusal(() => account.value(arn))).toEqual(denied);
  expect(refusal(() => account.put(arn, "second", "two"))).toEqual(denied);
  expect(Object.keys(account.stages(arn))).toEqual([token("first")]);
});
