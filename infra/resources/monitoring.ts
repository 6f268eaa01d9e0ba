import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { deployedAlarmName } from "../../src/formats/metrics.ts";
import { type MonitoringOptions, rotationDefaults } from "../args/rotation-args.ts";
import { type AlarmSource, type AlarmSpec, alarmSpecs, metricOf } from "./alarms.ts";
import { dashboardBody } from "./dashboard.ts";

/** Arguments of {@link Monitoring}. */
export interface MonitoringArgs extends MonitoringOptions {
  /** The name of the rotation: the dimension `service` of its metrics. */
  rotation: string;
  rotatorName: pulumi.Input<string>;
  reconcilerName: pulumi.Input<string>;
  tokenSecretArns: pulumi.Input<string>[];
  /** What is left of a token's life when its successor comes as late as the schedule allows: the least of all tokens. */
  leastSpareSeconds: number;
  accountId: pulumi.Input<string>;
  tags?: Record<string, string> | undefined;
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

  constructor(name: string, args: MonitoringArgs, options?: pulumi.ComponentResourceOptions) {
    super("c2m-token-rotation:index:Monitoring", name, { rotation: args.rotation }, options);
    const child = { parent: this };
    const tags = args.tags ?? {};
    this.alarmTopic = new aws.sns.Topic(
      `${name}-alarms`,
      { name: `${name}-alarms`, displayName: `Alarms of ${args.rotation}`, tags },
      child,
    );
    this.rotationTopic = new aws.sns.Topic(
      `${name}-rotations`,
      { name: `${name}-rotations`, displayName: `Rotations of ${args.rotation}`, tags },
      child,
    );
    new aws.sns.TopicPolicy(
      `${name}-alarms`,
      topicPolicy(this.alarmTopic, [eventsPublish, alarmsPublish(args)]),
      child,
    );
    new aws.sns.TopicPolicy(`${name}-rotations`, topicPolicy(this.rotationTopic, [eventsPublish]), child);
    for (const email of args.emails ?? []) {
      new aws.sns.TopicSubscription(
        `${name}-${email}`,
        { topic: this.alarmTopic.arn, protocol: "email", endpoint: email },
        child,
      );
    }
    this.alarms = Object.fromEntries(
      alarmSpecs(args.leastSpareSeconds).map((spec) => [
        spec.name,
        createAlarm(name, spec, args, this.alarmTopic, child),
      ]),
    );
    // Not every failed rotation is a failed function: Secrets Manager fails one that may not invoke it, too.
    this.#notify(`${name}-rotation-failed`, this.alarmTopic, tags, {
      description: `A rotation of ${args.rotation} failed, as Secrets Manager saw it. Needs a CloudTrail trail.`,
      pattern: {
        source: ["aws.secretsmanager"],
        "detail-type": ["AWS Service Event via CloudTrail"],
        detail: {
          eventName: ["RotationFailed", "TestRotationFailed"],
          additionalEventData: { SecretId: args.tokenSecretArns },
        },
      },
    });
    this.#notify(`${name}-rotated`, this.rotationTopic, tags, {
      description: `A token secret of ${args.rotation} has a new current value`,
      pattern: {
        source: ["aws.secretsmanager"],
        "detail-type": ["Secret Label Updated"],
        resources: args.tokenSecretArns,
        detail: { labelUpdated: ["AWSCURRENT"] },
      },
    });
    const { region } = aws.getRegionOutput({}, child);
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
            dashboardBody({ rotation: args.rotation, rotatorName, reconcilerName, region: regionName, alarmArns }),
          ),
      },
      child,
    );
    this.registerOutputs({ alarmTopic: this.alarmTopic.arn, rotationTopic: this.rotationTopic.arn });
  }

  #notify(
    name: string,
    topic: aws.sns.Topic,
    tags: Record<string, string>,
    { description, pattern }: { description: string; pattern: object },
  ): void {
    const child = { parent: this };
    const rule = new aws.cloudwatch.EventRule(
      name,
      { description, eventPattern: pulumi.jsonStringify(pattern), tags },
      child,
    );
    new aws.cloudwatch.EventTarget(name, { rule: rule.name, arn: topic.arn }, child);
  }
}

function createAlarm(
  name: string,
  spec: AlarmSpec,
  args: MonitoringArgs,
  topic: aws.sns.Topic,
  options: pulumi.CustomResourceOptions,
): aws.cloudwatch.MetricAlarm {
  const runbook = args.runbook ?? rotationDefaults.runbook;
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
      tags: args.tags ?? {},
    },
    options,
  );
}

function dimensionsOf(source: AlarmSource, args: MonitoringArgs): Record<string, pulumi.Input<string>> {
  if ("metric" in source) return { service: args.rotation };
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

function alarmsPublish({ accountId }: MonitoringArgs) {
  return {
    Sid: "LetAlarmsPublish",
    Effect: "Allow",
    Principal: { Service: "cloudwatch.amazonaws.com" },
    Action: "sns:Publish",
    Condition: { StringEquals: { "aws:SourceAccount": accountId } },
  };
}
