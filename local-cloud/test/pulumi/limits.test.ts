import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalCloud } from "../../cloud.ts";
import { deploy } from "../../pulumi/deploy.ts";
import type { PlannedResource } from "../../pulumi/plan.ts";
import { type QuotaName, quotas } from "../../quotas.ts";
import { policy } from "../aws/test-cloud.ts";
import { accountId, alarmInputs, emptyCloud, functionWithRole, planned, planOf, region, trust } from "./planned.ts";

let cloud: LocalCloud;
beforeAll(async () => {
  ({ cloud } = await emptyCloud());
});
afterAll(() => cloud.stop());

const text = (length: number) => "x".repeat(length);
const items = (count: number) => Array.from({ length: count }, (_, index) => `item-${index}`);

/** A pattern of so many characters. */
const pattern = (length: number) => JSON.stringify({ source: [text(length - 15)] });

/** A policy of so many characters without white space. */
function rolePolicy(length: number): string {
  const statement = (pad: string) => policy({ Effect: "Allow", Action: "s3:Get", Resource: `arn:${pad}` });
  return statement(text(length - statement("").length));
}

function resourcePolicy(length: number, Action = "sns:Publish"): string {
  const statement = (pad: string) => policy({ Effect: "Deny", Principal: "*", Action, Resource: `*${pad}` });
  return statement(text(length - statement("").length));
}

function trustPolicy(length: number): string {
  const of = (pad: string) =>
    policy({
      Sid: `S${pad}`,
      Effect: "Allow",
      Principal: { Service: "lambda.amazonaws.com" },
      Action: "sts:AssumeRole",
    });
  return of(text(length - of("").length));
}

const topicArn = `arn:aws:sns:${region}:${accountId}:t`;
const rule = (inputs: Record<string, unknown>) => [
  planned("EventRule", "r", { scheduleExpression: "rate(1 hour)", ...inputs }),
];
const role = (inputs: Record<string, unknown>) => [planned("Role", "r", { assumeRolePolicy: trust, ...inputs })];
const alarm = (inputs: Record<string, unknown>) => [planned("MetricAlarm", "a", alarmInputs("a", inputs))];
const group = (inputs: Record<string, unknown>) => [planned("LogGroup", "g", { name: "g", ...inputs })];
const secret = (inputs: Record<string, unknown>) => [
  planned("Secret", "s", { name: "s", recoveryWindowInDays: 0, ...inputs }),
];
const topic = (inputs: Record<string, unknown>) => [planned("Topic", "t", { name: "t", ...inputs })];
const key = (inputs: Record<string, unknown>) => [
  planned("Key", "k", { policy: resourcePolicy(200, "kms:*"), ...inputs }),
];
const after = (resource: PlannedResource, more: (needs: PlannedResource[]) => PlannedResource[]) => [
  resource,
  ...more([resource]),
];

/** For each quota the resources that take so much of it, and the code of AWS's refusal when it is too much. */
const limited: [QuotaName, (size: number) => PlannedResource[], code: string][] = [
  ["eventPattern", (size) => [planned("EventRule", "r", { eventPattern: pattern(size) })], "LimitExceededException"],
  [
    "rulesPerBus",
    (count) => items(count).map((name) => planned("EventRule", name, { scheduleExpression: "rate(1 hour)" })),
    "LimitExceededException",
  ],
  [
    "targetsPerRule",
    (count) => {
      const [of] = rule({ name: "r" }) as [PlannedResource];
      return [
        of,
        ...items(count).map((name) => planned("EventTarget", name, { rule: "r", arn: topicArn }, { needs: [of] })),
      ];
    },
    "LimitExceededException",
  ],
  [
    "targetInput",
    (size) =>
      after(rule({ name: "r" })[0] as PlannedResource, (needs) => [
        planned("EventTarget", "t", { rule: "r", arn: topicArn, input: JSON.stringify(text(size - 2)) }, { needs }),
      ]),
    "ValidationException",
  ],
  ["ruleName", (size) => rule({ name: text(size) }), "ValidationException"],
  ["ruleDescription", (size) => rule({ description: text(size) }), "ValidationException"],
  ["roleName", (size) => role({ name: text(size) }), "ValidationError"],
  ["roleDescription", (size) => role({ description: text(size) }), "ValidationError"],
  ["trustPolicy", (size) => role({ assumeRolePolicy: trustPolicy(size) }), "LimitExceeded"],
  [
    "inlinePolicies",
    (size) =>
      after(role({ name: "r" })[0] as PlannedResource, (needs) => [
        planned("RolePolicy", "one", { role: "r", policy: rolePolicy(5_000).replaceAll(",", ",  \n") }, { needs }),
        planned("RolePolicy", "two", { role: "r", policy: rolePolicy(size - 5_000) }, { needs }),
      ]),
    "LimitExceeded",
  ],
  ["functionName", (size) => functionWithRole(text(size)), "ValidationException"],
  ["functionDescription", (size) => functionWithRole("f", { description: text(size) }), "ValidationException"],
  [
    "functionEnvironment",
    (size) => functionWithRole("f", { environment: { variables: { V: text(size - 8) } } }),
    "InvalidParameterValueException",
  ],
  [
    "functionPolicy",
    (size) => {
      const [own, deployed] = functionWithRole("f");
      // A hundred statements of about 300 bytes would be too many; a few with long conditions are as good.
      const permission = (name: string, pad: number) =>
        planned(
          "Permission",
          name,
          {
            function: "f",
            action: "lambda:InvokeFunction",
            principal: "events.amazonaws.com",
            sourceArn: `arn:${text(pad)}`,
          },
          { needs: [deployed] },
        );
      const empty = size === quotas.functionPolicy.most ? emptyPermissionBytes : emptyPermissionBytes - 1;
      return [own, deployed, permission("p", quotas.functionPolicy.most - empty)];
    },
    "PolicyLengthExceededException",
  ],
  ["alarmName", (size) => [planned("MetricAlarm", "a", alarmInputs(text(size)))], "ValidationError"],
  ["alarmDescription", (size) => alarm({ alarmDescription: text(size) }), "ValidationError"],
  ["alarmActions", (count) => alarm({ alarmActions: items(count) }), "ValidationError"],
  [
    "dashboardName",
    (size) => [planned("Dashboard", "d", { dashboardName: text(size), dashboardBody: '{"widgets":[]}' })],
    "InvalidParameterInput",
  ],
  [
    "alarmsOnWidget",
    (count) => [
      planned("Dashboard", "d", {
        dashboardName: "d",
        dashboardBody: JSON.stringify({ widgets: [{ type: "alarm", properties: { alarms: items(count) } }] }),
      }),
    ],
    "InvalidParameterInput",
  ],
  ["logGroupName", (size) => group({ name: text(size) }), "InvalidParameterException"],
  ["topicName", (size) => topic({ name: text(size) }), "InvalidParameter"],
  [
    "topicPolicy",
    (size) =>
      after(topic({})[0] as PlannedResource, (needs) => [
        planned("TopicPolicy", "p", { arn: topicArn, policy: resourcePolicy(size) }, { needs }),
      ]),
    "InvalidParameter",
  ],
  ["keyPolicy", (size) => key({ policy: resourcePolicy(size, "kms:*") }), "LimitExceededException"],
  [
    "aliasName",
    (size) => [planned("Alias", "a", { name: `alias/${text(size - 6)}`, targetKeyId: "k" })],
    "ValidationException",
  ],
  ["secretName", (size) => secret({ name: text(size) }), "ValidationException"],
  ["secretDescription", (size) => secret({ description: text(size) }), "ValidationException"],
  [
    "secretValue",
    (size) =>
      after(secret({})[0] as PlannedResource, ([of]) => [
        planned(
          "SecretVersion",
          "v",
          { secretId: of?.outputs.arn, secretString: text(size) },
          { needs: of ? [of] : [] },
        ),
      ]),
    "ValidationException",
  ],
  [
    "secretPolicy",
    (size) =>
      after(secret({})[0] as PlannedResource, ([of]) => [
        planned(
          "SecretPolicy",
          "p",
          { secretArn: of?.outputs.arn, policy: resourcePolicy(size, "secretsmanager:*") },
          { needs: of ? [of] : [] },
        ),
      ]),
    "ValidationException",
  ],
];

// A policy with one statement whose condition's value is only "arn:".
const emptyPermissionBytes = Buffer.byteLength(
  JSON.stringify({
    Version: "2012-10-17",
    Id: "default",
    Statement: [
      {
        Sid: planned("Permission", "p", {}).id,
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "lambda:InvokeFunction",
        Resource: `arn:aws:lambda:${region}:${accountId}:function:f`,
        Condition: { ArnLike: { "AWS:SourceArn": "arn:" } },
      },
    ],
  }),
);

describe("a resource that takes the whole of a quota is deployed, and one that takes more is refused:", () => {
  it.each(limited)("%s", async (name, resources, code) => {
    const { most } = quotas[name];
    const whole = await deploy(cloud, planOf(...resources(most)));
    await whole.destroy();
    const error = await deploy(cloud, planOf(...resources(most + 1))).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "UpdateFailed", cause: { name: "AwsError", code } });
    await (error as { deployment: typeof whole }).deployment.destroy();
  });

  it("every quota that a stack can meet by its resources' sizes is in the table", () => {
    // Of these a test would have to make too much: they are tried by themselves, or are of an account.
    const apart = [
      "scheduleExpression",
      "rolesPerAccount",
      "alarmsPerRegion",
      "functionCode",
      "functionCodeZipped",
      "statementId",
      "tags",
      "tagKey",
      "tagValue",
    ];
    expect(Object.keys(quotas).sort()).toEqual([...limited.map(([name]) => name as string), ...apart].sort());
  });
});

describe("tags", () => {
  const kinds: [string, (tags: object) => PlannedResource[], code: string][] = [
    ["EventRule", (tags) => rule({ tags }), "ValidationException"],
    ["Role", (tags) => role({ tags }), "InvalidInput"],
    ["Function", (tags) => functionWithRole("f", { tags }), "InvalidParameterValueException"],
    ["MetricAlarm", (tags) => alarm({ tags }), "ValidationError"],
    ["LogGroup", (tags) => group({ tags }), "InvalidParameterException"],
    ["Topic", (tags) => topic({ tags }), "InvalidParameter"],
    ["Key", (tags) => key({ tags }), "TagException"],
    ["Secret", (tags) => secret({ tags }), "InvalidParameterException"],
  ];
  const tagsOf = (count: number) => Object.fromEntries(items(count).map((name) => [name, "v"]));

  it.each(kinds)("of a %s: fifty, and none that begins with aws:", async (kind, resources, code) => {
    await (await deploy(cloud, planOf(...resources(tagsOf(50))))).destroy();
    for (const tags of [tagsOf(51), { "aws:mine": "v" }, { [text(129)]: "v" }, { long: text(257) }]) {
      const error = await deploy(cloud, planOf(...resources(tags))).catch((thrown: unknown) => thrown);
      // Secrets Manager has two codes for what is wrong with tags.
      expect(error).toMatchObject({ cause: { code: kind === "Secret" ? expect.stringMatching(/Exception$/) : code } });
      await (error as { deployment: { destroy(): Promise<void> } }).deployment.destroy();
    }
  });

  it("of a role are the same in whatever case their keys are written", async () => {
    const error = await deploy(cloud, planOf(...role({ tags: { Project: "a", project: "b" } }))).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ cause: { code: "InvalidInput", message: /^Duplicate tag keys found/ } });
  });
});

describe("what AWS refuses by its form:", () => {
  it.each<[string, PlannedResource[], string]>([
    ["a schedule of one in the plural", rule({ scheduleExpression: "rate(1 hours)" }), "ValidationException"],
    ["a schedule of several in the singular", rule({ scheduleExpression: "rate(2 hour)" }), "ValidationException"],
    ["a schedule of no time", rule({ scheduleExpression: "rate(0 hours)" }), "ValidationException"],
    ["a rule of nothing", [planned("EventRule", "r", {})], "ValidationException"],
    ["a rule's name with a slash", rule({ name: "a/b" }), "ValidationException"],
    ["a pattern that is no JSON", [planned("EventRule", "r", { eventPattern: "{" })], "InvalidEventPatternException"],
    [
      "a role's policy without a Resource",
      after(role({ name: "r" })[0] as PlannedResource, (needs) => [
        planned("RolePolicy", "p", { role: "r", policy: policy({ Effect: "Allow", Action: "s3:Get" }) }, { needs }),
      ]),
      "MalformedPolicyDocument",
    ],
    [
      "a trust policy with a Resource",
      role({ assumeRolePolicy: policy({ Effect: "Allow", Principal: "*", Action: "sts:AssumeRole", Resource: "*" }) }),
      "MalformedPolicyDocument",
    ],
    [
      "a trust policy for a role that is not there",
      role({
        assumeRolePolicy: policy({
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${accountId}:role/none` },
          Action: "sts:AssumeRole",
        }),
      }),
      "MalformedPolicyDocument",
    ],
    ["a function's name with a slash", functionWithRole("a/b"), "ValidationException"],
    ["a function of no memory", functionWithRole("f", { memorySize: 64 }), "ValidationException"],
    ["an alarm over more than a day of minutes", alarm({ period: 60, evaluationPeriods: 1_441 }), "ValidationError"],
    ["an alarm over more than a week of hours", alarm({ period: 3_600, evaluationPeriods: 169 }), "ValidationError"],
    ["an alarm's period of 90 seconds", alarm({ period: 90 }), "ValidationError"],
    ["an alarm of three periods out of two", alarm({ datapointsToAlarm: 3, evaluationPeriods: 2 }), "ValidationError"],
    ["a retention of 100 days", group({ retentionInDays: 100 }), "InvalidParameterException"],
    ["a log group's name with a space", group({ name: "a b" }), "InvalidParameterException"],
    ["a topic's name with a dot", topic({ name: "a.b" }), "InvalidParameter"],
    [
      "a dashboard that is no JSON",
      [planned("Dashboard", "d", { dashboardName: "d", dashboardBody: "{" })],
      "InvalidParameterInput",
    ],
    ["an alias without its prefix", [planned("Alias", "a", { name: "app", targetKeyId: "k" })], "ValidationException"],
  ])("%s", async (_, resources, code) => {
    const error = await deploy(cloud, planOf(...resources)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "UpdateFailed", cause: { code } });
    await (error as { deployment: { destroy(): Promise<void> } }).deployment.destroy();
  });

  it("and an alarm over a week of hours is taken", async () => {
    await (await deploy(cloud, planOf(...alarm({ period: 3_600, evaluationPeriods: 168 })))).destroy();
  });

  it("the code of a function that is over 250 MB unzipped", () => {
    const [, deployed] = functionWithRole("f");
    const definition = {
      name: "f",
      arn: String(deployed.outputs.arn),
      handler: "index.handler",
      environment: {},
      timeoutSeconds: 3,
      memorySizeMb: 128,
      roleArn: "none",
      logGroup: "g",
    };
    const files = { "a.js": text(quotas.functionCode.most / 2), "b.js": text(quotas.functionCode.most / 2 + 1) };
    expect(() => cloud.lambda.createFunction({ ...definition, files })).toThrow(/^Unzipped size must be smaller/);
  });
});
