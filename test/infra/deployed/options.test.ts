import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Caller } from "../../../local-cloud/aws/service.ts";
import { contextOf } from "../../../local-cloud/iam/condition.ts";
import { decide } from "../../../local-cloud/iam/evaluate.ts";
import { parsePolicy } from "../../../local-cloud/iam/policy.ts";
import { type Deployment, deploy } from "../../../local-cloud/pulumi/deploy.ts";
import { all, one, policyIn, settingsOf } from "../../harness/declared.ts";
import { plan } from "../../harness/program.ts";
import {
  currentToken,
  emptyCloud,
  hour,
  secretName,
  stackConfig,
  type TestCloud,
  unprotect,
} from "../../harness/stack.ts";

const account = "123456789012";
const readerArn = `arn:aws:iam::${account}:role/app`;
const { config, secretKeys = [] } = stackConfig({ schedule: "rate(4 hours)" });
const optional = {
  name: "mail",
  kmsKey: "create",
  replicaRegions: '["eu-west-1"]',
  readers: JSON.stringify([readerArn]),
  alarmEmails: '["ops@example.com"]',
  tags: '{"Team":"mail"}',
  recoveryWindowInDays: "0",
  logRetentionDays: "365",
  runbook: "https://wiki.example.com/runbook",
  vpc: '{"subnetIds":["subnet-1","subnet-2"],"securityGroupIds":["sg-1"]}',
  tracing: "true",
  logKmsKey: "create",
  topicKmsKey: "create",
  permissionsBoundary: `arn:aws:iam::${account}:policy/boundary`,
  memorySize: "512",
  reservedConcurrency: "20",
};
const [plain, program, unprotected, sharedKey, unmonitored] = await Promise.all([
  plan({ config, secretKeys }),
  plan({ config: { ...config, ...optional }, secretKeys }),
  plan({ config: { ...config, ...optional, protect: "false" }, secretKeys }),
  plan({ config: { ...config, kmsKey: `arn:aws:kms:us-east-1:${account}:key/ours`, protect: "false" }, secretKeys }),
  plan({ config: { ...config, monitoring: "false" }, secretKeys }),
]);

describe("a stack with all that is optional", () => {
  let world: TestCloud;
  let deployment: Deployment;

  beforeAll(async () => {
    world = await emptyCloud();
    world.cloud.iam.createRole({ name: "app", arn: readerArn, assumeRolePolicy: trust });
    world.cloud.iam.createRole({ name: "other", arn: `arn:aws:iam::${account}:role/other`, assumeRolePolicy: trust });
    deployment = await deploy(world.cloud, program);
  });

  afterAll(async () => world.cloud.stop());

  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
  });

  /** Reads the token secret as an app with this role. */
  async function readAs(roleName: string, SecretId = secretName): Promise<string | undefined> {
    const arn = `arn:aws:sts::${account}:assumed-role/${roleName}/app`;
    const caller: Caller = { kind: "role", accountId: account, roleName, arn };
    const client = new SecretsManagerClient({ ...world.cloud.clientConfig(caller), maxAttempts: 1 });
    try {
      return (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString;
    } finally {
      client.destroy();
    }
  }

  it("rotates", async () => {
    const first = currentToken(world.cloud).token_id;
    await world.clock.advanceBy(9 * hour);
    expect(currentToken(world.cloud).token_id).not.toBe(first);
    expect(world.cloud.c2m.liveLongTokens().map(({ id }) => id)).toContain(currentToken(world.cloud).token_id);
    expect(world.cloud.metrics.alarming()).toEqual([]);
  });

  it("encrypts its secrets with its own key, and keeps a copy in the other region", async () => {
    const { engine } = world.cloud.secretsManager;
    const key = one(program, "Key").outputs.arn;
    for (const SecretId of [secretName, "c2m/client-credentials"]) {
      expect(engine.describeSecret({ SecretId }).KmsKeyId).toBe(key);
    }
    expect(engine.describeSecret({ SecretId: secretName }).ReplicationStatus).toEqual([
      expect.objectContaining({ Region: "eu-west-1", Status: "InSync" }),
    ]);
    // The credentials stay where they are needed.
    expect(engine.describeSecret({ SecretId: "c2m/client-credentials" }).ReplicationStatus).toBeUndefined();
  });

  it("lets the readers that it names read the token, and nobody else, and nobody the credentials", async () => {
    // The key lets them too, by its own policy, which the local cloud does not evaluate.
    world.cloud.iam.putRolePolicy("app", "key", allow("kms:Decrypt", "*"));
    expect(JSON.parse((await readAs("app")) ?? "")).toMatchObject({ token_type: "Bearer" });
    await expect(readAs("other")).rejects.toThrow(/not authorized to perform: secretsmanager:GetSecretValue/);
    await expect(readAs("app", "c2m/client-credentials")).rejects.toThrow(/not authorized/);
  });

  it("tags what it makes with its own tags too", () => {
    const tagged = program.resources.filter(({ custom, inputs }) => custom && inputs.tags !== undefined);
    for (const { inputs } of tagged) {
      expect(inputs.tags).toMatchObject({ Project: "c2m-token-rotation", Rotation: "mail", Team: "mail" });
    }
    expect(tagged.length).toBeGreaterThan(10);
  });

  it("leaves nothing behind when it is destroyed, once it is no longer protected", async () => {
    await expect(deployment.destroy()).rejects.toThrow(/is protected/);
    // The state alone is not enough: AWS itself guards the ledger.
    await expect((await unprotect(deployment)).destroy()).rejects.toThrow(/deletion protection/);
    deployment = await deployment.update(unprotected);
    await deployment.destroy();
    const client = new SecretsManagerClient({ ...world.cloud.clientConfig(), maxAttempts: 1 });
    await expect(client.send(new DescribeSecretCommand({ SecretId: secretName }))).rejects.toThrow(/can't find/);
    client.destroy();
  });
});

function allow(Action: string, Resource: string): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action, Resource } });
}

describe("what is optional", () => {
  it("is off where nothing is said", () => {
    for (const kind of ["Key", "Alias", "TopicSubscription"]) expect(all(plain, kind)).toEqual([]);
    for (const { inputs } of all(plain, "Secret")) {
      expect(inputs.kmsKeyId).toBe("alias/aws/secretsmanager");
      expect(inputs).not.toHaveProperty("replicas");
    }
    for (const { inputs } of all(plain, "Function")) {
      expect(inputs).not.toHaveProperty("vpcConfig");
      expect(inputs).not.toHaveProperty("tracingConfig");
    }
  });

  it("goes to both functions: VPC and tracing", () => {
    for (const { inputs } of all(program, "Function")) {
      expect(inputs.vpcConfig).toEqual({ subnetIds: ["subnet-1", "subnet-2"], securityGroupIds: ["sg-1"] });
      expect(inputs.tracingConfig).toEqual({ mode: "Active" });
    }
  });

  it("a boundary for both roles, memory for both functions, concurrency for the rotator", () => {
    for (const { inputs } of all(program, "Role"))
      expect(inputs.permissionsBoundary).toBe(optional.permissionsBoundary);
    for (const { inputs } of all(program, "Function")) expect(inputs.memorySize).toBe(512);
    for (const { inputs } of all(plain, "Function")) expect(inputs.memorySize).toBe(256);
    expect(one(program, "Function", "-rotator").inputs.reservedConcurrentExecutions).toBe(20);
    expect(one(program, "Function", "-reconciler").inputs).not.toHaveProperty("reservedConcurrentExecutions");
  });

  it("the log is encrypted with the key, and AWS itself refuses to delete it while the stack is protected", () => {
    expect(one(program, "LogGroup").inputs).toMatchObject({
      kmsKeyId: one(program, "Key").outputs.arn,
      deletionProtectionEnabled: true,
    });
    expect(one(plain, "LogGroup").inputs).not.toHaveProperty("kmsKeyId");
    expect(one(sharedKey, "LogGroup").inputs.deletionProtectionEnabled).toBe(false);
  });

  it("the topics are encrypted with the key", () => {
    for (const { inputs } of all(program, "Topic")) expect(inputs.kmsMasterKeyId).toBe(one(program, "Key").outputs.arn);
    for (const { inputs } of all(plain, "Topic")) expect(inputs).not.toHaveProperty("kmsMasterKeyId");
  });

  it("a log retention and a recovery window of one's own", () => {
    expect(one(program, "LogGroup").inputs.retentionInDays).toBe(365);
    for (const { inputs } of all(program, "Secret")) expect(inputs.recoveryWindowInDays).toBe(0);
    for (const { inputs } of all(plain, "Secret")) expect(inputs.recoveryWindowInDays).toBe(30);
  });

  it("a key that is there already is used, and none is made", () => {
    expect(all(sharedKey, "Key")).toEqual([]);
    for (const { inputs } of all(sharedKey, "Secret"))
      expect(inputs.kmsKeyId).toBe(`arn:aws:kms:us-east-1:${account}:key/ours`);
  });

  it("without protection, nothing is protected", () => {
    expect(sharedKey.resources.filter(({ protect }) => protect)).toEqual([]);
  });

  it("without monitoring there is none, and all else is as it was", () => {
    for (const kind of ["MetricAlarm", "Topic", "Dashboard"]) expect(all(unmonitored, kind)).toEqual([]);
    expect(all(unmonitored, "EventRule").map(({ name }) => name)).toEqual([
      "c2m-token-rotation-reconciler",
      "c2m-token-rotation-daily",
    ]);
    expect(unmonitored.outputs).not.toHaveProperty("alarmTopicArn");
    expect(settingsOf(unmonitored)).toEqual(settingsOf(plain));
  });
});

describe("the key", () => {
  const conditions = all(program, "RolePolicy").flatMap((policy) =>
    policyIn(policy)
      .Statement.filter(({ Sid }) => Sid === "UseKey")
      .map((statement) => ({ role: policy.name, ...statement })),
  );

  it("is used by each function through Secrets Manager only, and by the reconciler never for the credentials", () => {
    const credentials = one(program, "Secret", "-credentials").id;
    const key = one(program, "Key").outputs.arn;
    const ofTheAccount = {
      StringEquals: { "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com" },
      StringLike: { "kms:EncryptionContext:SecretARN": `arn:aws:secretsmanager:us-east-1:${account}:secret:*` },
    };
    expect(conditions).toEqual([
      expect.objectContaining({
        role: "mail-rotator",
        Action: ["kms:Decrypt", "kms:GenerateDataKey"],
        Resource: key,
        Condition: ofTheAccount,
      }),
      expect.objectContaining({
        role: "mail-reconciler",
        Action: ["kms:Decrypt"],
        Resource: key,
        Condition: { ...ofTheAccount, StringNotEquals: { "kms:EncryptionContext:SecretARN": credentials } },
      }),
    ]);
  });

  it("is renewed each year, and kept as long as AWS allows when it is deleted", () => {
    expect(one(program, "Key").inputs).toMatchObject({ enableKeyRotation: true, deletionWindowInDays: 30 });
  });

  const resource = parsePolicy(String(one(program, "Key").inputs.policy), "resource");
  const may = (caller: Caller, callerArn: string, action: string, context: Record<string, string>) =>
    decide(caller, callerArn, { action, resource: "key" }, { identity: [], resource }, contextOf(context)).allowed;

  it("lets a reader decrypt token secrets through Secrets Manager, not the credentials, and in no other way", () => {
    const reader: Caller = { kind: "role", accountId: account, roleName: "app", arn: readerArn };
    const decrypt = (context: Record<string, string>) => may(reader, readerArn, "kms:Decrypt", context);
    const via = { "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com" };
    const [token, credentials] = [one(program, "Secret", secretName).id, one(program, "Secret", "-credentials").id];
    expect(decrypt({ ...via, "kms:EncryptionContext:SecretARN": token })).toBe(true);
    expect(decrypt({ ...via, "kms:EncryptionContext:SecretARN": credentials })).toBe(false);
    expect(decrypt(via)).toBe(false);
    expect(decrypt({ "kms:EncryptionContext:SecretARN": token })).toBe(false);
  });

  it("lets the log's service encrypt this log, and CloudWatch and EventBridge publish to the topics", () => {
    const statements = JSON.parse(String(one(program, "Key").inputs.policy)).Statement as Record<string, unknown>[];
    const bySid = Object.fromEntries(statements.map((statement) => [statement.Sid, statement]));
    expect(bySid.LetLogsEncryptTheLog).toMatchObject({
      Principal: { Service: "logs.us-east-1.amazonaws.com" },
      Condition: { ArnEquals: { "kms:EncryptionContext:aws:logs:arn": one(program, "LogGroup").outputs.arn } },
    });
    expect(bySid.LetAlarmsThrough).toMatchObject({
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
    });
    expect(bySid.LetEventsThrough).toMatchObject({ Principal: { Service: "events.amazonaws.com" } });
  });
});

describe("the secret's policy", () => {
  it.each([
    ["without TLS it denies everybody", "false", false],
    ["with TLS it lets the reader read", "true", true],
  ])("%s", (_, secure, allowed) => {
    const resource = parsePolicy(String(one(program, "SecretPolicy", secretName).inputs.policy), "resource");
    const reader: Caller = { kind: "role", accountId: account, roleName: "app", arn: readerArn };
    const needed = { action: "secretsmanager:GetSecretValue", resource: "secret" };
    const decision = decide(
      reader,
      readerArn,
      needed,
      { identity: [], resource },
      contextOf({ "aws:SecureTransport": secure }),
    );
    expect(decision.allowed).toBe(allowed);
  });
});
