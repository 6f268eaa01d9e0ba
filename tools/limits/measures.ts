import { codeSize, environmentSize, zippedSize } from "../../local-cloud/lambda/function-limits.ts";
import { FunctionPolicy } from "../../local-cloud/lambda/function-policy.ts";
import type { Plan, PlannedResource } from "../../local-cloud/pulumi/plan.ts";
import { policySize, type Quota, type QuotaName, quotas, sizeOf } from "../../local-cloud/quotas.ts";

/** How much of a quota a program takes, by the resource that takes the most. */
export interface Measure {
  quota: QuotaName;
  what: string;
  /** The name of that resource in the program; undefined for what is counted over all. */
  of: string | undefined;
  used: number;
  most: number;
  /** Negative where it is over. */
  left: number;
  unit: Quota["unit"];
}

/** One size of one resource. */
type Size = [quota: QuotaName, used: number];

type Properties = Record<string, unknown>;

/** The texts of a resource that have a quota, by its type: input (or output, for names that Pulumi makes) and quota. */
const texts: Record<string, Record<string, QuotaName>> = {
  "aws:cloudwatch/eventRule:EventRule": {
    name: "ruleName",
    description: "ruleDescription",
    eventPattern: "eventPattern",
    scheduleExpression: "scheduleExpression",
  },
  "aws:cloudwatch/eventTarget:EventTarget": { input: "targetInput" },
  "aws:iam/role:Role": { name: "roleName", description: "roleDescription" },
  "aws:lambda/function:Function": { name: "functionName", description: "functionDescription" },
  "aws:cloudwatch/metricAlarm:MetricAlarm": { name: "alarmName", alarmDescription: "alarmDescription" },
  "aws:cloudwatch/dashboard:Dashboard": { dashboardName: "dashboardName" },
  "aws:cloudwatch/logGroup:LogGroup": { name: "logGroupName" },
  "aws:sns/topic:Topic": { name: "topicName" },
  "aws:sns/topicPolicy:TopicPolicy": { policy: "topicPolicy" },
  "aws:secretsmanager/secret:Secret": { name: "secretName", description: "secretDescription" },
  "aws:secretsmanager/secretVersion:SecretVersion": { secretString: "secretValue" },
  "aws:secretsmanager/secretPolicy:SecretPolicy": { policy: "secretPolicy" },
  "aws:kms/key:Key": { policy: "keyPolicy" },
  "aws:kms/alias:Alias": { name: "aliasName" },
};

/** What else of a resource has a quota. */
const others: Record<string, (inputs: Properties, resource: PlannedResource) => Size[]> = {
  "aws:iam/role:Role": ({ assumeRolePolicy }) => [["trustPolicy", policySize(String(assumeRolePolicy))]],
  "aws:lambda/function:Function": ({ environment, code }) => {
    const { files } = code as { files: Record<string, string> };
    const { variables = {} } = (environment ?? {}) as { variables?: Record<string, string> };
    return [
      ["functionEnvironment", environmentSize(variables)],
      ["functionCode", codeSize(files)],
      ["functionCodeZipped", zippedSize(files)],
    ];
  },
  "aws:lambda/permission:Permission": (_, { id }) => [["statementId", id.length]],
  "aws:cloudwatch/metricAlarm:MetricAlarm": ({ alarmActions }) => [["alarmActions", lengthOf(alarmActions)]],
  "aws:cloudwatch/dashboard:Dashboard": ({ dashboardBody }) => {
    const { widgets } = JSON.parse(String(dashboardBody)) as { widgets: { properties?: { alarms?: unknown[] } }[] };
    return [["alarmsOnWidget", Math.max(0, ...widgets.map(({ properties }) => lengthOf(properties?.alarms)))]];
  },
};

/** What is counted over all resources, or over those that share something. */
const counts: [quota: QuotaName, type: string, of: (inputs: Properties) => string | undefined][] = [
  ["rulesPerBus", "aws:cloudwatch/eventRule:EventRule", () => undefined],
  ["rolesPerAccount", "aws:iam/role:Role", () => undefined],
  ["alarmsPerRegion", "aws:cloudwatch/metricAlarm:MetricAlarm", () => undefined],
  ["targetsPerRule", "aws:cloudwatch/eventTarget:EventTarget", ({ rule }) => String(rule)],
];

/**
 * Every size and count of what a program declares that AWS limits, the worst first: the least is left of it, as a share.
 * The account's other resources are not known: of what is counted over an account this is the program's part.
 */
export function measuresOf({ resources }: Plan): Measure[] {
  const custom = resources.filter((resource) => resource.custom);
  const all = [
    ...custom.flatMap((resource) => sizesOf(resource).map((size) => measure(size, resource.name))),
    ...counts.flatMap(([quota, type, of]) => counted(custom, quota, type, of)),
    ...inlinePolicies(custom),
    ...functionPolicies(custom),
  ];
  const worst = new Map<QuotaName, Measure>();
  for (const one of all) if (one.used > (worst.get(one.quota)?.used ?? -1)) worst.set(one.quota, one);
  return [...worst.values()].sort((one, other) => other.used / other.most - one.used / one.most);
}

function sizesOf(resource: PlannedResource): Size[] {
  const { type, inputs, outputs } = resource;
  const ofTexts = Object.entries(texts[type] ?? {}).flatMap(([key, quota]): Size[] => {
    const value = inputs[key] ?? outputs[key];
    return typeof value === "string" ? [[quota, sizeOf(quota, value)]] : [];
  });
  return [...ofTexts, ...(others[type]?.(inputs, resource) ?? []), ...tagSizes(inputs)];
}

function tagSizes({ tags }: Properties): Size[] {
  if (typeof tags !== "object" || tags === null) return [];
  const longest = (list: string[]) => Math.max(0, ...list.map((text) => text.length));
  return [
    ["tags", Object.keys(tags).length],
    ["tagKey", longest(Object.keys(tags))],
    ["tagValue", longest(Object.values(tags).map(String))],
  ];
}

function counted(
  resources: PlannedResource[],
  quota: QuotaName,
  type: string,
  of: (inputs: Properties) => string | undefined,
): Measure[] {
  const groups = Map.groupBy(
    resources.filter((resource) => resource.type === type),
    ({ inputs }) => of(inputs),
  );
  return [...groups].map(([name, members]) => measure([quota, members.length], name));
}

function inlinePolicies(resources: PlannedResource[]): Measure[] {
  const policies = resources.filter(({ type }) => type === "aws:iam/rolePolicy:RolePolicy");
  const byRole = Map.groupBy(policies, ({ inputs }) => String(inputs.role));
  return [...byRole].map(([role, own]) => {
    const size = own.reduce((total, { inputs }) => total + policySize(String(inputs.policy)), 0);
    return measure(["inlinePolicies", size], role);
  });
}

function functionPolicies(resources: PlannedResource[]): Measure[] {
  const permissions = resources.filter(({ type }) => type === "aws:lambda/permission:Permission");
  const byFunction = Map.groupBy(permissions, ({ inputs }) => String(inputs.function));
  return [...byFunction].map(([name, own]) => {
    const policy = new FunctionPolicy(Number.POSITIVE_INFINITY);
    const arn = resources.find(({ type, inputs }) => type.endsWith(":Function") && inputs.name === name)?.outputs.arn;
    for (const { id, inputs } of own) {
      const { action, principal, sourceAccount, sourceArn } = inputs as Record<string, string>;
      policy.add(String(arn), {
        statementId: id,
        action: String(action),
        principal: String(principal),
        ...(sourceAccount === undefined ? {} : { sourceAccount }),
        ...(sourceArn === undefined ? {} : { sourceArn }),
      });
    }
    return measure(["functionPolicy", Buffer.byteLength(policy.document() ?? "")], name);
  });
}

function measure([quota, used]: Size, of: string | undefined): Measure {
  const { what, most, unit } = quotas[quota];
  return { quota, what, of, used, most, left: most - used, unit };
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}
