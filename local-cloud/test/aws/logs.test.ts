import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  PutLogEventsCommand,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { accountId, functionFrom, policy, roleCaller, startTestCloud, trustPolicy } from "./test-cloud.ts";

const clock = new VirtualClock();
const cloud = await startTestCloud({ clock });
afterAll(() => cloud.stop());
const { logs, logsClient, lambda, iam } = cloud;

const group = "ledger";
const at = (second: number) => clock.now() + second * 1000;

async function messages(input: Partial<FilterLogEventsCommandInput> = {}, client = logsClient) {
  const { events = [] } = await client.send(new FilterLogEventsCommand({ logGroupName: group, ...input }));
  return events.map((event) => event.message);
}

beforeEach(() => {
  if (logs.group(group)) logs.deleteGroup(group);
  logs.createGroup(group);
  Object.assign(logs.knobs, { deliveryDelayMs: 0, linesLostAtKill: 0, maxPageEvents: 10_000 });
});

describe("FilterLogEvents", () => {
  test("gives the events of all streams by time, with stream, times and an id", async () => {
    logs.append(group, "b", "second", at(-1));
    logs.append(group, "a", "first", at(-2));
    const { events = [] } = await logsClient.send(new FilterLogEventsCommand({ logGroupName: group }));
    expect(events).toMatchObject([
      { logStreamName: "a", message: "first", timestamp: at(-2), ingestionTime: at(-2) },
      { logStreamName: "b", message: "second", timestamp: at(-1) },
    ]);
    expect(events[0]?.eventId).not.toBe(events[1]?.eventId);
  });

  test("takes startTime and endTime as inclusive", async () => {
    for (const second of [-4, -3, -2, -1]) logs.append(group, "a", String(second), at(second));
    expect(await messages({ startTime: at(-3), endTime: at(-2) })).toEqual(["-3", "-2"]);
  });

  test("takes only the streams that are named", async () => {
    for (const stream of ["a1", "a2", "b1"]) logs.append(group, stream, stream);
    expect(await messages({ logStreamNames: ["a1", "b1"] })).toEqual(["a1", "b1"]);
    expect(await messages({ logStreamNamePrefix: "a" })).toEqual(["a1", "a2"]);
  });

  test("filters by a pattern", async () => {
    logs.append(group, "a", '{"event":"token.issued"}');
    logs.append(group, "a", '{"event":"step.done"}');
    expect(await messages({ filterPattern: '{ $.event = "token.*" }' })).toEqual(['{"event":"token.issued"}']);
  });

  test.each([
    ["limit", { limit: 2 }],
    ["the page size of the cloud", {}],
  ])("comes in pages by %s, with nothing lost or twice", async (_, input) => {
    if (!("limit" in input)) logs.knobs.maxPageEvents = 2;
    for (const line of ["1", "2", "3", "4", "5"]) logs.append(group, "a", line);
    const pages: unknown[][] = [];
    for await (const { events = [] } of paginateFilterLogEvents(
      { client: logsClient },
      { logGroupName: group, ...input },
    )) {
      pages.push(events.map((event) => event.message));
    }
    expect(pages).toEqual([["1", "2"], ["3", "4"], ["5"]]);
  });

  test("finds the group by ARN too", async () => {
    logs.append(group, "a", "line");
    const arn = `arn:aws:logs:eu-west-1:${accountId}:log-group:${group}`;
    expect(await messages({ logGroupName: undefined, logGroupIdentifier: arn })).toEqual(["line"]);
  });

  test.each<[string, Partial<FilterLogEventsCommandInput>, string]>([
    ["a group that isn't there", { logGroupName: "none" }, "ResourceNotFoundException"],
    ["no group", { logGroupName: undefined }, "InvalidParameterException"],
    ["a limit of more than 10,000", { limit: 10_001 }, "InvalidParameterException"],
    ["a pattern that is not known", { filterPattern: "%regex%" }, "InvalidParameterException"],
    ["a token that is none", { nextToken: "x" }, "InvalidParameterException"],
  ])("refuses %s", async (_, input, name) => {
    await expect(messages(input)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });

  test("needs logs:FilterLogEvents on the group's streams: a grant on the bare group's ARN is not enough", async () => {
    const arn = `arn:aws:logs:eu-west-1:${accountId}:log-group:${group}`;
    iam.createRole({
      name: "reader",
      arn: `arn:aws:iam::${accountId}:role/reader`,
      assumeRolePolicy: trustPolicy("lambda.amazonaws.com"),
    });
    const reader = new CloudWatchLogsClient(cloud.clientConfig(roleCaller("reader")));
    iam.putRolePolicy("reader", "read", policy({ Effect: "Allow", Action: "logs:FilterLogEvents", Resource: arn }));
    await expect(messages({}, reader)).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining(`on resource: ${arn}:log-stream: because`),
    });
    iam.putRolePolicy(
      "reader",
      "read",
      policy({ Effect: "Allow", Action: "logs:FilterLogEvents", Resource: `${arn}:*` }),
    );
    expect(await messages({}, reader)).toEqual([]);
  });
});

describe("the other reading calls", () => {
  test("DescribeLogGroups gives groups by prefix, with ARN and retention", async () => {
    logs.createGroup("ledger-2", { retentionInDays: 7 });
    const { logGroups } = await logsClient.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: "ledger" }));
    const arn = `arn:aws:logs:eu-west-1:${accountId}:log-group:ledger`;
    expect(logGroups).toMatchObject([
      { logGroupName: "ledger", logGroupArn: arn, arn: `${arn}:*` },
      { logGroupName: "ledger-2", retentionInDays: 7 },
    ]);
    logs.deleteGroup("ledger-2");
  });

  test("DescribeLogStreams gives streams, the latest first when asked to", async () => {
    logs.append(group, "a", "1", at(-1));
    logs.append(group, "b", "2", at(-3));
    logs.append(group, "b", "3", at(-2));
    const latest = { logGroupName: group, orderBy: "LastEventTime", descending: true } as const;
    expect((await logsClient.send(new DescribeLogStreamsCommand(latest))).logStreams).toMatchObject([
      { logStreamName: "a" },
      { logStreamName: "b", firstEventTimestamp: at(-3), lastEventTimestamp: at(-2) },
    ]);
  });

  test("GetLogEvents reads one stream from its head, and gives the same token again at the end", async () => {
    for (const line of ["1", "2", "3"]) logs.append(group, "a", line);
    logs.append(group, "b", "other");
    const read = async (nextToken?: string) => {
      const input = { logGroupName: group, logStreamName: "a", startFromHead: true, limit: 2, nextToken };
      const { events = [], nextForwardToken } = await logsClient.send(new GetLogEventsCommand(input));
      return { lines: events.map((event) => event.message), token: nextForwardToken };
    };
    const first = await read();
    const second = await read(first.token);
    const third = await read(second.token);
    expect([first.lines, second.lines, third.lines]).toEqual([["1", "2"], ["3"], []]);
    expect(third.token).toBe(second.token);
  });

  test("GetLogEvents leaves out an event exactly at endTime, unlike FilterLogEvents", async () => {
    for (const second of [-3, -2, -1]) logs.append(group, "a", String(second), at(second));
    const input = { logGroupName: group, logStreamName: "a", startTime: at(-3), endTime: at(-1) };
    const { events = [] } = await logsClient.send(new GetLogEventsCommand(input));
    expect(events.map((event) => event.message)).toEqual(["-3", "-2"]);
  });

  test("an operation that is not there is named, and what there is", async () => {
    await expect(logsClient.send(new DeleteLogGroupCommand({ logGroupName: group }))).rejects.toMatchObject({
      name: "UnknownOperationException",
      message:
        "logs:DeleteLogGroup is not there; there are: FilterLogEvents, GetLogEvents, DescribeLogGroups, DescribeLogStreams, CreateLogStream, PutLogEvents.",
    });
  });
});

describe("PutLogEvents", () => {
  const put = (message: string, stream = "operator", timestamp = clock.now()) =>
    logsClient.send(
      new PutLogEventsCommand({ logGroupName: group, logStreamName: stream, logEvents: [{ timestamp, message }] }),
    );

  test("writes into a stream that was created, and nowhere else", async () => {
    await expect(put("lost")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    const stream = { logGroupName: group, logStreamName: "operator" };
    await logsClient.send(new CreateLogStreamCommand(stream));
    await put("kept");
    expect(await messages()).toEqual(["kept"]);
    await expect(logsClient.send(new CreateLogStreamCommand(stream))).rejects.toMatchObject({
      name: "ResourceAlreadyExistsException",
    });
  });

  test("makes a line readable when it has come, whatever time the client gave it", async () => {
    await logsClient.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: "operator" }));
    await put("of a clock that is ahead", "operator", at(60));
    expect(await messages()).toEqual(["of a clock that is ahead"]);
  });
});

describe("a function's log", () => {
  const deploy = (name: string, source: string, overrides = {}) =>
    lambda.createFunction(functionFrom(name, source, { logGroup: group, ...overrides }));

  beforeEach(() => {
    const arn = `arn:aws:logs:eu-west-1:${accountId}:log-group:${group}:*`;
    iam.putRolePolicy(
      "fn-role",
      "ledger",
      policy({ Effect: "Allow", Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: arn }),
    );
  });

  test("in JSON has the platform's records, the console's objects, and lines as they were written", async () => {
    deploy(
      "json",
      `exports.handler = async () => {
      process.stdout.write('{"event":"token.issued"}\\nplain');
      console.warn("text", 1); console.log({ a: 1 }); console.error(new RangeError("no"));
    }`,
      { logFormat: "JSON" },
    );
    const { requestId } = await lambda.invoke("json", {});
    const [start, issued, warned, logged, failed, report] = logs
      .lines(group)
      .map((line) => (line.startsWith("{") ? JSON.parse(line) : line));
    const time = "2026-01-01T00:00:00.000Z";
    expect(start).toEqual({ time, type: "platform.start", record: { requestId, version: "$LATEST" } });
    expect(issued).toEqual({ event: "token.issued" });
    expect(warned).toBe(`plain{"timestamp":"${time}","level":"WARN","requestId":"${requestId}","message":"text 1"}`);
    expect(logged).toEqual({ timestamp: time, level: "INFO", requestId, message: { a: 1 } });
    expect(failed).toMatchObject({ level: "ERROR", message: { errorType: "RangeError", errorMessage: "no" } });
    expect(report).toEqual({
      time,
      type: "platform.report",
      record: {
        requestId,
        metrics: {
          durationMs: 0,
          billedDurationMs: 0,
          memorySizeMB: 128,
          maxMemoryUsedMB: expect.any(Number),
          initDurationMs: 0,
        },
        status: "success",
      },
    });
  });

  test("has a record of a failed run", async () => {
    deploy("failing", "exports.handler = async () => process.exit(1)", { logFormat: "JSON" });
    await lambda.invoke("failing", {});
    expect(
      logs
        .lines(group)
        .map((line) => JSON.parse(line))
        .slice(1),
    ).toMatchObject([
      { type: "platform.runtimeDone", record: { status: "failure" } },
      { type: "platform.report", record: { status: "failure" } },
    ]);
  });

  test.each([["logs:CreateLogStream"], ["logs:PutLogEvents"]])(
    "is lost without a word when the role has only %s",
    async (action) => {
      const arn = `arn:aws:logs:eu-west-1:${accountId}:log-group:${group}:*`;
      iam.putRolePolicy("fn-role", "ledger", policy({ Effect: "Allow", Action: action, Resource: arn }));
      deploy(`silent-${action.slice(5)}`, "exports.handler = async () => console.log('lost')");
      expect(await lambda.invoke(`silent-${action.slice(5)}`, {})).toMatchObject({ payload: "null" });
      expect(logs.lines(group)).toEqual([]);
    },
  );

  test("of a group that isn't there is lost, unless the role may create it", async () => {
    deploy("groupless", "exports.handler = async () => console.log('line')", { logGroup: "none" });
    const allow = (...actions: string[]) =>
      iam.putRolePolicy(
        "fn-role",
        "none",
        policy({ Effect: "Allow", Action: actions, Resource: `arn:aws:logs:eu-west-1:${accountId}:log-group:none:*` }),
      );
    allow("logs:CreateLogStream", "logs:PutLogEvents");
    await lambda.invoke("groupless", {});
    expect(logs.lines("none")).toEqual([]);
    allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents");
    await lambda.recycle("groupless");
    await lambda.invoke("groupless", {});
    expect(logs.lines("none").join("\n")).toContain("line");
  });

  test("keeps everything that a killed process had written, but for as many last lines as the knob says", async () => {
    const write =
      "for (const line of ['1', '2', '3']) require('node:fs').writeSync(1, line + '\\n'); process.kill(process.pid, 'SIGKILL'); await new Promise((r) => setTimeout(r, 1000));";
    deploy("killed", `exports.handler = async () => { ${write} }`);
    const written = () => logs.lines(group).filter((line) => /^\d$/.test(line));
    await lambda.invoke("killed", {});
    expect(written()).toEqual(["1", "2", "3"]);
    logs.knobs.linesLostAtKill = 2;
    await lambda.invoke("killed", {});
    expect(written()).toEqual(["1", "2", "3", "1"]);
    logs.knobs.linesLostAtKill = 100;
    await lambda.invoke("killed", {});
    expect(written()).toEqual(["1", "2", "3", "1"]);
    expect(logs.lines(group).filter((line) => line.startsWith("START")).length).toBe(3);
    expect(logs.lines(group).at(-1)).toContain("REPORT");
  });

  test("can be read only after the delivery delay, but is heard at once", async () => {
    const heard: string[] = [];
    const stop = logs.onLine(({ message }) => void heard.push(message));
    logs.knobs.deliveryDelayMs = 5000;
    logs.append(group, "a", "line");
    stop();
    await clock.advanceBy(4999);
    expect([heard, await messages()]).toEqual([["line"], []]);
    await clock.advanceBy(1);
    expect(await messages()).toEqual(["line"]);
  });

  test("is gone after the retention", async () => {
    logs.updateGroup(group, { retentionInDays: 1 });
    logs.append(group, "a", "line");
    await clock.advanceBy(86_400_000);
    expect(logs.lines(group)).toEqual(["line"]);
    await clock.advanceBy(1);
    expect(logs.lines(group)).toEqual([]);
  });
});

describe("PutLogEvents refuses", () => {
  const hourMs = 3_600_000;
  const dayMs = 24 * hourMs;
  const stream = "written";
  const put = async (ages: number[], message = "line") => {
    const now = clock.now();
    const logEvents = ages.map((age) => ({ timestamp: now - age, message }));
    return await logsClient.send(new PutLogEventsCommand({ logGroupName: group, logStreamName: stream, logEvents }));
  };

  beforeEach(async () => {
    await logsClient.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: stream }));
  });

  test("lines older than 14 days and more than two hours ahead, with HTTP 200 and an answer that says which", async () => {
    const answer = await put([14 * dayMs + 1, 2 * hourMs, hourMs, -2 * hourMs - 1]);
    expect(answer.$metadata.httpStatusCode).toBe(200);
    expect(answer.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 1, tooNewLogEventStartIndex: 3 });
    expect(await messages()).toEqual(["line", "line"]);
  });

  test("nothing at these very limits", async () => {
    expect((await put([14 * dayMs])).rejectedLogEventsInfo).toBeUndefined();
    expect((await put([-2 * hourMs])).rejectedLogEventsInfo).toBeUndefined();
    clock.advanceBy(3 * hourMs);
    expect(await messages()).toHaveLength(2);
  });

  test("lines that the group's retention has gone beyond", async () => {
    logs.updateGroup(group, { retentionInDays: 1 });
    expect((await put([dayMs + 1, hourMs])).rejectedLogEventsInfo).toEqual({ expiredLogEventEndIndex: 1 });
  });

  test.each<[string, number[], string | undefined, RegExp]>([
    ["a batch that is out of order", [hourMs, 2 * hourMs], undefined, /chronological order/],
    ["a batch that spans more than a day", [dayMs + 2 * hourMs, hourMs], undefined, /24 hours/],
    ["a line of more than 1 MB", [0], "x".repeat(1_048_577), /too large/],
    ["a batch of more than 1 MB with 26 bytes for each line", [0, 0], "x".repeat(524_263), /too large/],
  ])("the whole of %s", async (_, ages, message, says) => {
    await expect(put(ages, message)).rejects.toThrow(says);
    expect(await messages()).toEqual([]);
  });
});

test("a log group's deletion protection is seen by who looks", async () => {
  logs.updateGroup(group, { deletionProtection: true });
  const { logGroups } = await logsClient.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: group }));
  expect(logGroups).toMatchObject([{ deletionProtectionEnabled: true }]);
  expect(() => logs.deleteGroup(group)).toThrow(/deletion protection/);
  logs.updateGroup(group, {});
});
