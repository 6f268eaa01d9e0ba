import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  InvalidParameterException,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  RotateSecretCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, expect, test } from "vitest";
import { functionArn, token } from "./local-account.ts";
import { WireAccount } from "./wire-account.ts";

let account: WireAccount;
let client: SecretsManagerClient;

beforeEach(async () => {
  account = await WireAccount.start();
  client = account.client();
});

afterEach(() => account.stop());

test("the SDK reads dates as dates and binary as bytes", async () => {
  const SecretBinary = new Uint8Array([0, 1, 255]);
  await client.send(new CreateSecretCommand({ Name: "binary", SecretBinary }));
  const read = await client.send(new GetSecretValueCommand({ SecretId: "binary" }));
  expect(Buffer.from(read.SecretBinary ?? [])).toEqual(Buffer.from(SecretBinary));
  expect(read.CreatedDate).toEqual(new Date(account.clock.now()));
});

test("the SDK makes tokens of its own, which become version ids", async () => {
  const created = await client.send(new CreateSecretCommand({ Name: "app/token", SecretString: "one" }));
  const put = await client.send(new PutSecretValueCommand({ SecretId: "app/token", SecretString: "two" }));
  const list = await client.send(new ListSecretVersionIdsCommand({ SecretId: "app/token" }));
  expect(list.Versions?.map((version) => version.VersionId)).toEqual([created.VersionId, put.VersionId]);
});

test("errors arrive as the SDK's classes, with status 400", async () => {
  const error = await client
    .send(new DescribeSecretCommand({ SecretId: "nothing" }))
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ResourceNotFoundException);
  expect(error).toMatchObject({
    message: "Secrets Manager can't find the specified secret.",
    $metadata: { httpStatusCode: 400 },
  });
});

test("a rotation through the SDK ends with the new value current", async () => {
  account.create();
  const rotated = await client.send(
    new RotateSecretCommand({
      SecretId: "app/token",
      RotationLambdaARN: functionArn,
      RotationRules: { ScheduleExpression: "rate(10 days)", Duration: "2h" },
    }),
  );
  await account.service.idle();
  const described = await client.send(new DescribeSecretCommand({ SecretId: "app/token" }));
  expect(described.VersionIdsToStages).toEqual({
    [token("first")]: ["AWSPREVIOUS"],
    [String(rotated.VersionId)]: ["AWSCURRENT"],
  });
  expect(described.LastRotatedDate).toEqual(new Date(account.clock.now()));
  expect(described.NextRotationDate).toEqual(new Date("2026-02-13T01:59:59Z"));
});

test("a label moved without naming its holder is refused as AWS refuses it", async () => {
  account.create();
  account.put("app/token", "second", "two", ["AWSPENDING"]);
  const move = { SecretId: "app/token", VersionStage: "AWSCURRENT", MoveToVersionId: token("second") };
  await expect(client.send(new UpdateSecretVersionStageCommand(move))).rejects.toBeInstanceOf(
    InvalidParameterException,
  );
});
