import type { Plan, PlannedResource } from "../../../local-cloud/pulumi/plan.ts";
import { identifiers, kindAndModule, label } from "./rendering.ts";

type Values = Record<string, unknown>;

/** The program's resources as a CloudFormation template; cfn-lint and checkov read it. */
export function cloudFormationTemplate({ resources }: Plan): object {
  const custom = resources.filter(({ type }) => type.startsWith("aws:"));
  const identified = identifiers(custom);
  const seen = new Set<string>();
  const targets = (rule: PlannedResource) =>
    custom.filter((other) => kindAndModule(other).kind === "EventTarget" && other.inputs.rule === rule.outputs.name);
  const rendered = custom.flatMap((resource) => {
    const { kind } = kindAndModule(resource);
    const form = forms[kind];
    if (form === undefined) {
      if (!elsewhere.includes(kind)) throw new Error(`The linters' CloudFormation template has no form for ${kind}.`);
      return [];
    }
    const properties = withReferences(form.properties(resource, targets(resource)), resource, identified);
    const id = logicalId(resource);
    if (seen.has(id)) throw new Error(`Two resources are called ${id}.`);
    seen.add(id);
    return [[id, { Type: form.type, Properties: properties }]];
  });
  return { AWSTemplateFormatVersion: "2010-09-09", Resources: Object.fromEntries(rendered) };
}

/** Targets are part of their rule; CloudFormation has no like of an invocation, and a version is part of its secret. */
const elsewhere = ["EventTarget", "Invocation", "SecretVersion"];

interface Form {
  type: string;
  properties: (resource: PlannedResource, targets: PlannedResource[]) => Values;
}

/** By the kind of Pulumi's AWS provider. */
const forms: Record<string, Form> = {
  LogGroup: {
    type: "AWS::Logs::LogGroup",
    properties: ({ inputs }) => ({ ...pascalKeys(inputs, { name: "LogGroupName" }), ...tagsOf(inputs) }),
  },
  Secret: {
    type: "AWS::SecretsManager::Secret",
    properties: ({ inputs: { recoveryWindowInDays, replicas, ...inputs } }) => ({
      ...pascalKeys(inputs),
      ...(replicas ? { ReplicaRegions: (replicas as Values[]).map((replica) => pascalKeys(replica)) } : {}),
      ...tagsOf(inputs),
    }),
  },
  SecretPolicy: {
    type: "AWS::SecretsManager::ResourcePolicy",
    properties: ({ inputs }) => ({
      SecretId: inputs.secretArn,
      BlockPublicPolicy: inputs.blockPublicPolicy,
      ResourcePolicy: JSON.parse(String(inputs.policy)),
    }),
  },
  SecretRotation: {
    type: "AWS::SecretsManager::RotationSchedule",
    properties: ({ inputs }) => ({
      SecretId: inputs.secretId,
      RotationLambdaARN: inputs.rotationLambdaArn,
      RotateImmediatelyOnUpdate: inputs.rotateImmediately,
      RotationRules: pascalKeys(inputs.rotationRules as Values),
    }),
  },
  Role: {
    type: "AWS::IAM::Role",
    properties: ({ inputs: { assumeRolePolicy, ...inputs } }) => ({
      ...pascalKeys(inputs),
      AssumeRolePolicyDocument: JSON.parse(String(assumeRolePolicy)),
      ...tagsOf(inputs),
    }),
  },
  RolePolicy: {
    type: "AWS::IAM::RolePolicy",
    properties: ({ name, inputs }) => ({
      PolicyName: name,
      RoleName: inputs.role,
      PolicyDocument: JSON.parse(String(inputs.policy)),
    }),
  },
  Function: {
    type: "AWS::Lambda::Function",
    properties: ({ inputs: { code, ...inputs } }) => ({
      ...pascalKeys(inputs, { name: "FunctionName" }),
      // The archive itself is of no interest.
      Code: { S3Bucket: "functions", S3Key: "function.zip" },
      ...tagsOf(inputs),
    }),
  },
  Permission: {
    type: "AWS::Lambda::Permission",
    properties: ({ inputs }) => pascalKeys(inputs, { function: "FunctionName" }),
  },
  EventRule: {
    type: "AWS::Events::Rule",
    properties: ({ inputs: { eventPattern, ...inputs } }, targets) => ({
      ...pascalKeys(inputs),
      ...(eventPattern ? { EventPattern: JSON.parse(String(eventPattern)) } : {}),
      Targets: targets.map((target) => ({
        Id: label(target),
        Arn: target.inputs.arn,
        ...(target.inputs.input ? { Input: target.inputs.input } : {}),
      })),
      ...tagsOf(inputs),
    }),
  },
  MetricAlarm: {
    type: "AWS::CloudWatch::Alarm",
    properties: ({ inputs: { dimensions, ...inputs } }) => ({
      ...pascalKeys(inputs, { name: "AlarmName", alarmActions: "AlarmActions", okActions: "OKActions" }),
      Dimensions: pairs(dimensions as Values, "Name"),
      ...tagsOf(inputs),
    }),
  },
  Dashboard: { type: "AWS::CloudWatch::Dashboard", properties: ({ inputs }) => pascalKeys(inputs) },
  Topic: {
    type: "AWS::SNS::Topic",
    properties: ({ inputs }) => ({ ...pascalKeys(inputs, { name: "TopicName" }), ...tagsOf(inputs) }),
  },
  TopicPolicy: {
    type: "AWS::SNS::TopicPolicy",
    properties: ({ inputs }) => ({ Topics: [inputs.arn], PolicyDocument: JSON.parse(String(inputs.policy)) }),
  },
  TopicSubscription: {
    type: "AWS::SNS::Subscription",
    properties: ({ inputs }) => pascalKeys(inputs, { topic: "TopicArn" }),
  },
  Key: {
    type: "AWS::KMS::Key",
    properties: ({ inputs: { policy, deletionWindowInDays, ...inputs } }) => ({
      ...pascalKeys(inputs),
      PendingWindowInDays: deletionWindowInDays,
      KeyPolicy: JSON.parse(String(policy)),
      ...tagsOf(inputs),
    }),
  },
  Alias: { type: "AWS::KMS::Alias", properties: ({ inputs }) => pascalKeys(inputs, { name: "AliasName" }) },
};

/** The kind of a resource by its logical id, which ends with it. */
export function kindOfLogicalId(id: string): string {
  return Object.keys(forms).find((kind) => id.endsWith(kind)) ?? id;
}

/** CloudFormation writes an argument's name with a capital. */
function pascalKeys(values: Values, names: Record<string, string> = {}): Values {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => {
      if (key === "tags") return [];
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value) && key !== "variables";
      return [[names[key] ?? pascalCase(key), isObject ? pascalKeys(value as Values) : value]];
    }),
  );
}

function pascalCase(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function tagsOf({ tags }: Values): Values {
  return { Tags: pairs(tags as Values, "Key") };
}

function pairs(values: Values, key: string): Values[] {
  return Object.entries(values).map(([name, Value]) => ({ [key]: name, Value }));
}

function logicalId(resource: PlannedResource): string {
  return `${label(resource).replaceAll("_", "")}${kindAndModule(resource).kind}`;
}

/** A text that names another resource of the template becomes a reference to it, in which the linters follow. */
function withReferences(values: Values, from: PlannedResource, to: Map<string, PlannedResource>): Values {
  const refer = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(refer);
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, refer(inner)]));
    }
    const of = typeof value === "string" ? to.get(value) : undefined;
    if (!of || !from.dependencies.includes(of.urn)) return value;
    const isArn = value === of.outputs.arn && !["Secret", "Topic"].includes(kindAndModule(of).kind);
    return isArn ? { "Fn::GetAtt": [logicalId(of), "Arn"] } : { Ref: logicalId(of) };
  };
  return refer(values) as Values;
}
