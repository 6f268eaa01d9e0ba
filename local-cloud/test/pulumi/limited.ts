import type { PlannedResource } from "../../pulumi/plan.ts";
import { type QuotaName, quotas } from "../../quotas.ts";
import { policy } from "../aws/test-cloud.ts";
import { accountId, alarmInputs, functionWithRole, planned, region, trust } from "./planned.ts";

export const text = (length: number) => "x".repeat(length);
export const items = (count: number) => Array.from({ length: count }, (_, index) => `item-${index}`);

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
export const rule = (inputs: Record<string, unknown>) => [
  planned("EventRule", "r", { scheduleExpression: "rate(1 hour)", ...inputs }),
];
export const role = (inputs: Record<string, unknown>) => [planned("Role", "r", { assumeRolePolicy: trust, ...inputs })];
export const alarm = (inputs: Record<string, unknown>) => [planned("MetricAlarm", "a", alarmInputs("a", inputs))];
export const group = (inputs: Record<string, unknown>) => [planned("LogGroup", "g", { name: "g", ...inputs })];
export const secret = (inputs: Record<string, unknown>) => [
  planned("Secret", "s", { name: "s", recoveryWindowInDays: 0, ...inputs }),
];
export const topic = (inputs: Record<string, unknown>) => [planned("Topic", "t", { name: "t", ...inputs })];
export const key = (inputs: Record<string, unknown>) => [
  planned("Key", "k", { policy: resourcePolicy(200, "kms:*"), ...inputs }),
];
export const after = (resource: PlannedResource, more: (needs: PlannedResource[]) => PlannedResource[]) => [
  resource,
  ...more([resource]),
];

/** For each quota the resources that take so much of it, and the code of AWS's refusal when it is too much. */
export const limited: [QuotaName, (size: number) => PlannedResource[], code: string][] = [
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
