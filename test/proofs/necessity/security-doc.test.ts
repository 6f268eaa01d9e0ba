import { describe, expect, it } from "vitest";
import { all, one, policyIn } from "../../harness/declared.ts";
import { plan } from "../../harness/program.ts";
import { stackConfig } from "../../harness/stack.ts";
import { documentedOnly } from "./documented-permissions.ts";
import { grantsOf } from "./necessity.ts";
import { rowsOf, securityPage } from "./security-page.ts";

const { config, secretKeys = [] } = stackConfig();
const vpc = '{"subnetIds":["subnet-1"],"securityGroupIds":["sg-1"]}';
const [plain, complete] = await Promise.all([
  plan({ config, secretKeys }),
  plan({
    config: { ...config, kmsKey: "create", vpc, tracing: "true", topicKmsKey: "create", logRetentionDays: "365" },
    secretKeys,
  }),
]);

describe("docs/security.md", () => {
  const documented = (withOptions: boolean) =>
    rowsOf("role").flatMap(([roles = "", statement = "", actions = ""]) =>
      roles.includes("with") && !withOptions
        ? []
        : ["rotator", "reconciler"]
            .filter((role) => roles.includes(role))
            .flatMap((role) =>
              [...actions.matchAll(/`([^`]+)`/g)].map(
                ([, action]) => `c2m-token-rotation-${role} ${statement} ${action}`,
              ),
            ),
    );
  const granted = (program: typeof plain) =>
    grantsOf(program).map(({ role, Sid, action }) => `${role} ${Sid} ${action}`);

  it("lists every permission that is granted, and no other", () => {
    expect(documented(false).sort()).toEqual(granted(plain).sort());
    expect(documented(true).sort()).toEqual(granted(complete).sort());
  });

  it("tells of what AWS documents and no local call can show", () => {
    const statements = grantsOf(complete).filter(({ action }) => documentedOnly.some((only) => only.action === action));
    expect(new Set(statements.map(({ Sid }) => Sid))).toEqual(new Set(["UseNetwork", "WriteTraces"]));
    expect(securityPage).toContain("all of UseNetwork and WriteTraces.");
  });

  it("has an answer for each control of Security Hub", () => {
    expect(rowsOf("control").map(([control]) => control?.split(" ")[0])).toEqual([
      ...[1, 2, 3, 4, 5].map((number) => `SecretsManager.${number}`),
      ...[1, 2, 3, 5, 6, 7].map((number) => `Lambda.${number}`),
      ...[1, 3, 4].map((number) => `SNS.${number}`),
      ...[1, 2, 3, 4, 5].map((number) => `KMS.${number}`),
      ...[15, 16, 17].map((number) => `CloudWatch.${number}`),
      ...[2, 3, 4].map((number) => `EventBridge.${number}`),
      ...[1, 21, 24].map((number) => `IAM.${number}`),
    ]);
  });
});

describe("Security Hub", () => {
  it("SecretsManager.1 and .4: every token secret is rotated, more often than every 90 days", () => {
    const rotated = all(plain, "SecretRotation").map(({ inputs }) => inputs.secretId);
    expect(rotated).toEqual(
      all(plain, "Secret")
        .filter(({ name }) => !name.endsWith("-credentials"))
        .map(({ id }) => id),
    );
    expect(one(plain, "SecretRotation").inputs.rotationRules).toEqual({ scheduleExpression: "rate(7 days)" });
  });

  it("SecretsManager.5, Lambda.6, SNS.3, IAM.24: secrets, functions, topics and roles are tagged", () => {
    for (const kind of ["Secret", "Function", "Topic", "Role"]) {
      const tagged = all(plain, kind);
      expect(tagged).not.toEqual([]);
      for (const { inputs } of tagged) expect(inputs.tags).toHaveProperty("Project");
    }
  });

  it("Lambda.1: nobody may invoke a function without a fixed account or rule", () => {
    for (const { inputs } of all(plain, "Permission")) {
      expect(String(inputs.sourceAccount ?? inputs.sourceArn)).toMatch(/^\d{12}$|^arn:aws:events:[^*]+$/);
    }
  });

  it("Lambda.2: the runtime is a supported one", () => {
    for (const { inputs } of all(plain, "Function")) expect(inputs.runtime).toBe("nodejs24.x");
  });

  it("Lambda.3 and .7: in a VPC and traced, where it is asked for", () => {
    for (const { inputs } of all(complete, "Function")) {
      expect(inputs).toMatchObject({ vpcConfig: { subnetIds: ["subnet-1"] }, tracingConfig: { mode: "Active" } });
    }
  });

  it("SNS.1: topics are encrypted, where it is asked for", () => {
    for (const { inputs } of all(complete, "Topic"))
      expect(inputs.kmsMasterKeyId).toBe(one(complete, "Key").outputs.arn);
    for (const { inputs } of all(plain, "Topic")) expect(inputs.kmsMasterKeyId).toBeUndefined();
  });

  it("SNS.4, KMS.5: no policy of a topic or a key lets everybody in", () => {
    const policies = [...all(complete, "TopicPolicy"), ...all(complete, "Key")];
    expect(policies).toHaveLength(3);
    for (const { Effect, Principal } of policies.flatMap((resource) => policyIn(resource).Statement)) {
      expect(Effect).toBe("Allow");
      expect(JSON.stringify(Principal)).toMatch(/^\{"(AWS|Service)":[^*]+\}$/);
    }
  });

  it("KMS.1, KMS.2, IAM.1, IAM.21: roles have inline policies only, without wildcards in actions, for one key", () => {
    expect([...all(complete, "Policy"), ...all(complete, "RolePolicyAttachment")]).toEqual([]);
    const statements = all(complete, "RolePolicy").flatMap((policy) => policyIn(policy).Statement);
    for (const { Action, Resource } of statements) {
      expect(JSON.stringify(Action)).not.toContain("*");
      if (JSON.stringify(Action).includes("kms:")) expect(Resource).toBe(one(complete, "Key").outputs.arn);
    }
  });

  it("KMS.3, KMS.4: the stack's own key is never deleted by Pulumi, kept for 30 days by AWS, and rotates", () => {
    const key = one(complete, "Key");
    expect(key).toMatchObject({ retainOnDelete: true, inputs: { deletionWindowInDays: 30, enableKeyRotation: true } });
  });

  it("CloudWatch.15 and .17: every alarm has an action, and none is switched off", () => {
    for (const { inputs } of all(plain, "MetricAlarm")) {
      expect(inputs.alarmActions).toEqual([one(plain, "Topic", "-alarms").outputs.arn]);
      expect(inputs.actionsEnabled ?? true).toBe(true);
    }
  });

  it("CloudWatch.16: logs are kept for a year, where it is asked for", () => {
    expect(one(plain, "LogGroup").inputs.retentionInDays).toBe(120);
    expect(one(complete, "LogGroup").inputs.retentionInDays).toBe(365);
  });

  it("EventBridge.2, .3 and .4: there is no bus and no endpoint of the stack's own", () => {
    for (const { inputs } of all(complete, "EventRule")) expect(inputs.eventBusName).toBeUndefined();
    expect([...all(complete, "EventBus"), ...all(complete, "EventEndpoint")]).toEqual([]);
  });
});
