import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Caller } from "../../../local-cloud/aws/service.ts";
import { type Deployment, deploy } from "../../../local-cloud/pulumi/deploy.ts";
import { one } from "../../harness/declared.ts";
import { plan } from "../../harness/program.ts";
import {
  currentToken,
  day,
  emptyCloud,
  hour,
  logGroup,
  secretName,
  stackConfig,
  type TestCloud,
} from "../../harness/stack.ts";

const { config, secretKeys = [] } = stackConfig({ schedule: "rate(4 hours)" });
const [plain, encrypted] = await Promise.all([
  plan({ config, secretKeys }),
  plan({ config: { ...config, kmsKey: "create" }, secretKeys }),
]);
const keyArn = String(one(encrypted, "Key").outputs.arn);
const former = (arn: string) => plan({ config: { ...config, formerKmsKeys: JSON.stringify([arn]) }, secretKeys });

// Each of these goes on where the one before it ended.
describe("a key of the secrets that is turned on, and off again", () => {
  let world: TestCloud;
  let deployment: Deployment;

  beforeAll(async () => {
    world = await emptyCloud();
    const arn = `arn:aws:iam::${world.cloud.accountId}:role/app`;
    world.cloud.iam.createRole({ name: "app", arn, assumeRolePolicy: trust });
    world.cloud.iam.putRolePolicy("app", "secret", allow("secretsmanager:GetSecretValue"));
    deployment = await deploy(world.cloud, plain);
    await world.clock.advanceBy(9 * hour);
  });

  afterAll(() => world.cloud.stop());

  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
  });
  const allow = (Action: string, Resource = "*") =>
    JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action, Resource } });

  /** The id of the token that an app reads, which may read the secret by a policy of its own. */
  async function readByApp(): Promise<string> {
    const { accountId } = world.cloud;
    const arn = `arn:aws:sts::${accountId}:assumed-role/app/app`;
    const caller: Caller = { kind: "role", accountId, roleName: "app", arn };
    const client = new SecretsManagerClient({ ...world.cloud.clientConfig(caller), maxAttempts: 1 });
    try {
      const { SecretString = "" } = await client.send(new GetSecretValueCommand({ SecretId: secretName }));
      return JSON.parse(SecretString).token_id;
    } finally {
      client.destroy();
    }
  }

  const expectToRotate = async () => {
    const before = currentToken(world.cloud).token_id;
    await world.clock.advanceBy(5 * hour);
    expect(currentToken(world.cloud).token_id).not.toBe(before);
    expect(world.cloud.metrics.alarming()).toEqual([]);
  };

  it("on: apps read on without a permission for the key until the next rotation, and with it from then on", async () => {
    deployment = await deployment.update(encrypted);
    expect(await readByApp()).toBe(currentToken(world.cloud).token_id);
    const output = String(deployment.plan.outputs.kmsKeyArn);
    expect(output).toBe(keyArn);
    world.cloud.iam.putRolePolicy("app", "key", allow("kms:Decrypt", output));
    expect(await readByApp()).toBe(currentToken(world.cloud).token_id);
    await expectToRotate();
    expect(await readByApp()).toBe(currentToken(world.cloud).token_id);
    world.cloud.iam.putRolePolicy("app", "key", allow("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/none"));
    await expect(readByApp()).rejects.toThrow("Access to KMS is not allowed");
    world.cloud.iam.putRolePolicy("app", "key", allow("kms:Decrypt", output));
  });

  it("off: the secrets get AWS's own key, apps read at once without the permission, and the key stays for what it has encrypted", async () => {
    await world.clock.advanceBy(9 * hour);
    deployment = await deployment.update(await former(keyArn));
    world.cloud.iam.putRolePolicy("app", "key", allow("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/none"));
    expect(await readByApp()).toBe(currentToken(world.cloud).token_id);
    expect(world.cloud.keys.key(keyArn.split("/")[1] ?? "")).toBeDefined();
    await expectToRotate();
    expect(await readByApp()).toBe(currentToken(world.cloud).token_id);
  });

  it("off: the reconciler reads the versions that stay under the key, each day", async () => {
    await world.clock.advanceBy(2 * day);
    expect(world.cloud.metrics.alarming()).toEqual([]);
  });

  it("without the key among the former ones it can't", async () => {
    deployment = await deployment.update(plain);
    await world.clock.advanceBy(2 * day);
    const lines = world.cloud.logs.lines(logGroup).map((line) => JSON.parse(line));
    const daily = lines.filter(({ message, scope }) => message === "reconcile.completed" && scope === "all");
    expect(daily.at(-1)).toMatchObject({ failed: 1 });
  });
});
