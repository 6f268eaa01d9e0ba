import type { LocalCloud } from "../../cloud.ts";
import type { AlarmDefinition } from "../../cloudwatch/alarm.ts";
import type { LogGroupSettings } from "../../logs/service.ts";
import {
  optional,
  type ProvidedResource,
  type Provider,
  type Providers,
  tagsOf,
  text,
  unlessGone,
} from "./provider.ts";

type Properties = ProvidedResource["inputs"];

const alarm: Provider = {
  replacedBy: ["name"],
  defaults: { actionsEnabled: true, treatMissingData: "missing" },
  create: ({ metrics }, { inputs }) => metrics.putAlarm(alarmOf(inputs)),
  update({ metrics }, { inputs }) {
    metrics.putAlarm(alarmOf(inputs));
    metrics.setTags(text(inputs, "name"), tagsOf(inputs));
  },
  delete: ({ metrics }, { inputs }) => metrics.deleteAlarm(text(inputs, "name")),
  read({ metrics }, { inputs }) {
    const found = metrics.alarm(text(inputs, "name"));
    return found && readOf(found, inputs);
  },
};

export const monitoringProviders: Providers = {
  "aws:cloudwatch/metricAlarm:MetricAlarm": alarm,
  "aws:cloudwatch/dashboard:Dashboard": {
    replacedBy: ["dashboardName"],
    create: putDashboard,
    update: putDashboard,
    delete: ({ dashboards }, { inputs }) => dashboards.delete(text(inputs, "dashboardName")),
    read({ dashboards }, { inputs }) {
      const dashboardBody = dashboards.body(text(inputs, "dashboardName"));
      return dashboardBody === undefined ? undefined : { dashboardBody };
    },
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    replacedBy: ["name", "namePrefix", "logGroupClass"],
    create: ({ logs }, { inputs }) => logs.createGroup(text(inputs, "name"), groupOf(inputs)),
    update({ logs }, { inputs }) {
      const name = text(inputs, "name");
      // Once it is on, leaving the input out does not switch it off. Source: the provider's own page.
      const { deletionProtection = logs.group(name)?.deletionProtection, ...settings } = groupOf(inputs);
      logs.updateGroup(name, { ...settings, deletionProtection });
    },
    delete: ({ logs }, { inputs }) =>
      unlessGone("ResourceNotFoundException", () => logs.deleteGroup(text(inputs, "name"))),
    read({ logs }, { inputs }) {
      const group = logs.group(text(inputs, "name"));
      if (!group) return undefined;
      const { retentionInDays, deletionProtection, kmsKeyId, tags } = group;
      // Left out, it is what it is: the provider takes over whatever is there.
      const isGiven = "deletionProtectionEnabled" in inputs;
      return {
        retentionInDays,
        kmsKeyId,
        tags,
        ...(isGiven && { deletionProtectionEnabled: deletionProtection }),
      };
    },
  },
  "aws:cloudwatch/eventRule:EventRule": {
    replacedBy: ["name", "namePrefix", "eventBusName"],
    create: ({ eventRules }, resource) => eventRules.putRule(ruleOf(resource)),
    update({ eventRules }, resource) {
      eventRules.putRule(ruleOf(resource));
      eventRules.setTags(text(resource.outputs, "name"), tagsOf(resource.inputs));
    },
    delete: ({ eventRules }, { outputs }) => eventRules.deleteRule(text(outputs, "name")),
    read({ eventRules }, { outputs }) {
      const rule = eventRules.rule(text(outputs, "name"));
      if (!rule) return undefined;
      const { description, scheduleExpression, eventPattern, tags } = rule;
      return { description, scheduleExpression, eventPattern, tags };
    },
  },
  "aws:cloudwatch/eventTarget:EventTarget": {
    replacedBy: ["rule", "targetId", "eventBusName"],
    create: putTarget,
    update: putTarget,
    delete: ({ eventRules }, { inputs, id }) => eventRules.removeTarget(text(inputs, "rule"), id),
    read({ eventRules }, { inputs, id }) {
      const target = eventRules.target(text(inputs, "rule"), id);
      return target && { arn: target.arn, input: target.input };
    },
  },
  "aws:sns/topic:Topic": {
    replacedBy: ["name", "namePrefix", "fifoTopic"],
    create: ({ topics }, { inputs, outputs }) => topics.create(text(outputs, "arn"), topicOf(inputs)),
    update: ({ topics }, { inputs, outputs }) => topics.update(text(outputs, "arn"), topicOf(inputs)),
    delete: ({ topics }, { outputs }) => topics.delete(text(outputs, "arn")),
    read({ topics }, { outputs }) {
      const topic = topics.topic(text(outputs, "arn"));
      if (!topic) return undefined;
      const { displayName, kmsKeyId: kmsMasterKeyId, tags } = topic.settings;
      return { displayName, kmsMasterKeyId, tags };
    },
  },
  "aws:sns/topicPolicy:TopicPolicy": {
    replacedBy: ["arn"],
    create: ({ topics }, { inputs }) => topics.setPolicy(text(inputs, "arn"), text(inputs, "policy")),
    update: ({ topics }, { inputs }) => topics.setPolicy(text(inputs, "arn"), text(inputs, "policy")),
    delete: ({ topics }, { inputs }) => unlessGone("NotFound", () => topics.setPolicy(text(inputs, "arn"), undefined)),
    read({ topics }, { inputs }) {
      const policy = topics.topic(text(inputs, "arn"))?.policy;
      return policy === undefined ? undefined : { policy };
    },
  },
  "aws:sns/topicSubscription:TopicSubscription": {
    replacedBy: ["endpoint", "protocol", "topic"],
    create: ({ topics }, { inputs, id }) =>
      topics.subscribe(text(inputs, "topic"), id, {
        protocol: text(inputs, "protocol"),
        endpoint: text(inputs, "endpoint"),
      }),
    delete: ({ topics }, { inputs, id }) => topics.unsubscribe(text(inputs, "topic"), id),
    read: ({ topics }, { inputs, id }) => topics.subscription(text(inputs, "topic"), id) && {},
  },
};

function alarmOf(inputs: Properties): AlarmDefinition {
  return {
    name: text(inputs, "name"),
    description: optional<string>(inputs, "alarmDescription"),
    namespace: text(inputs, "namespace"),
    metricName: text(inputs, "metricName"),
    dimensions: optional<Record<string, string>>(inputs, "dimensions") ?? {},
    statistic: text(inputs, "statistic") as AlarmDefinition["statistic"],
    comparison: text(inputs, "comparisonOperator") as AlarmDefinition["comparison"],
    threshold: Number(inputs.threshold),
    periodMs: Number(inputs.period) * 1_000,
    datapointsToAlarm: Number(inputs.datapointsToAlarm ?? inputs.evaluationPeriods),
    evaluationPeriods: Number(inputs.evaluationPeriods),
    missing: (optional<string>(inputs, "treatMissingData") ?? "missing") as AlarmDefinition["missing"],
    actions: optional<string[]>(inputs, "alarmActions") ?? [],
    actionsEnabled: optional<boolean>(inputs, "actionsEnabled"),
    tags: optional<Record<string, string>>(inputs, "tags"),
  };
}

function readOf(found: AlarmDefinition, inputs: Properties): Properties {
  // All of the periods, where it is left out.
  const isLeftOut = inputs.datapointsToAlarm === undefined && found.datapointsToAlarm === found.evaluationPeriods;
  return {
    alarmDescription: found.description,
    namespace: found.namespace,
    metricName: found.metricName,
    dimensions: found.dimensions,
    statistic: found.statistic,
    comparisonOperator: found.comparison,
    threshold: found.threshold,
    period: found.periodMs / 1_000,
    ...(isLeftOut ? {} : { datapointsToAlarm: found.datapointsToAlarm }),
    evaluationPeriods: found.evaluationPeriods,
    treatMissingData: found.missing,
    alarmActions: found.actions,
    actionsEnabled: found.actionsEnabled ?? true,
    tags: found.tags,
  };
}

function putDashboard({ dashboards }: LocalCloud, { inputs }: ProvidedResource): void {
  dashboards.put(text(inputs, "dashboardName"), text(inputs, "dashboardBody"));
}

function groupOf(inputs: Properties): LogGroupSettings {
  return {
    retentionInDays: optional<number>(inputs, "retentionInDays"),
    deletionProtection: optional<boolean>(inputs, "deletionProtectionEnabled"),
    kmsKeyId: optional<string>(inputs, "kmsKeyId"),
    tags: tagsOf(inputs),
  };
}

function ruleOf({ inputs, outputs }: ProvidedResource) {
  return {
    name: text(outputs, "name"),
    arn: text(outputs, "arn"),
    description: optional<string>(inputs, "description"),
    scheduleExpression: optional<string>(inputs, "scheduleExpression"),
    eventPattern: optional<string>(inputs, "eventPattern"),
    tags: tagsOf(inputs),
  };
}

function putTarget({ eventRules }: LocalCloud, { inputs, id }: ProvidedResource): void {
  const input = optional<string>(inputs, "input");
  const target = { id, arn: text(inputs, "arn"), ...(input === undefined ? {} : { input }) };
  eventRules.putTarget(text(inputs, "rule"), target);
}

function topicOf(inputs: Properties) {
  return {
    displayName: optional<string>(inputs, "displayName"),
    kmsKeyId: optional<string>(inputs, "kmsMasterKeyId"),
    tags: tagsOf(inputs),
  };
}
