import {
  CloudWatchClient,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  type DescribeAlarmsCommandInput,
  EnableAlarmActionsCommand,
  paginateDescribeAlarms,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { VirtualClock } from "../../clock.ts";
import type { AlarmDefinition } from "../../cloudwatch/alarm.ts";
import { CloudWatch } from "../../cloudwatch/metrics.ts";
import { CloudWatchService } from "../../cloudwatch/service.ts";
import { Iam } from "../../iam/iam.ts";
import { LogsService } from "../../logs/service.ts";
import { catchingHandler, send } from "./signed-request.ts";
import { accountId, policy, region, roleArn, roleCaller, startTestCloud, trustPolicy } from "./test-cloud.ts";

const clock = new VirtualClock("2026-01-01T00:00:00Z");
const told: string[] = [];
/** Why nobody can be told. */
let problem: string | undefined;
const knobs = { maxPageAlarms: 100 };
const metrics = new CloudWatch({
  clock,
  logs: new LogsService({ clock, iam: new Iam(), accountId, region }),
  notify: (_topic, message) => {
    if (problem === undefined) told.push(message);
    return problem;
  },
});
const cloud = await startTestCloud({ clock, services: [new CloudWatchService({ metrics, accountId, region, knobs })] });
afterAll(() => cloud.stop());

test("the lines of a log group are counted as AWS does, by the minute", async () => {
  const time = new VirtualClock("2026-01-01T00:00:00Z");
  const logs = new LogsService({ clock: time, iam: new Iam(), accountId, region });
  const counted = new CloudWatch({ clock: time, logs, notify: () => undefined });
  for (const line of ["one", "two"]) logs.append("/aws/lambda/a", "s", line);
  logs.append("/aws/lambda/b", "s", "other");
  await time.advanceBy(60_000);
  logs.append("/aws/lambda/a", "s", "three");
  const values = (LogGroupName: string) =>
    counted.datapoints("AWS/Logs", "IncomingLogEvents", { LogGroupName }).map(({ value }) => value);
  expect(values("/aws/lambda/a")).toEqual([2, 1]);
  expect(values("/aws/lambda/b")).toEqual([1]);
});

const client = new CloudWatchClient(cloud.clientConfig());
const topic = `arn:aws:sns:${region}:${accountId}:alarms`;
const arnOf = (name: string) => `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`;

function alarm(name: string, more: Partial<AlarmDefinition> = {}): AlarmDefinition {
  return {
    name,
    namespace: "App",
    metricName: "Failures",
    dimensions: { service: "mail" },
    statistic: "Sum",
    comparison: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    periodMs: 300_000,
    datapointsToAlarm: 1,
    evaluationPeriods: 2,
    missing: "notBreaching",
    actions: [topic],
    ...more,
  };
}

async function named(input: DescribeAlarmsCommandInput = {}, by = client): Promise<(string | undefined)[]> {
  const { MetricAlarms = [] } = await by.send(new DescribeAlarmsCommand(input));
  return MetricAlarms.map(({ AlarmName }) => AlarmName);
}

beforeEach(() => {
  told.length = 0;
  knobs.maxPageAlarms = 100;
  for (const { alarm } of metrics.alarms()) metrics.deleteAlarm(alarm.name);
});

describe("DescribeAlarms", () => {
  test("tells an alarm's settings, as the SDK's types", async () => {
    metrics.putAlarm(alarm("one", { description: "Look into it." }));
    const { MetricAlarms, CompositeAlarms, NextToken } = await client.send(new DescribeAlarmsCommand({}));
    expect(MetricAlarms).toEqual([
      {
        AlarmName: "one",
        AlarmArn: arnOf("one"),
        AlarmDescription: "Look into it.",
        ActionsEnabled: true,
        AlarmActions: [topic],
        StateValue: "INSUFFICIENT_DATA",
        StateUpdatedTimestamp: new Date(clock.now()),
        StateTransitionedTimestamp: new Date(clock.now()),
        Namespace: "App",
        MetricName: "Failures",
        Dimensions: [{ Name: "service", Value: "mail" }],
        Statistic: "Sum",
        Period: 300,
        EvaluationPeriods: 2,
        DatapointsToAlarm: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        TreatMissingData: "notBreaching",
      },
    ]);
    expect([CompositeAlarms, NextToken]).toEqual([[], undefined]);
  });

  test("tells the state of now, since when it is so, and tells the topic of it unless the actions are disabled", async () => {
    metrics.putAlarm(alarm("loud"));
    metrics.putAlarm(alarm("mute"));
    metrics.setActionsEnabled("mute", false);
    await clock.advanceBy(100_000);
    metrics.put("App", "Failures", { service: "mail" }, 1);
    await clock.advanceBy(300_000);
    const { MetricAlarms } = await client.send(new DescribeAlarmsCommand({ StateValue: "ALARM" }));
    const since = new Date(clock.now() - 100_000);
    expect(MetricAlarms).toMatchObject([
      { AlarmName: "loud", ActionsEnabled: true, StateTransitionedTimestamp: since },
      { AlarmName: "mute", ActionsEnabled: false, StateTransitionedTimestamp: since },
    ]);
    expect(told.map((message) => JSON.parse(message).AlarmName)).toEqual(["loud"]);
  });

  test("takes names (those that are not there are left out), a prefix of them, or of an action", async () => {
    for (const name of ["b-1", "a-2", "a-1"]) metrics.putAlarm(alarm(name));
    metrics.putAlarm(alarm("other", { actions: [] }));
    expect(await named()).toEqual(["a-1", "a-2", "b-1", "other"]);
    expect(await named({ AlarmNames: ["b-1", "none", "a-1"] })).toEqual(["a-1", "b-1"]);
    expect(await named({ AlarmNamePrefix: "a-" })).toEqual(["a-1", "a-2"]);
    expect(await named({ ActionPrefix: topic })).toEqual(["a-1", "a-2", "b-1"]);
    expect(await named({ AlarmTypes: ["CompositeAlarm"] })).toEqual([]);
  });

  test.each([
    ["MaxRecords", { MaxRecords: 2 }, [2, 2, 1]],
    ["the page size of the cloud", {}, [2, 2, 1]],
  ])("comes in pages by %s, with nothing lost or twice", async (_, input, sizes) => {
    if (!("MaxRecords" in input)) knobs.maxPageAlarms = 2;
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) metrics.putAlarm(alarm(name));
    const pages: (string | undefined)[][] = [];
    for await (const { MetricAlarms = [] } of paginateDescribeAlarms({ client }, input))
      pages.push(MetricAlarms.map(({ AlarmName }) => AlarmName));
    expect(pages.map(({ length }) => length)).toEqual(sizes);
    expect(pages.flat()).toEqual(names);
  });

  test("has 50 in a page where nothing else is asked for", async () => {
    for (let index = 0; index < 51; index += 1) metrics.putAlarm(alarm(`alarm-${index}`));
    expect(await named()).toHaveLength(50);
    expect(await named({ MaxRecords: 100 })).toHaveLength(51);
  });

  test.each<[string, DescribeAlarmsCommandInput, string]>([
    ["a token that it did not give", { NextToken: "x" }, "InvalidNextToken"],
    ["a page of more than 100", { MaxRecords: 101 }, "ValidationException"],
    [
      "more than 100 names",
      { AlarmNames: Array.from({ length: 101 }, (_, index) => `${index}`) },
      "ValidationException",
    ],
    ["names and a prefix", { AlarmNames: ["a"], AlarmNamePrefix: "a" }, "ValidationException"],
  ])("refuses %s", async (_, input, name) => {
    await expect(client.send(new DescribeAlarmsCommand(input))).rejects.toMatchObject({ name });
  });
});

test("without the permission on each alarm that is named, or on all, it is refused", async () => {
  cloud.iam.createRole({ name: "looker", arn: roleArn, assumeRolePolicy: trustPolicy("lambda.amazonaws.com") });
  const grant = (Resource: string) =>
    cloud.iam.putRolePolicy(
      "looker",
      "one",
      policy({ Effect: "Allow", Action: "cloudwatch:DescribeAlarms", Resource }),
    );
  const looker = new CloudWatchClient(cloud.clientConfig(roleCaller("looker")));
  metrics.putAlarm(alarm("mail-1"));
  metrics.putAlarm(alarm("other"));
  const refusal = (name: string) => ({
    name: "AccessDeniedException",
    message: expect.stringContaining(
      `not authorized to perform: cloudwatch:DescribeAlarms on resource: ${arnOf(name)}`,
    ),
  });
  grant(arnOf("mail-*"));
  expect(await named({ AlarmNames: ["mail-1"] }, looker)).toEqual(["mail-1"]);
  await expect(named({ AlarmNames: ["mail-1", "other"] }, looker)).rejects.toMatchObject(refusal("other"));
  await expect(named({ AlarmNamePrefix: "mail-" }, looker)).rejects.toMatchObject(refusal("*"));
  grant("*");
  expect(await named({}, looker)).toEqual(["mail-1", "other"]);
});

describe("SetAlarmState", () => {
  const set = (AlarmName: string, StateValue: "OK" | "ALARM", by = client) =>
    by.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: "a test" }));
  const historyOf = async (AlarmName: string, HistoryItemType?: "Action") => {
    const { AlarmHistoryItems = [] } = await client.send(
      new DescribeAlarmHistoryCommand({ AlarmName, HistoryItemType }),
    );
    return AlarmHistoryItems;
  };

  test("runs the actions of the state, which the history tells with AWS's words, and lasts for a minute", async () => {
    metrics.putAlarm(alarm("set", { dimensions: { service: "set" } }));
    await clock.advanceBy(300_000);
    await set("set", "ALARM");
    expect(told.map((message) => JSON.parse(message))).toEqual([{ AlarmName: "set", NewStateValue: "ALARM" }]);
    const setAt = new Date(clock.now());
    await clock.advanceBy(59_000);
    expect(metrics.alarming()).toEqual(["set"]);
    await clock.advanceBy(1_000);
    expect(metrics.alarming()).toEqual([]);
    const item = { AlarmName: "set", AlarmType: "MetricAlarm", Timestamp: setAt };
    expect(await historyOf("set")).toEqual([
      expect.objectContaining({ HistorySummary: "Alarm updated from ALARM to OK", Timestamp: new Date(clock.now()) }),
      expect.objectContaining({
        ...item,
        HistoryItemType: "Action",
        HistorySummary: `Successfully executed action ${topic}`,
      }),
      expect.objectContaining({
        ...item,
        HistoryItemType: "StateUpdate",
        HistorySummary: "Alarm updated from OK to ALARM",
      }),
      expect.objectContaining({ HistorySummary: "Alarm updated from INSUFFICIENT_DATA to OK" }),
    ]);
    const [action] = await historyOf("set", "Action");
    expect(JSON.parse(action?.HistoryData ?? "")).toMatchObject({
      actionState: "Succeeded",
      notificationResource: topic,
      stateUpdateTimestamp: setAt.getTime(),
    });
  });

  test("of a state that it has already, or without its actions, tells nobody", async () => {
    metrics.putAlarm(alarm("mute-again"));
    metrics.setActionsEnabled("mute-again", false);
    await set("mute-again", "ALARM");
    metrics.setActionsEnabled("mute-again", true);
    await set("mute-again", "ALARM");
    expect(told).toEqual([]);
    expect(await historyOf("mute-again", "Action")).toEqual([]);
  });

  test("tells in the history why an action failed", async () => {
    problem = `CloudWatch Alarms is not authorized to perform: SNS:Publish on resource: ${topic}`;
    metrics.putAlarm(alarm("deaf"));
    await set("deaf", "ALARM");
    problem = undefined;
    const [action] = await historyOf("deaf", "Action");
    expect(action?.HistorySummary).toBe(
      `Failed to execute action ${topic}. Received error: "CloudWatch Alarms is not authorized to perform: SNS:Publish on resource: ${topic}"`,
    );
    expect(JSON.parse(action?.HistoryData ?? "")).toMatchObject({ actionState: "Failed" });
  });

  test("needs its permission on the alarm, and an alarm", async () => {
    cloud.iam.createRole({ name: "setter", arn: roleArn, assumeRolePolicy: trustPolicy("lambda.amazonaws.com") });
    const statement = { Effect: "Allow", Action: "cloudwatch:SetAlarmState", Resource: arnOf("mail-*") } as const;
    cloud.iam.putRolePolicy("setter", "one", policy(statement));
    const setter = new CloudWatchClient(cloud.clientConfig(roleCaller("setter")));
    await expect(set("other", "ALARM", setter)).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(set("mail-none", "ALARM", setter)).rejects.toMatchObject({ name: "ResourceNotFound" });
  });

  test("the history comes by time, in pages, from either end", async () => {
    metrics.putAlarm(alarm("paged"));
    const start = clock.now();
    for (const state of ["ALARM", "OK", "ALARM"] as const) {
      await set("paged", state);
      await clock.advanceBy(10_000);
    }
    const StartDate = new Date(start + 5_000);
    const input = { AlarmName: "paged", StartDate, HistoryItemType: "StateUpdate", MaxRecords: 1 } as const;
    const first = await client.send(new DescribeAlarmHistoryCommand({ ...input, ScanBy: "TimestampAscending" }));
    const { NextToken } = first;
    const rest = await client.send(
      new DescribeAlarmHistoryCommand({ ...input, ScanBy: "TimestampAscending", NextToken, MaxRecords: 100 }),
    );
    const times = [first, rest].flatMap(({ AlarmHistoryItems = [] }) =>
      AlarmHistoryItems.map(({ Timestamp }) => Timestamp),
    );
    expect(times).toEqual([new Date(start + 10_000), new Date(start + 20_000)]);
  });
});

test("another operation of CloudWatch is refused and named", async () => {
  await expect(client.send(new EnableAlarmActionsCommand({ AlarmNames: ["a"] }))).rejects.toMatchObject({
    name: "UnknownOperationException",
    message: expect.stringContaining("cloudwatch:EnableAlarmActions is not there; there are: DescribeAlarms"),
  });
});

test("it is asked and answers in AWS JSON 1.0, signed for as `monitoring`", async () => {
  const requestHandler = catchingHandler();
  await new CloudWatchClient({ ...cloud.clientConfig(), requestHandler })
    .send(new DescribeAlarmsCommand({}))
    .catch(() => undefined);
  const request = requestHandler.request();
  expect(request.headers).toMatchObject({
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "GraniteServiceVersion20100801.DescribeAlarms",
    authorization: expect.stringContaining(`/${region}/monitoring/aws4_request`),
  });
  const answer = await send(request);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/x-amz-json-1.0"]);
  expect(answer.json()).toEqual({ MetricAlarms: [], CompositeAlarms: [] });
});

test("an alarm that is put again keeps its state and its tags, and has all else anew", async () => {
  metrics.putAlarm(alarm("again", { tags: { a: "b" }, evaluationPeriods: 1 }));
  metrics.put("App", "Failures", { service: "mail" }, 1);
  await clock.advanceBy(300_000);
  expect(metrics.alarming()).toContain("again");
  metrics.putAlarm(alarm("again", { tags: { other: "c" }, threshold: 5, evaluationPeriods: 1 }));
  expect(metrics.alarming()).toContain("again");
  expect(metrics.alarm("again")).toMatchObject({ tags: { a: "b" }, threshold: 5 });
});
