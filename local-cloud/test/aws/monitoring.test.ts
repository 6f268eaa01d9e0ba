import { describe, expect, it } from "vitest";
import { type AlarmDefinition, type AlarmState, stateAt } from "../../cloudwatch/alarm.ts";
import type { CloudEvent } from "../../events/bus.ts";
import { parsePattern } from "../../events/pattern.ts";
import { Topics } from "../../events/topics.ts";
import { Iam } from "../../iam/iam.ts";

const event: CloudEvent = {
  source: "aws.secretsmanager",
  "detail-type": "Secret Label Updated",
  account: "123456789012",
  region: "us-east-1",
  time: "2026-01-01T00:00:00Z",
  resources: ["arn:one", "arn:two"],
  detail: { labelUpdated: "AWSCURRENT", nested: { id: "a" } },
};

describe("an event pattern", () => {
  it.each<[object, boolean]>([
    [{ source: ["aws.secretsmanager"] }, true],
    [{ source: ["aws.ec2", "aws.secretsmanager"] }, true],
    [{ source: ["aws.ec2"] }, false],
    [{ resources: ["arn:two"] }, true],
    [{ resources: ["arn:three"] }, false],
    [{ detail: { labelUpdated: ["AWSCURRENT"], nested: { id: ["a"] } } }, true],
    [{ detail: { nested: { id: ["b"] } } }, false],
    [{ detail: { labelUpdated: { deeper: ["x"] } } }, false],
    [{ detail: { absent: ["x"] } }, false],
  ])("%j", (pattern, fits) => {
    expect(parsePattern(JSON.stringify(pattern))(event)).toBe(fits);
  });

  it.each<[object, boolean]>([
    [{ source: [{ prefix: "aws." }] }, true],
    [{ source: [{ prefix: "aws.ec" }] }, false],
    [{ source: ["aws.ec2", { suffix: "manager" }] }, true],
    [{ source: [{ "equals-ignore-case": "AWS.SecretsManager" }] }, true],
    [{ source: [{ wildcard: "aws.*man*" }] }, true],
    [{ source: [{ "anything-but": ["aws.ec2"] }] }, true],
    [{ source: [{ "anything-but": { prefix: "aws." } }] }, false],
    [{ resources: [{ prefix: "arn:tw" }] }, true],
    [{ detail: { labelUpdated: [{ exists: true }] } }, true],
    [{ detail: { absent: [{ exists: true }] } }, false],
    [{ detail: { absent: [{ exists: false }], labelUpdated: ["AWSCURRENT"] } }, true],
    [{ detail: { absent: [{ "anything-but": ["x"] }] } }, false],
  ])("with filters: %j", (pattern, fits) => {
    expect(parsePattern(JSON.stringify(pattern))(event)).toBe(fits);
  });

  it.each([
    [{ source: [{ numeric: [">", 1] }] }, "Unrecognized match type numeric"],
    [{ source: [{ prefix: "a", suffix: "b" }] }, "Only one key"],
    [{ source: [] }, "Empty arrays"],
    [{}, "Empty objects"],
    [{ source: "aws.ec2" }, '"source" must be an object or an array'],
  ])("that is none, or that the local EventBridge does not know, is refused: %j", (pattern, says) => {
    expect(() => parsePattern(JSON.stringify(pattern))).toThrow(says);
  });
});

describe("a topic", () => {
  const arn = "arn:aws:sns:us-east-1:123456789012:topic";
  const allow = (service: string, condition: object = {}) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Principal: { Service: service },
        Action: "sns:Publish",
        Resource: arn,
        ...condition,
      },
    });
  const topicWith = (policy?: string) => {
    const topics = new Topics("123456789012", new Iam());
    topics.create(arn);
    if (policy !== undefined) topics.setPolicy(arn, policy);
    return topics;
  };

  it("takes messages of the services that its policy names", () => {
    const topics = topicWith(allow("events.amazonaws.com"));
    topics.publish(arn, "events.amazonaws.com", "one");
    topics.publish(arn, "cloudwatch.amazonaws.com", "two");
    expect(topics.published(arn)).toEqual(["one"]);
  });

  it("takes no service's messages without a policy", () => {
    const topics = topicWith();
    topics.publish(arn, "events.amazonaws.com", "one");
    expect(topics.published(arn)).toEqual([]);
  });

  it("takes none of EventBridge's under a condition, whose keys EventBridge does not send", () => {
    const condition = { Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } } };
    const topics = topicWith(allow("events.amazonaws.com", condition));
    topics.publish(arn, "events.amazonaws.com", "one");
    topics.publish(arn, "events.amazonaws.com", "two", { "aws:SourceAccount": "123456789012" });
    expect(topics.published(arn)).toEqual(["two"]);
  });
});

describe("an alarm for two breaching periods of three", () => {
  const minute = 60_000;
  const alarm = (missing: AlarmDefinition["missing"]): AlarmDefinition => ({
    name: "a",
    namespace: "n",
    metricName: "m",
    dimensions: {},
    statistic: "Maximum",
    comparison: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    periodMs: minute,
    datapointsToAlarm: 2,
    evaluationPeriods: 3,
    missing,
    actions: [],
  });
  /** `X` breaches, `0` does not, `-` has no data; oldest first. */
  const state = (periods: string, missing: AlarmDefinition["missing"], before: AlarmState) => {
    const datapoints = [...periods].flatMap((period, index) =>
      period === "-" ? [] : [{ at: index * minute, value: period === "X" ? 1 : 0 }],
    );
    return stateAt(alarm(missing), datapoints, periods.length * minute, before);
  };

  it.each<[string, AlarmState, AlarmState, AlarmState]>([
    // periods, then the state where missing data is breaching, not breaching, or ignored after ALARM.
    ["0XX", "ALARM", "ALARM", "ALARM"],
    ["X0X", "ALARM", "ALARM", "ALARM"],
    ["00X", "OK", "OK", "OK"],
    ["0-X", "ALARM", "OK", "OK"],
    ["--0", "ALARM", "OK", "OK"],
    ["---", "ALARM", "OK", "ALARM"],
    ["--X", "ALARM", "OK", "ALARM"],
  ])("%s", (periods, breaching, notBreaching, ignored) => {
    expect(state(periods, "breaching", "OK")).toBe(breaching);
    expect(state(periods, "notBreaching", "ALARM")).toBe(notBreaching);
    expect(state(periods, "ignore", "ALARM")).toBe(ignored);
  });

  // The tables of the user guide, "configuring how CloudWatch alarms treat missing data": it looks at two periods more
  // than the alarm has. From memory of that page; `before` stands for "retain current state".
  it.each<[of: number, periods: string, ...states: (AlarmState | "before")[]]>([
    // breaching periods of three; then missing, ignored, breaching, not breaching
    [3, "0-X-X", "OK", "OK", "OK", "OK"],
    [3, "----0", "OK", "OK", "OK", "OK"],
    [3, "-----", "INSUFFICIENT_DATA", "before", "ALARM", "OK"],
    [3, "0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"],
    [3, "--X--", "ALARM", "before", "ALARM", "OK"],
    [2, "0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"],
    [2, "00X0X", "ALARM", "ALARM", "ALARM", "ALARM"],
    [2, "0-X--", "OK", "OK", "ALARM", "OK"],
    [2, "----0", "OK", "OK", "ALARM", "OK"],
    [2, "---X-", "ALARM", "before", "ALARM", "OK"],
  ])("looks at two periods more where the knob says so: %i of three, %s", (datapointsToAlarm, periods, ...states) => {
    const datapoints = [...periods].flatMap((period, index) =>
      period === "-" ? [] : [{ at: index * minute, value: period === "X" ? 1 : 0 }],
    );
    for (const before of ["OK", "ALARM"] as const) {
      const found = (["missing", "ignore", "breaching", "notBreaching"] as const).map((missing) =>
        stateAt({ ...alarm(missing), datapointsToAlarm }, datapoints, periods.length * minute, before, 2),
      );
      expect(found).toEqual(states.map((state) => (state === "before" ? before : state)));
    }
  });

  it.each<[AlarmDefinition["statistic"], number]>([
    ["Sum", 6],
    ["Average", 2],
    ["Minimum", 1],
    ["Maximum", 3],
    ["SampleCount", 3],
  ])("compares the %s of a period", (statistic, figure) => {
    const values = [1, 2, 3].map((value) => ({ at: 0, value }));
    const breaches = (comparison: AlarmDefinition["comparison"], threshold: number) => {
      const definition = { ...alarm("notBreaching"), statistic, comparison, threshold };
      return stateAt({ ...definition, datapointsToAlarm: 1, evaluationPeriods: 1 }, values, minute, "OK") === "ALARM";
    };
    expect([figure - 1, figure, figure + 1].map((t) => breaches("GreaterThanThreshold", t))).toEqual([
      true,
      false,
      false,
    ]);
    expect([figure - 1, figure, figure + 1].map((t) => breaches("GreaterThanOrEqualToThreshold", t))).toEqual([
      true,
      true,
      false,
    ]);
    expect([figure - 1, figure, figure + 1].map((t) => breaches("LessThanThreshold", t))).toEqual([false, false, true]);
    expect([figure - 1, figure, figure + 1].map((t) => breaches("LessThanOrEqualToThreshold", t))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it("counts a value that falls on a period's end to the next one", () => {
    expect(stateAt(alarm("notBreaching"), [{ at: 3 * minute, value: 1 }], 3 * minute, "OK")).toBe("OK");
  });
});
