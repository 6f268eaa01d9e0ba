import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as product from "../../infra/args/schedule.ts";
import * as judge from "../../local-cloud/schedule.ts";

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.parse("2026-01-01T00:00:00Z");

/** The windows of a schedule from a time on, or undefined where it is refused. */
function windowsBy(
  { parseSchedule, InvalidSchedule }: typeof product | typeof judge,
  rules: judge.RotationRules,
  { from, sinceSet, sinceRotated }: { from: number; sinceSet: number; sinceRotated: number },
): judge.RotationWindow[] | undefined {
  try {
    const schedule = parseSchedule(rules);
    const history = { setAt: from - sinceSet, fulfilledAt: from - sinceRotated };
    const windows: judge.RotationWindow[] = [];
    for (let after = from; windows.length < 6; after = windows.at(-1)?.start ?? after) {
      windows.push(schedule.nextWindow(after, history));
    }
    return windows;
  } catch (error) {
    if (error instanceof InvalidSchedule) return undefined;
    throw error;
  }
}

const names = (list: string) => fc.constantFrom(...list.split(" "));
const numberUpTo = (most: number) => fc.integer({ min: 0, max: most }).map(String);
const dates = numberUpTo(33);
const months = fc.oneof(
  { weight: 3, arbitrary: numberUpTo(13) },
  names("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"),
);
const weekdays = fc.oneof(numberUpTo(8), names("SUN MON TUE WED THU FRI SAT Sun"));

/** A field's item in every form that the guide knows, and some that it does not. */
const itemOf = (value: fc.Arbitrary<string>, ...more: fc.Arbitrary<string>[]) =>
  fc.oneof(
    { weight: 4, arbitrary: value },
    fc.tuple(value, value).map(([from, to]) => `${from}-${to}`),
    fc.tuple(value, numberUpTo(12)).map(([from, step]) => `${from}/${step}`),
    fc.tuple(value, value, numberUpTo(9)).map(([from, to, step]) => `${from}-${to}/${step}`),
    numberUpTo(12).map((step) => `*/${step}`),
    numberUpTo(12).map((step) => `/${step}`),
    fc.constant("*"),
    ...more,
  );
const fieldOf = (item: fc.Arbitrary<string>) =>
  fc.array(item, { minLength: 1, maxLength: 3, size: "max" }).map((items) => items.join(","));

const cron = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.constant("0") }, fc.constant("5")),
    fc.oneof({ weight: 6, arbitrary: numberUpTo(24) }, itemOf(numberUpTo(24))),
    fc.oneof(
      fc
        .oneof({ weight: 9, arbitrary: fieldOf(itemOf(dates, names("L 1L 15W LW ? L-3 SUNL"))) }, names("SUNL monL"))
        .map((date) => [date, "?"]),
      fieldOf(itemOf(weekdays, names("L 6L FRIL SUN#1 2#5 2#6 ? 3W"))).map((weekday) => ["?", weekday]),
      fc.constant(["*", "*"]),
    ),
    fc.oneof(fc.constant("*"), fieldOf(itemOf(months, fc.constant("?")))),
    fc.oneof({ weight: 9, arbitrary: fc.constant("*") }, fc.constant("2026")),
  )
  .map(
    ([minutes, hours, [date, weekday], month, year]) => `cron(${minutes} ${hours} ${date} ${month} ${weekday} ${year})`,
  );
const rate = fc
  .tuple(fc.oneof(fc.nat(30), fc.nat(30_000)), names("hour hours day days minutes"))
  .map(([count, unit]) => `rate(${count} ${unit})`);

const Duration = fc.option(
  fc.integer({ min: 0, max: 26 }).map((hours) => `${hours}h`),
  { nil: undefined },
);
const rules: fc.Arbitrary<judge.RotationRules> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ ScheduleExpression: cron, Duration }) },
  { weight: 3, arbitrary: fc.record({ ScheduleExpression: rate, Duration }) },
  fc.record({ AutomaticallyAfterDays: fc.integer({ min: -1, max: 1_002 }), Duration }),
);
const moment = fc.record({
  from: fc.nat(5 * 366 * 24 * 60).map((minutes) => start + minutes * 60_000),
  sinceSet: fc.nat(400 * day),
  sinceRotated: fc.nat(400 * day),
});

describe("the product's schedule and the judge's, which share no code,", () => {
  test("have the same windows, and refuse the same", () => {
    let accepted = 0;
    fc.assert(
      fc.property(rules, moment, (anyRules, anyMoment) => {
        const windows = windowsBy(product, anyRules, anyMoment);
        expect(windows).toEqual(windowsBy(judge, anyRules, anyMoment));
        if (windows) accepted += 1;
      }),
      { numRuns: 1_500 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test("agree on every example of the user guide", () => {
    const examples = [
      "rate(4 hours)",
      "rate(1 day)",
      "rate(999 days)",
      "cron(0 /8 * * ? *)",
      "cron(0 8/8 * * ? *)",
      "cron(0 2/10 * * ? *)",
      "cron(0 10 * * ? *)",
      "cron(0 18 ? * SAT *)",
      "cron(0 8 1 * ? *)",
      "cron(0 1 ? 1/3 SUN#1 *)",
      "cron(0 17 L * ? *)",
      "cron(0 8 ? * MON-FRI *)",
      "cron(0 16 1,15 * ? *)",
      "cron(0 0 ? 1/11 2#1 *)",
      "cron(0 0 SUNL * ? *)",
      "cron(0 0 ? * L *)",
      "cron(0 0 1/2 JAN,APR,JUL,OCT ? *)",
    ];
    const moment = { from: start, sinceSet: hour, sinceRotated: hour };
    for (const ScheduleExpression of examples) {
      const windows = windowsBy(product, { ScheduleExpression }, moment);
      expect(windows, ScheduleExpression).toHaveLength(6);
      expect(windowsBy(judge, { ScheduleExpression }, moment), ScheduleExpression).toEqual(windows);
    }
  });
});
