import fc from "fast-check";
import { expect, test } from "vitest";
import { InvalidSchedule, openWindow, parseSchedule, type RotationRules } from "../../schedule.ts";

const hour = 3_600_000;
const day = 24 * hour;
const now = Date.parse("2026-02-03T17:42:24Z");
const history = { setAt: now, fulfilledAt: now };

function windows(rules: RotationRules, count: number): string[] {
  const schedule = parseSchedule(rules);
  const found: string[] = [];
  let after = now;
  for (let i = 0; i < count; i += 1) {
    const { start, end } = schedule.nextWindow(after, { ...history, fulfilledAt: after });
    found.push(`${new Date(start).toISOString().slice(5, 13)}+${(end - start) / hour}h`);
    after = start;
  }
  return found;
}

test.each<[RotationRules, string[]]>([
  [{ AutomaticallyAfterDays: 30 }, ["03-05T00+24h", "04-04T00+24h"]],
  [{ AutomaticallyAfterDays: 2, Duration: "3h" }, ["02-05T00+3h", "02-07T00+3h"]],
  [{ ScheduleExpression: "rate(1 day)" }, ["02-04T00+24h", "02-05T00+24h"]],
  [{ ScheduleExpression: "rate(10 days)" }, ["02-13T00+24h", "02-23T00+24h"]],
  [{ ScheduleExpression: "rate(4 hours)" }, ["02-03T20+1h", "02-04T00+1h"]],
  [{ ScheduleExpression: "rate(10 hours)" }, ["02-03T20+1h", "02-04T06+1h", "02-04T16+1h"]],
  [{ ScheduleExpression: "rate(12 hours)", Duration: "12h" }, ["02-04T00+12h", "02-04T12+12h"]],
  [{ ScheduleExpression: "cron(0 8 * * ? *)" }, ["02-04T08+16h", "02-05T08+16h"]],
  [{ ScheduleExpression: "cron(0 8 * * ? *)", Duration: "4h" }, ["02-04T08+4h", "02-05T08+4h"]],
  [{ ScheduleExpression: "cron(0 2/10 * * ? *)" }, ["02-03T22+1h", "02-04T02+1h", "02-04T12+1h", "02-04T22+1h"]],
  [{ ScheduleExpression: "cron(0 0 ? * SUN *)" }, ["02-08T00+24h", "02-15T00+24h"]],
  [{ ScheduleExpression: "cron(0 0 ? * 1 *)" }, ["02-08T00+24h"]],
  [{ ScheduleExpression: "cron(0 0 ? * MON-FRI *)" }, ["02-04T00+24h", "02-05T00+24h", "02-06T00+24h", "02-09T00+24h"]],
  [{ ScheduleExpression: "cron(0 0 ? * 2#1 *)" }, ["03-02T00+24h", "04-06T00+24h"]],
  [{ ScheduleExpression: "cron(0 0 ? * 6L *)" }, ["02-27T00+24h", "03-27T00+24h"]],
  [{ ScheduleExpression: "cron(0 0 L * ? *)" }, ["02-28T00+24h", "03-31T00+24h"]],
  [{ ScheduleExpression: "cron(0 0 1 1/3 ? *)" }, ["04-01T00+24h", "07-01T00+24h"]],
  [{ ScheduleExpression: "cron(0 /12 * * ? *)" }, ["02-04T00+1h", "02-04T12+1h"]],
  [{ ScheduleExpression: "cron(0 0 SUNL * ? *)" }, ["02-22T00+24h", "03-29T00+24h"]],
  [{ ScheduleExpression: "cron(0 0 29 2 ? *)" }, ["02-29T00+24h"]],
  [{ ScheduleExpression: "cron(0 0 1,15 * ? *)" }, ["02-15T00+24h", "03-01T00+24h"]],
])("windows of %j", (rules, expected) => {
  expect(windows(rules, expected.length)).toEqual(expected);
});

test.each<[string, RotationRules, RegExp]>([
  ["neither", {}, /either AutomaticallyAfterDays or ScheduleExpression/],
  [
    "both",
    { AutomaticallyAfterDays: 1, ScheduleExpression: "rate(1 day)" },
    /cannot specify both rotation frequency and schedule expression/,
  ],
  ["no days", { AutomaticallyAfterDays: 0 }, /from 1 to 1000, not 0/],
  ["too many days", { AutomaticallyAfterDays: 1001 }, /from 1 to 1000, not 1001/],
  ["half a day", { AutomaticallyAfterDays: 1.5 }, /whole number/],
  ["no kind", { ScheduleExpression: "every day" }, /must be rate\(…\) or cron\(…\), not "every day"/],
  ["minutes", { ScheduleExpression: "rate(90 minutes)" }, /hour, hours, day or days/],
  ["nothing", { ScheduleExpression: "rate(0 days)" }, /hour, hours, day or days/],
  ["too often", { ScheduleExpression: "rate(3 hours)" }, /every 4 hours/],
  ["cron too often", { ScheduleExpression: "cron(0 0/2 * * ? *)" }, /every 4 hours/],
  ["five fields", { ScheduleExpression: "cron(0 8 * * ?)" }, /must have six fields/],
  ["a minute", { ScheduleExpression: "cron(5 8 * * ? *)" }, /minutes of .* must be 0/],
  ["a year", { ScheduleExpression: "cron(0 8 * * ? 2026)" }, /year of .* must be \*/],
  ["both days", { ScheduleExpression: "cron(0 8 * * * *)" }, /Exactly one of day of month and day of week/],
  ["no day", { ScheduleExpression: "cron(0 8 ? * ? *)" }, /Exactly one of day of month and day of week/],
  ["every hour", { ScheduleExpression: "cron(0 * * * ? *)" }, /"\*" is no hours: it must be an hour or an increment/],
  ["hour 25", { ScheduleExpression: "cron(0 25 * * ? *)" }, /"25" is no hours/],
  ["two hours", { ScheduleExpression: "cron(0 8,20 * * ? *)" }, /"8,20" is no hours/],
  ["a nearest weekday", { ScheduleExpression: "cron(0 8 15W * ? *)" }, /"15W" is no day of month/],
  ["1000 days", { ScheduleExpression: "rate(1000 days)" }, /999 days/],
  ["as many hours", { ScheduleExpression: "rate(23977 hours)" }, /999 days/],
  ["month 13", { ScheduleExpression: "cron(0 8 1 13 ? *)" }, /"13" is no month/],
  ["30 February", { ScheduleExpression: "cron(0 8 30 2 ? *)" }, /never comes/],
  ["a bare duration", { AutomaticallyAfterDays: 1, Duration: "3" }, /Duration must be 1h to 24h/],
  ["no duration", { AutomaticallyAfterDays: 1, Duration: "0h" }, /Duration must be 1h to 24h/],
  ["more than a day", { AutomaticallyAfterDays: 2, Duration: "25h" }, /Duration must be 1h to 24h/],
  ["into the next window", { ScheduleExpression: "rate(4 hours)", Duration: "5h" }, /into the next window/],
  ["cron into the next day", { ScheduleExpression: "cron(0 22 * * ? *)", Duration: "3h" }, /into the next UTC day/],
])("a schedule with %s is refused", (_, rules, message) => {
  expect(() => parseSchedule(rules)).toThrow(InvalidSchedule);
  expect(() => parseSchedule(rules)).toThrow(message);
});

const rules = fc.oneof(
  fc.integer({ min: 1, max: 1000 }).map((days): RotationRules => ({ AutomaticallyAfterDays: days })),
  fc.integer({ min: 4, max: 400 }).map((hours): RotationRules => ({ ScheduleExpression: `rate(${hours} hours)` })),
  fc.integer({ min: 0, max: 23 }).map((at): RotationRules => ({ ScheduleExpression: `cron(0 ${at} * * ? *)` })),
);
const time = fc.integer({ min: 0, max: 400 * day }).map((ms) => now + ms);

test("windows start after the given time on a full hour, in order, without overlap", () => {
  fc.assert(
    fc.property(rules, time, (anyRules, after) => {
      const schedule = parseSchedule(anyRules);
      const first = schedule.nextWindow(after, history);
      const second = schedule.nextWindow(first.start, history);
      expect(first.start).toBeGreaterThan(after);
      expect(first.start % hour).toBe(0);
      expect(first.end).toBeGreaterThan(first.start);
      expect(second.start).toBeGreaterThanOrEqual(first.end);
      expect(second.start - first.start).toBeGreaterThanOrEqual(4 * hour);
    }),
  );
});

test("a window is open from its start until before its end", () => {
  fc.assert(
    fc.property(rules, time, (anyRules, after) => {
      const schedule = parseSchedule(anyRules);
      const window = schedule.nextWindow(after, history);
      expect(openWindow(schedule, window.start, history)).toEqual(window);
      expect(openWindow(schedule, window.end - 1, history)).toEqual(window);
      expect(openWindow(schedule, window.end, history)).not.toEqual(window);
    }),
  );
});
