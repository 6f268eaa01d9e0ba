import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { VirtualClock } from "../../clock.ts";
import type { LocalCloud } from "../../cloud.ts";
import { type Deployment, deploy } from "../../pulumi/deploy.ts";
import type { Plan } from "../../pulumi/plan.ts";
import { policy } from "../aws/test-cloud.ts";
import { accountId, alarmInputs, emptyCloud, functionWithRole, planned, planOf } from "./planned.ts";

let cloud: LocalCloud;
let clock: VirtualClock;
let deployment: Deployment;
beforeEach(async () => {
  ({ cloud, clock } = await emptyCloud());
});
afterEach(() => cloud.stop());

const day = 86_400_000;

/** One of each kind, each with a name of its own, and a secret that a function rotates. */
function everything(): Plan {
  const key = planned("Key", "key", {
    policy: policy({ Effect: "Deny", Principal: "*", Action: "kms:*", Resource: "*" }),
    tags: { a: "b" },
  });
  const alias = planned("Alias", "alias", { name: "alias/app", targetKeyId: key.id }, { needs: [key] });
  const secret = planned("Secret", "secret", {
    name: "app",
    description: "An app's.",
    tags: { a: "b" },
    replicas: [{ region: "eu-west-1" }],
  });
  const secretId = String(secret.outputs.arn);
  const version = planned("SecretVersion", "version", { secretId, secretString: "one" }, { needs: [secret] });
  const document = policy({
    Effect: "Allow",
    Principal: { AWS: accountId },
    Action: "secretsmanager:*",
    Resource: "*",
  });
  const secretPolicy = planned(
    "SecretPolicy",
    "policy",
    { secretArn: secretId, policy: document, blockPublicPolicy: true },
    { needs: [secret] },
  );
  const group = planned("LogGroup", "group", { name: "/aws/lambda/f", retentionInDays: 7, tags: { a: "b" } });
  const [role, rotator] = functionWithRole("f", {
    description: "Rotates.",
    environment: { variables: { A: "1" } },
    loggingConfig: { logFormat: "JSON", logGroup: "/aws/lambda/f", applicationLogLevel: "INFO" },
    tags: { a: "b" },
    timeout: 10,
  });
  const grant = planned(
    "RolePolicy",
    "grant",
    { role: role.outputs.name, policy: policy({ Effect: "Allow", Action: "logs:*", Resource: "*" }) },
    { needs: [role] },
  );
  const permission = planned(
    "Permission",
    "permission",
    { function: "f", action: "lambda:InvokeFunction", principal: "secretsmanager.amazonaws.com" },
    { needs: [rotator] },
  );
  const rotation = planned(
    "SecretRotation",
    "rotation",
    {
      secretId,
      rotationLambdaArn: rotator.outputs.arn,
      rotateImmediately: false,
      rotationRules: { scheduleExpression: "rate(7 days)", duration: "2h" },
    },
    { needs: [secret, version, permission] },
  );
  const invocation = planned("Invocation", "invocation", { functionName: "f", input: "{}" }, { needs: [rotator] });
  const topic = planned("Topic", "topic", { name: "news", displayName: "News", tags: { a: "b" } });
  const topicArn = String(topic.outputs.arn);
  const topicPolicy = planned(
    "TopicPolicy",
    "topic-policy",
    { arn: topicArn, policy: policy({ Effect: "Deny", Principal: "*", Action: "sns:*", Resource: topicArn }) },
    { needs: [topic] },
  );
  const mail = planned(
    "TopicSubscription",
    "mail",
    { topic: topicArn, protocol: "email", endpoint: "a@example.com" },
    { needs: [topic] },
  );
  const alarm = planned(
    "MetricAlarm",
    "alarm",
    alarmInputs("alarm", {
      alarmActions: [topicArn],
      dimensions: { a: "b" },
      treatMissingData: "ignore",
      tags: { a: "b" },
    }),
    { needs: [topic] },
  );
  const dashboard = planned("Dashboard", "dashboard", { dashboardName: "board", dashboardBody: '{"widgets":[]}' });
  const rule = planned("EventRule", "rule", {
    description: "All.",
    eventPattern: '{"source":["aws.secretsmanager"]}',
    tags: { a: "b" },
  });
  const target = planned(
    "EventTarget",
    "target",
    { rule: rule.outputs.name, arn: topicArn, input: "{}" },
    { needs: [rule, topic] },
  );
  return planOf(
    key,
    alias,
    secret,
    version,
    secretPolicy,
    group,
    role,
    rotator,
    grant,
    permission,
    rotation,
    invocation,
    topic,
    topicPolicy,
    mail,
    alarm,
    dashboard,
    rule,
    target,
  );
}

/** What a refresh finds, by the resource's name: "gone", or the inputs that have become others. */
async function drift(): Promise<Record<string, string[] | "gone">> {
  const found = (await deployment.refresh()).drift;
  return Object.fromEntries(found.map(({ name, isGone, changed }) => [name, isGone ? "gone" : changed]));
}

const nameOf = (name: string) =>
  String(deployment.plan.resources.find((resource) => resource.name === name)?.outputs.name);
const arnOf = (name: string) =>
  String(deployment.plan.resources.find((resource) => resource.name === name)?.outputs.arn);

describe("a refresh", () => {
  beforeEach(async () => {
    deployment = await deploy(cloud, everything());
  });

  it("finds nothing right after the deployment, nor after an update without a change", async () => {
    expect(await drift()).toEqual({});
    deployment = await deployment.update(everything());
    expect(await drift()).toEqual({});
  });

  it.each<[string, () => unknown, Record<string, string[] | "gone">]>([
    [
      "a secret's description",
      () =>
        cloud.secretsManager.engine.updateSecret(
          { SecretId: "app", Description: "Other", ClientRequestToken: crypto.randomUUID() },
          cloud.administrator,
        ),
      { secret: ["description"] },
    ],
    [
      "a secret's tags",
      () => cloud.secretsManager.engine.tagResource({ SecretId: "app", Tags: [{ Key: "by-hand", Value: "" }] }),
      { secret: ["tags"] },
    ],
    [
      "a secret's policy",
      () => cloud.secretsManager.engine.deleteResourcePolicy({ SecretId: "app" }),
      { policy: "gone" },
    ],
    [
      "a rotation that was switched off",
      () => cloud.secretsManager.engine.cancelRotateSecret({ SecretId: "app" }),
      { rotation: ["rotationLambdaArn", "rotationRules"] },
    ],
    [
      "a role's policy",
      () =>
        cloud.iam.putRolePolicy(
          nameOf("role"),
          nameOf("grant"),
          policy({ Effect: "Allow", Action: "*", Resource: "*" }),
        ),
      { grant: ["policy"] },
    ],
    [
      "a role's trust policy",
      () =>
        cloud.iam.updateRole({
          ...must(cloud.iam.role(nameOf("role"))),
          assumeRolePolicy: policy({ Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" }),
        }),
      { role: ["assumeRolePolicy"] },
    ],
    [
      "a function's environment and time",
      () =>
        cloud.lambda.updateFunction({
          ...must(cloud.lambda.function("f")),
          environment: { A: "2" },
          timeoutSeconds: 20,
        }),
      { f: ["environment", "timeout"] },
    ],
    [
      "a function's log level",
      () => cloud.lambda.updateFunction({ ...must(cloud.lambda.function("f")), applicationLogLevel: "ERROR" }),
      { f: ["loggingConfig"] },
    ],
    ["a function's permission", () => cloud.lambda.removePermission("f", idOf("permission")), { permission: "gone" }],
    [
      "a log group's retention",
      () =>
        cloud.logs.updateGroup("/aws/lambda/f", { retentionInDays: 30, deletionProtection: true, tags: { a: "b" } }),
      { group: ["retentionInDays"] },
    ],
    [
      "an alarm's threshold",
      () => cloud.metrics.putAlarm({ ...must(cloud.metrics.alarm("alarm")), threshold: 9 }),
      { alarm: ["threshold"] },
    ],
    [
      "an alarm that was silenced",
      () => cloud.metrics.setActionsEnabled("alarm", false),
      { alarm: ["actionsEnabled"] },
    ],
    ["a dashboard", () => cloud.dashboards.delete("board"), { dashboard: "gone" }],
    [
      "a rule's pattern",
      () =>
        cloud.eventRules.putRule({
          ...must(cloud.eventRules.rule(nameOf("rule"))),
          eventPattern: '{"source":["other"]}',
        }),
      { rule: ["eventPattern"] },
    ],
    ["a rule's target", () => cloud.eventRules.removeTarget(nameOf("rule"), idOf("target")), { target: "gone" }],
    [
      "a topic, with what hangs on it",
      () => cloud.topics.delete(arnOf("topic")),
      { topic: "gone", "topic-policy": "gone", mail: "gone" },
    ],
    ["a topic's policy", () => cloud.topics.setPolicy(arnOf("topic"), undefined), { "topic-policy": "gone" }],
    ["a key that is scheduled for deletion", () => cloud.keys.scheduleDeletion(idOf("key")), { key: "gone" }],
    ["an alias that leads elsewhere", () => cloud.keys.updateAlias("alias/app", "other"), { alias: ["targetKeyId"] }],
  ])("finds what was changed by hand, and an update makes it good: %s", async (_, byHand, found) => {
    await byHand();
    expect(await drift()).toEqual(found);
    ({ deployment } = await deployment.refresh());
    deployment = await deployment.update(everything());
    expect(await drift()).toEqual({});
  });

  it("finds no change in a secret that was rotated: its value is not the program's any more", async () => {
    cloud.secretsManager.engine.putSecretValue(
      { SecretId: "app", SecretString: "two", ClientRequestToken: crypto.randomUUID() },
      cloud.administrator,
    );
    expect(await drift()).toEqual({});
  });
});

function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("It is not there.");
  return value;
}

function idOf(name: string): string {
  return must(deployment.plan.resources.find((resource) => resource.name === name)).id;
}

describe("a secret that somebody deleted by accident", () => {
  const secretOf = () => planOf(planned("Secret", "secret", { name: "app", description: "An app's." }));

  beforeEach(async () => {
    deployment = await deploy(cloud, secretOf());
  });

  it("is gone for a refresh, can't be made again while it can be restored, and is back when it was restored", async () => {
    cloud.secretsManager.engine.deleteSecret({ SecretId: "app", RecoveryWindowInDays: 7 });
    const { deployment: seen, drift: found } = await deployment.refresh();
    expect(found).toMatchObject([{ name: "secret", isGone: true }]);
    await expect(seen.update(secretOf())).rejects.toThrow(
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
    cloud.secretsManager.engine.restoreSecret({ SecretId: "app" });
    // For the provider it is another's now: it has to be imported.
    await expect(seen.update(secretOf())).rejects.toThrow(/already exists/);
    // The state that was not refreshed has it still.
    expect(await drift()).toEqual({});
  });

  it("can be made again when its recovery window is over, and has another ARN then", async () => {
    const before = arnOf("secret");
    cloud.secretsManager.engine.deleteSecret({ SecretId: "app", RecoveryWindowInDays: 7 });
    ({ deployment } = await deployment.refresh());
    await clock.advanceBy(7 * day - 1);
    await expect(deployment.update(secretOf())).rejects.toThrow(/already scheduled for deletion/);
    await clock.advanceBy(2);
    deployment = await deployment.update(secretOf());
    expect(arnOf("secret")).toMatch(/:secret:app-\w{6}$/);
    expect(arnOf("secret")).not.toBe(before);
    expect(cloud.secretsManager.engine.find(arnOf("secret"))).toBeDefined();
  });

  it("can be made again at once where it was deleted without a recovery window", async () => {
    cloud.secretsManager.engine.deleteSecret({ SecretId: "app", ForceDeleteWithoutRecovery: true });
    ({ deployment } = await deployment.refresh());
    deployment = await deployment.update(secretOf());
    expect(cloud.secretsManager.engine.find(arnOf("secret"))).toBeDefined();
  });
});

describe("a secret's version that the program stores", () => {
  it("is replaced when the value changes; the one before it keeps AWSPREVIOUS, and goes on to be read by it", async () => {
    const stack = (secretString: string) => {
      const secret = planned("Secret", "secret", { name: "app" });
      return planOf(
        secret,
        planned("SecretVersion", "version", { secretId: secret.outputs.arn, secretString }, { needs: [secret] }),
      );
    };
    deployment = await deploy(cloud, stack("one"));
    deployment = await deployment.update(stack("two"));
    const read = (VersionStage: string) =>
      cloud.secretsManager.engine.getSecretValue({ SecretId: "app", VersionStage }).SecretString;
    expect([read("AWSCURRENT"), read("AWSPREVIOUS")]).toEqual(["two", "one"]);
    expect(await drift()).toEqual({});
  });
});
