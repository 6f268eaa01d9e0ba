import { expect, test } from "vitest";
import { functionArn, LocalAccount, operator, region, token } from "./local-account.ts";

function needed(account: LocalAccount, operation: string, input: Record<string, unknown>) {
  return account.service.permissionsFor({ operation, input, caller: operator, region, requestId: "request" });
}

test("the resource is the secret's full ARN, whatever the SecretId is", () => {
  const account = new LocalAccount();
  const arn = account.create();
  for (const SecretId of [arn, "app/token", arn.slice(0, -7)]) {
    expect(needed(account, "DescribeSecret", { SecretId })).toEqual([
      {
        action: "secretsmanager:DescribeSecret",
        resource: arn,
        context: { "secretsmanager:SecretId": arn, "secretsmanager:SecretPrimaryRegion": region },
      },
    ]);
  }
});

test("a secret that is not there has the ARN of its name with six question marks", () => {
  const account = new LocalAccount();
  const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/token-??????";
  expect(needed(account, "GetSecretValue", { SecretId: "app/token" })[0]?.resource).toBe(arn);
  expect(needed(account, "CreateSecret", { Name: "app/token" })).toEqual([
    { action: "secretsmanager:CreateSecret", resource: arn, context: { "secretsmanager:Name": "app/token" } },
  ]);
});

test("condition keys tell the version, the labels, the tags and the rotation function", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.rotate(arn, "second", { RotateImmediately: false });
  await account.service.idle();
  account.engine.tagResource({ SecretId: arn, Tags: [{ Key: "team", Value: "mail" }] });
  const ofSecret = {
    "secretsmanager:SecretId": arn,
    "secretsmanager:SecretPrimaryRegion": region,
    "secretsmanager:resource/AllowRotationLambdaArn": functionArn,
    "secretsmanager:ResourceTag/team": "mail",
    "aws:ResourceTag/team": "mail",
  };
  const read = { SecretId: arn, VersionId: token("first"), VersionStage: "AWSCURRENT" };
  expect(needed(account, "GetSecretValue", read)[0]?.context).toEqual({
    ...ofSecret,
    "secretsmanager:VersionId": token("first"),
    "secretsmanager:VersionStage": "AWSCURRENT",
  });
  expect(needed(account, "UpdateSecretVersionStage", { SecretId: arn, VersionStage: "MINE" })[0]?.context).toEqual({
    ...ofSecret,
    "secretsmanager:VersionStage": "MINE",
  });
  expect(needed(account, "TagResource", { SecretId: arn, Tags: [{ Key: "a", Value: "1" }] })[0]?.context).toEqual({
    ...ofSecret,
    "aws:RequestTag/a": "1",
    "aws:TagKeys": ["a"],
  });
});

test("the secret's own policy goes with the permission", () => {
  const account = new LocalAccount();
  const arn = account.create();
  account.engine.putResourcePolicy({ SecretId: arn, ResourcePolicy: '{"Statement":[]}' });
  expect(needed(account, "GetSecretValue", { SecretId: arn })[0]?.resourcePolicy).toBe('{"Statement":[]}');
});

test("lists need their action on every resource", () => {
  const account = new LocalAccount();
  expect(needed(account, "ListSecrets", {})).toEqual([{ action: "secretsmanager:ListSecrets", resource: "*" }]);
});

test("BatchGetSecretValue also needs ListSecrets with filters", () => {
  const account = new LocalAccount();
  const actions = (input: object) => needed(account, "BatchGetSecretValue", { ...input }).map((n) => n.action);
  expect(actions({ SecretIdList: ["app/token"] })).toEqual(["secretsmanager:BatchGetSecretValue"]);
  expect(actions({ Filters: [] })).toEqual(["secretsmanager:BatchGetSecretValue", "secretsmanager:ListSecrets"]);
});

test("RotateSecret also needs lambda:InvokeFunction on the function, the given or the stored one", async () => {
  const account = new LocalAccount();
  const arn = account.create();
  const invoke = { action: "lambda:InvokeFunction", resource: functionArn };
  expect(needed(account, "RotateSecret", { SecretId: arn, RotationLambdaARN: functionArn })).toContainEqual(invoke);
  expect(needed(account, "RotateSecret", { SecretId: arn })).not.toContainEqual(invoke);
  account.rotate(arn, "second");
  await account.service.idle();
  expect(needed(account, "RotateSecret", { SecretId: arn })).toContainEqual(invoke);
});

test("a customer key needs kms permissions with the secret and the version in the encryption context", () => {
  const account = new LocalAccount();
  const KmsKeyId = `arn:aws:kms:${region}:123456789012:key/1234`;
  const create = { Name: "own", KmsKeyId, ClientRequestToken: token("first"), SecretString: "one" };
  const { ARN } = account.engine.createSecret(create, operator);
  const permission = (action: string, version: string) => ({
    action,
    resource: KmsKeyId,
    context: {
      "kms:EncryptionContext:SecretARN": ARN,
      "kms:EncryptionContext:SecretVersionId": token(version),
      "kms:ViaService": `secretsmanager.${region}.amazonaws.com`,
    },
    refusal: "Access to KMS is not allowed",
  });
  expect(needed(account, "GetSecretValue", { SecretId: "own" }).slice(1)).toEqual([permission("kms:Decrypt", "first")]);
  const put = { SecretId: "own", ClientRequestToken: token("second"), SecretString: "two" };
  expect(needed(account, "PutSecretValue", put).slice(1)).toEqual([
    permission("kms:GenerateDataKey", "second"),
    permission("kms:Decrypt", "second"),
  ]);
  expect(needed(account, "DescribeSecret", { SecretId: "own" })).toHaveLength(1);
});

test("after a change of key the labelled versions can be read with either, those without a label with the one before", () => {
  const account = new LocalAccount();
  const keyArn = (id: string) => `arn:aws:kms:${region}:123456789012:key/${id}`;
  const create = { Name: "own", KmsKeyId: keyArn("1"), ClientRequestToken: token("first"), SecretString: "one" };
  account.engine.createSecret(create, operator);
  for (const next of ["second", "third"]) account.put("own", next, next);
  account.engine.updateSecret({ SecretId: "own", KmsKeyId: keyArn("2") }, operator);
  const keysFor = (version: string) =>
    needed(account, "GetSecretValue", { SecretId: "own", VersionId: token(version) })
      .slice(1)
      .map(({ resource, orResources = [] }) => [resource, ...orResources]);
  expect(keysFor("first")).toEqual([[keyArn("1")]]);
  expect(keysFor("third")).toEqual([[keyArn("2"), keyArn("1")]]);
  account.put("own", "fourth", "four");
  expect(keysFor("fourth")).toEqual([[keyArn("2")]]);
  account.engine.updateSecret({ SecretId: "own", KmsKeyId: "alias/aws/secretsmanager" }, operator);
  expect(keysFor("fourth")).toEqual([]);
});
