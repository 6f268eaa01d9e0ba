import { VirtualClock } from "../../clock.ts";
import { LocalCloud } from "../../cloud.ts";
import type { Plan, PlannedResource } from "../../pulumi/plan.ts";
import { providerAnswer } from "../../pulumi/provider-answers.ts";
import { policy } from "../aws/test-cloud.ts";

export const accountId = "123456789012";
export const region = "us-east-1";

const types = {
  Secret: "aws:secretsmanager/secret:Secret",
  SecretVersion: "aws:secretsmanager/secretVersion:SecretVersion",
  SecretPolicy: "aws:secretsmanager/secretPolicy:SecretPolicy",
  SecretRotation: "aws:secretsmanager/secretRotation:SecretRotation",
  Role: "aws:iam/role:Role",
  RolePolicy: "aws:iam/rolePolicy:RolePolicy",
  Function: "aws:lambda/function:Function",
  Permission: "aws:lambda/permission:Permission",
  Invocation: "aws:lambda/invocation:Invocation",
  LogGroup: "aws:cloudwatch/logGroup:LogGroup",
  EventRule: "aws:cloudwatch/eventRule:EventRule",
  EventTarget: "aws:cloudwatch/eventTarget:EventTarget",
  MetricAlarm: "aws:cloudwatch/metricAlarm:MetricAlarm",
  Dashboard: "aws:cloudwatch/dashboard:Dashboard",
  Topic: "aws:sns/topic:Topic",
  TopicPolicy: "aws:sns/topicPolicy:TopicPolicy",
  TopicSubscription: "aws:sns/topicSubscription:TopicSubscription",
  Key: "aws:kms/key:Key",
  Alias: "aws:kms/alias:Alias",
};

export type Kind = keyof typeof types;

export interface PlannedOptions {
  stack?: string;
  protect?: boolean;
  needs?: PlannedResource[];
}

/** A resource as a program would have registered it. */
export function planned(
  kind: Kind,
  name: string,
  inputs: Record<string, unknown>,
  { stack = "test", protect = false, needs = [] }: PlannedOptions = {},
): PlannedResource {
  const type = types[kind];
  return {
    urn: `${stack}::program::${type}::${name}`,
    type,
    name,
    custom: true,
    parent: "",
    inputs,
    secretInputs: [],
    dependencies: needs.map(({ urn }) => urn),
    protect,
    ignoreChanges: [],
    retainOnDelete: false,
    ...providerAnswer({ accountId, region, stack }, { type, name, inputs }),
  };
}

export function planOf(...resources: PlannedResource[]): Plan {
  return { resources, outputs: {} };
}

export const trust = policy({
  Effect: "Allow",
  Principal: { Service: "lambda.amazonaws.com" },
  Action: "sts:AssumeRole",
});

/** The inputs of an alarm. */
export function alarmInputs(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name,
    namespace: "App",
    metricName: "Failures",
    statistic: "Sum",
    comparisonOperator: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    period: 300,
    evaluationPeriods: 1,
    ...more,
  };
}

/** A function with its role, of which `source` is the handler. */
export function functionWithRole(
  name: string,
  { source = "exports.handler = async () => 'done';", options = {}, ...more }: FunctionOptions = {},
): [role: PlannedResource, deployed: PlannedResource] {
  const role = planned("Role", "role", { assumeRolePolicy: trust }, options);
  const inputs = {
    name,
    role: role.outputs.arn,
    handler: "index.handler",
    code: { files: { "index.js": source } },
    ...more,
  };
  return [role, planned("Function", name, inputs, { ...options, needs: [role] })];
}

interface FunctionOptions {
  source?: string;
  options?: PlannedOptions;
  [input: string]: unknown;
}

/** An empty local cloud; its clock stands still. */
export async function emptyCloud(): Promise<{ cloud: LocalCloud; clock: VirtualClock }> {
  const clock = new VirtualClock("2026-01-01T00:00:00Z");
  return { cloud: await LocalCloud.start({ clock, accountId, region }), clock };
}
