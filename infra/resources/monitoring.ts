import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { deployedAlarmName } from "../../src/formats/metrics.ts";
import type { EventScope } from "../args/event-scope.ts";
import { type AlarmSource, type AlarmSpec, alarmSpecs, metricOf } from "./alarms.ts";
import type { StackContext } from "./context.ts";
import { dashboardBody } from "./dashboard.ts";
import type { TokenSecret } from "./token-secret.ts";

interface MonitoringArgs {
  context: StackContext;
  rotatorName: pulumi.Output<string>;
  reconcilerName: pulumi.Output<string>;
  tokenSecrets: Record<string, TokenSecret>;
}

/** Alarms, the event rules that CloudWatch's metrics can't replace, two topics and a dashboard. */
export class Monitoring extends pulumi.ComponentResource {
  /** Gets the alarms, and the events of failed rotations. */
  readonly alarmTopic: aws.sns.Topic;
  /** Gets an event whenever a token secret has a new current value: apps that cache can read it again at once. */
  readonly rotationTopic: aws.sns.Topic;
  /** By their names without the rotation's. */
  readonly alarms: Record<string, aws.cloudwatch.MetricAlarm>;
  readonly dashboard: aws.cloudwatch.Dashboard;

  constructor(args: MonitoringArgs) {
    const { plan, child: options, region, keys } = args.context;
    const { name, tags } = plan;
    super("c2m-token-rotation:index:Monitoring", name, { rotation: name }, options);
    const child = { ...options, parent: this };
    const encrypted = keys.topics ? { kmsMasterKeyId: keys.topics } : {};
    this.alarmTopic = new aws.sns.Topic(
      `${name}-alarms`,
      { name: `${name}-alarms`, displayName: `Alarms of ${name}`, tags, ...encrypted },
      child,
    );
    this.rotationTopic = new aws.sns.Topic(
      `${name}-rotations`,
      { name: `${name}-rotations`, displayName: `Rotations of ${name}`, tags, ...encrypted },
      child,
    );
    new aws.sns.TopicPolicy(
      `${name}-alarms`,
      topicPolicy(this.alarmTopic, [eventsPublish, alarmsPublish(args.context)]),
      child,
    );
    new aws.sns.TopicPolicy(`${name}-rotations`, topicPolicy(this.rotationTopic, [eventsPublish]), child);
    for (const { key, address } of plan.alarmEmails) {
      new aws.sns.TopicSubscription(
        `${name}-${key}`,
        { topic: this.alarmTopic.arn, protocol: "email", endpoint: address },
        child,
      );
    }
    // What is left of a token's life when its successor comes as late as the schedule allows.
    const leastSpareSeconds = Math.min(...plan.tokens.map(({ spareSeconds }) => spareSeconds));
    this.alarms = Object.fromEntries(
      alarmSpecs(leastSpareSeconds).map((spec) => [spec.name, createAlarm(spec, args, this.alarmTopic, child)]),
    );
    for (const [index, scope] of plan.eventScopes.entries()) {
      const secrets = matcherOf(scope, args);
      const part = index === 0 ? "" : `-${index + 1}`;
      // Not every failed rotation is a failed function: Secrets Manager fails one that may not invoke it, too.
      notify(`${name}-${index === 0 ? "rotation-failed" : `failed${part}`}`, this.alarmTopic, plan.tags, child, {
        description: `A rotation of ${name} failed, as Secrets Manager saw it. Needs a CloudTrail trail.`,
        pattern: {
          source: ["aws.secretsmanager"],
          "detail-type": ["AWS Service Event via CloudTrail"],
          detail: { eventName: ["RotationFailed", "TestRotationFailed"], additionalEventData: { SecretId: secrets } },
        },
      });
      notify(`${name}-rotated${part}`, this.rotationTopic, plan.tags, child, {
        description: `A token secret of ${name} has a new current value`,
        pattern: {
          source: ["aws.secretsmanager"],
          "detail-type": ["Secret Label Updated"],
          resources: secrets,
          detail: { labelUpdated: ["AWSCURRENT"] },
        },
      });
    }
    this.dashboard = new aws.cloudwatch.Dashboard(
      name,
      {
        dashboardName: name,
        dashboardBody: pulumi
          .all([
            args.rotatorName,
            args.reconcilerName,
            region,
            pulumi.all(Object.values(this.alarms).map(({ arn }) => arn)),
          ])
          .apply(([rotatorName, reconcilerName, regionName, alarmArns]) =>
            dashboardBody({ rotation: name, rotatorName, reconcilerName, region: regionName, alarmArns }),
          ),
      },
      child,
    );
    this.registerOutputs({ alarmTopic: this.alarmTopic.arn, rotationTopic: this.rotationTopic.arn });
  }
}

/** Matches the ARNs of a scope's secrets. */
function matcherOf(scope: EventScope, { context, tokenSecrets }: MonitoringArgs): pulumi.Input<unknown>[] {
  if ("names" in scope) return scope.names.flatMap((secretName) => tokenSecrets[secretName]?.arn ?? []);
  const { partition, region, accountId } = context;
  return [
    { prefix: pulumi.interpolate`arn:${partition}:secretsmanager:${region}:${accountId}:secret:${scope.prefix}` },
  ];
}

function notify(
  name: string,
  topic: aws.sns.Topic,
  tags: pulumi.Input<Record<string, string>>,
  options: pulumi.CustomResourceOptions,
  { description, pattern }: { description: string; pattern: object },
): void {
  const rule = new aws.cloudwatch.EventRule(
    name,
    { description, eventPattern: pulumi.jsonStringify(pattern), tags },
    options,
  );
  new aws.cloudwatch.EventTarget(name, { rule: rule.name, arn: topic.arn }, options);
}

function createAlarm(
  spec: AlarmSpec,
  args: MonitoringArgs,
  topic: aws.sns.Topic,
  options: pulumi.CustomResourceOptions,
): aws.cloudwatch.MetricAlarm {
  const { name, runbook, tags } = args.context.plan;
  const { namespace, metricName } = metricOf(spec.source);
  return new aws.cloudwatch.MetricAlarm(
    `${name}-${spec.name}`,
    {
      name: deployedAlarmName(name, spec.name),
      alarmDescription: `${spec.says} ${runbook}#${spec.name}`,
      namespace,
      metricName,
      dimensions: dimensionsOf(spec.source, args),
      statistic: spec.statistic,
      comparisonOperator: spec.comparison,
      threshold: spec.threshold,
      period: spec.period,
      datapointsToAlarm: spec.breaching,
      evaluationPeriods: spec.among,
      treatMissingData: spec.missing,
      alarmActions: [topic.arn],
      okActions: [topic.arn],
      tags,
    },
    options,
  );
}

function dimensionsOf(source: AlarmSource, args: MonitoringArgs): Record<string, pulumi.Input<string>> {
  if ("metric" in source) return { service: args.context.plan.name };
  if ("logMetric" in source) return { LogGroupName: args.context.logGroup.name };
  return { FunctionName: source.of === "rotator" ? args.rotatorName : args.reconcilerName };
}

function topicPolicy(topic: aws.sns.Topic, statements: object[]): aws.sns.TopicPolicyArgs {
  return {
    arn: topic.arn,
    policy: pulumi.jsonStringify({
      Version: "2012-10-17",
      Statement: statements.map((statement) => ({ ...statement, Resource: topic.arn })),
    }),
  };
}

/** Without a condition: EventBridge sends SNS none of the keys, and AWS documents that none can be used here. */
const eventsPublish = {
  Sid: "LetEventBridgePublish",
  Effect: "Allow",
  Principal: { Service: "events.amazonaws.com" },
  Action: "sns:Publish",
};

function alarmsPublish({ accountId }: StackContext) {
  return {
    Sid: "LetAlarmsPublish",
    Effect: "Allow",
    Principal: { Service: "cloudwatch.amazonaws.com" },
    Action: "sns:Publish",
    Condition: { StringEquals: { "aws:SourceAccount": accountId } },
  };
}
