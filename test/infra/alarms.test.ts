import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AlarmSpec, alarmSpecs } from "../../infra/resources/alarms.ts";
import { dashboardBody } from "../../infra/resources/dashboard.ts";
import { type AlarmDefinition, type AlarmState, type Datapoint, stateAt } from "../../local-cloud/cloudwatch/alarm.ts";
import { alarmNames, metricNames } from "../../src/formats/metrics.ts";
import { all, one } from "../harness/declared.ts";
import { plan } from "../harness/program.ts";
import { stackConfig } from "../harness/stack.ts";

const hour = 3_600_000;
const specs = alarmSpecs(29 * 86_400);
const program = await plan(stackConfig());

function spec(name: string, leastSpareSeconds = 29 * 86_400): AlarmSpec {
  const found = alarmSpecs(leastSpareSeconds).find((one) => one.name === name);
  if (!found) throw new Error(`There is no alarm ${name}.`);
  return found;
}

/** The hours, counted from 1, in which the alarm is in ALARM; `values[n]` is reported in hour n + 1, undefined: nothing. */
function alarmHours(name: string, values: (number | undefined)[]): number[] {
  const { statistic, comparison, threshold, period, breaching, among, missing } = spec(name);
  const alarm: AlarmDefinition = {
    name,
    namespace: "",
    metricName: "",
    dimensions: {},
    statistic,
    comparison,
    threshold,
    periodMs: period * 1_000,
    datapointsToAlarm: breaching,
    evaluationPeriods: among,
    missing,
    actions: [],
  };
  const datapoints = values.flatMap((value, index): Datapoint[] =>
    value === undefined ? [] : [{ at: index * hour + 60_000, value }],
  );
  let state: AlarmState = "OK";
  return values.flatMap((_, index) => {
    state = stateAt(alarm, datapoints, (index + 1) * hour, state);
    return state === "ALARM" ? [index + 1] : [];
  });
}

const hours = (count: number, value: (index: number) => number | undefined) =>
  Array.from({ length: count }, (_, i) => value(i));
const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe("the alarms", () => {
  it("and the dashboard show every metric that the functions emit", () => {
    const watched = specs.flatMap(({ source }) => ("metric" in source ? [source.metric] : []));
    const body = dashboardBody({
      rotation: "r",
      rotatorName: "a",
      reconcilerName: "b",
      region: "us-east-1",
      alarmArns: [],
    });
    for (const metric of Object.values(metricNames)) {
      expect(watched.includes(metric) || body.includes(`"${metric}"`), metric).toBe(true);
    }
  });

  it("stay within what CloudWatch takes: seven days for periods of an hour, one day below", () => {
    for (const { period, among, breaching, name } of specs) {
      expect(period * among, name).toBeLessThanOrEqual(period >= 3_600 ? 604_800 : 86_400);
      expect(breaching, name).toBeLessThanOrEqual(among);
    }
  });

  it("each say what to do and where the runbook says more", () => {
    for (const { name, inputs } of all(program, "MetricAlarm")) {
      const own = name.replace("c2m-token-rotation-", "");
      expect(alarmNames).toContain(own);
      expect(inputs.alarmDescription).toMatch(new RegExp(`\\. docs/runbook\\.md#${own}$`));
      expect(String(inputs.alarmDescription).length).toBeLessThanOrEqual(1_024);
    }
  });

  it("watch this rotation's figures and these functions, and tell the topic of both turns", () => {
    const topic = one(program, "Topic", "-alarms").id;
    for (const { name, inputs } of all(program, "MetricAlarm")) {
      const dimensions = inputs.dimensions as Record<string, string>;
      if (inputs.namespace === "AWS/Lambda")
        expect(dimensions.FunctionName).toMatch(/^c2m-token-rotation-(rotator|reconciler)$/);
      else if (inputs.namespace === "AWS/Logs")
        expect(dimensions, name).toEqual({ LogGroupName: "/aws/lambda/c2m-token-rotation" });
      else expect(dimensions, name).toEqual({ service: "c2m-token-rotation" });
      expect(inputs.alarmActions).toEqual([topic]);
      expect(inputs.okActions).toEqual([topic]);
    }
  });
});

describe("what only the daily run knows in whole", () => {
  const daily = (value: (day: number) => number) =>
    hours(24 * 4, (index) => (index % 24 === 3 && value(Math.floor(index / 24))) || undefined);

  it.each(["orphan-suspected", "unrevocable-token"])(
    "%s: comes with the first daily run that sees it, and stays until one does not",
    (name) => {
      // Seen by the runs of the first two days, in the fourth hour of each; not by the third day's.
      expect(
        alarmHours(
          name,
          daily((day) => (day < 2 ? 1 : 0)),
        ),
      ).toEqual(from(4, 28 + 25));
    },
  );

  it("revocation-backlog: one failed revocation that the next run makes good is no alarm", () => {
    expect(
      alarmHours(
        "revocation-backlog",
        hours(60, (index) => (index === 5 ? 1 : undefined)),
      ),
    ).toEqual([]);
  });

  it("revocation-backlog: is one when two hourly runs see it, or two daily ones", () => {
    expect(
      alarmHours(
        "revocation-backlog",
        hours(8, (index) => (index >= 5 ? 1 : undefined)),
      ),
    ).toEqual([7, 8]);
    expect(
      alarmHours(
        "revocation-backlog",
        daily((day) => (day < 2 ? 1 : 0)),
      )[0],
    ).toBe(28);
  });

  it("current-token-rejected: a token is proven once a day, and its rejection is no less true in between", () => {
    expect(
      alarmHours(
        "current-token-rejected",
        daily((day) => (day < 2 ? 1 : 0)),
      ),
    ).toEqual(from(4, 28 + 25));
  });
});

describe("figures that are sent where there is something to tell", () => {
  // As the reconciler sends them: once an hour while there are some, and then nothing.
  const until = (last: number) => hours(60, (index) => (index >= 5 && index < last ? 1 : undefined));

  it.each([
    ["secrets-not-reconciled", from(8, 21)],
    ["rotation-too-late", from(7, 60)],
    ["revocation-backlog", from(7, 60)],
    ["orphan-suspected", from(6, 45)],
    ["current-token-rejected", from(6, 45)],
    ["revoked-token-alive", from(6, 20)],
  ])(
    "%s: rings while it is found, and ends when no run has found any for as long as it looks back",
    (name, ringing) => {
      expect(alarmHours(name, until(20))).toEqual(ringing);
      expect(
        alarmHours(
          name,
          hours(60, () => undefined),
        ),
      ).toEqual([]);
    },
  );

  it("token-expiry-near: ends a day after the token is a new one", () => {
    const left = hours(60, (index) => (index >= 10 && index < 30 ? (60 - index) * 3_600 : undefined));
    expect(alarmHours("token-expiry-near", left)).toEqual(from(11, 55));
  });

  it("each are no news where they are missing; what AWS counts by itself is where it is missing, too", () => {
    const rings = specs.filter(({ missing }) => missing === "breaching");
    expect(rings.map(({ name }) => name)).toEqual(["reconciler-silent", "log-silent"]);
    for (const { source } of rings) expect(source).not.toHaveProperty("metric");
  });
});

describe.each(["reconciler-silent", "log-silent"])("%s", (name) => {
  it("is told after three hours without a run or a line, and ends with the next", () => {
    const silent = hours(30, (index) => (index < 10 || index === 20 ? 1 : undefined));
    expect(alarmHours(name, silent)).toEqual([...from(13, 20), ...from(24, 30)]);
  });
});

describe("token-expiry-near", () => {
  it("never comes while every rotation is in time, and comes before the token expires", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 90 * 24 * 3_600 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (spare, part) => {
          const { threshold } = spec("token-expiry-near", spare);
          // What is left of a token when its successor comes at the last moment is the spare; before that, more.
          const leftWhenRotated = spare + part * 1_000_000;
          expect(leftWhenRotated).toBeGreaterThan(threshold);
          expect(threshold).toBeGreaterThan(0);
          expect(threshold).toBeLessThanOrEqual(7 * 86_400);
        },
      ),
    );
  });

  it("is set by the token that has the least time to spare", async () => {
    const tokens = JSON.stringify([{ name: "long" }, { name: "short", lifetime: "40 days" }]);
    const { config, secretKeys = [] } = stackConfig();
    const ofTwo = await plan({ config: { ...config, tokens }, secretKeys });
    // 40 days, less 30 of the gap and one of the window, are 9: half of it.
    expect(one(ofTwo, "MetricAlarm", "-token-expiry-near").inputs.threshold).toBe(4.5 * 86_400);
  });
});
