import type { AlarmDefinition } from "../../cloudwatch/alarm.ts";
import { optional, type Provider, type Providers, text } from "./provider.ts";

const alarm: Provider = {
  create({ metrics }, { inputs }) {
    metrics.putAlarm({
      name: text(inputs, "name"),
      description: optional<string>(inputs, "alarmDescription"),
      namespace: text(inputs, "namespace"),
      metricName: text(inputs, "metricName"),
      dimensions: inputs.dimensions as Record<string, string>,
      statistic: text(inputs, "statistic") as AlarmDefinition["statistic"],
      comparison: text(inputs, "comparisonOperator") as AlarmDefinition["comparison"],
      threshold: Number(inputs.threshold),
      periodMs: Number(inputs.period) * 1_000,
      datapointsToAlarm: Number(inputs.datapointsToAlarm ?? inputs.evaluationPeriods),
      evaluationPeriods: Number(inputs.evaluationPeriods),
      missing: text(inputs, "treatMissingData") as AlarmDefinition["missing"],
      actions: optional<string[]>(inputs, "alarmActions") ?? [],
      actionsEnabled: optional<boolean>(inputs, "actionsEnabled"),
    });
  },
  delete: ({ metrics }, { inputs }) => metrics.deleteAlarm(text(inputs, "name")),
};

export const monitoringProviders: Providers = {
  "aws:cloudwatch/metricAlarm:MetricAlarm": alarm,
  "aws:cloudwatch/dashboard:Dashboard": {
    create(_, { inputs }) {
      JSON.parse(text(inputs, "dashboardBody"));
    },
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    create({ logs }, { inputs }) {
      const retentionInDays = optional<number>(inputs, "retentionInDays");
      logs.putGroup(text(inputs, "name"), retentionInDays === undefined ? {} : { retentionInDays });
    },
    delete: ({ logs }, { inputs }) => logs.deleteGroup(text(inputs, "name")),
  },
  "aws:cloudwatch/eventRule:EventRule": {
    create({ eventRules }, { inputs, outputs }) {
      eventRules.putRule({
        name: text(outputs, "name"),
        arn: text(outputs, "arn"),
        scheduleExpression: optional<string>(inputs, "scheduleExpression"),
        eventPattern: optional<string>(inputs, "eventPattern"),
      });
    },
    delete: ({ eventRules }, { outputs }) => eventRules.deleteRule(text(outputs, "name")),
  },
  "aws:cloudwatch/eventTarget:EventTarget": {
    create({ eventRules }, { inputs, id }) {
      const input = optional<string>(inputs, "input");
      eventRules.putTarget(text(inputs, "rule"), {
        id,
        arn: text(inputs, "arn"),
        ...(input === undefined ? {} : { input }),
      });
    },
    delete: ({ eventRules }, { inputs, id }) => eventRules.removeTarget(text(inputs, "rule"), id),
  },
  "aws:sns/topic:Topic": {
    create: ({ topics }, { outputs }) => topics.create(text(outputs, "arn")),
    update: () => undefined,
    delete: ({ topics }, { outputs }) => topics.delete(text(outputs, "arn")),
  },
  "aws:sns/topicPolicy:TopicPolicy": {
    create: ({ topics }, { inputs }) => topics.setPolicy(text(inputs, "arn"), text(inputs, "policy")),
  },
  "aws:sns/topicSubscription:TopicSubscription": {
    create: ({ topics }, { inputs, id }) =>
      topics.subscribe(text(inputs, "topic"), id, {
        protocol: text(inputs, "protocol"),
        endpoint: text(inputs, "endpoint"),
      }),
    delete: ({ topics }, { inputs, id }) => topics.unsubscribe(text(inputs, "topic"), id),
  },
};
