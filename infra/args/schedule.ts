import { Cron } from "croner";

/** RotationRules as the API takes them. */
export interface RotationRules {
  AutomaticallyAfterDays?: number | undefined;
  /** `rate(…)` or `cron(…)`, in UTC. */
  ScheduleExpression?: string | undefined;
  /** `3h`. */
  Duration?: string | undefined;
}

/** When a rotation may run: from `start` up to and excluding `end`, epoch ms. */
export interface RotationWindow {
  start: number;
  end: number;
}

/** A rotation schedule that AWS would refuse. The message names the field, the rule and the value. */
export class InvalidSchedule extends Error {
  override readonly name = "InvalidSchedule";
}

/** What a schedule counts from, epoch ms. */
export interface ScheduleHistory {
  /** When the schedule was set. */
  setAt: number;
  /** When a rotation ended or a new current value was stored by hand; `setAt` before that. */
  fulfilledAt: number;
}

/** A parsed rotation schedule. */
export interface Schedule {
  /** The first window that starts after `after`. A schedule in days counts them from the day it was last fulfilled. */
  nextWindow(after: number, history: ScheduleHistory): RotationWindow;
}

const hour = 3_600_000;
const day = 24 * hour;
const minimumGapMs = 4 * hour;
const maximumGapMs = 999 * day;

/** How far apart a schedule's windows are, and how long they are, in ms. */
export interface ScheduleReach {
  /** From the start of a window to the start of the next one. */
  shortestGapMs: number;
  longestGapMs: number;
  longestWindowMs: number;
}

/** A calendar repeats itself, leap years and weekdays, after so long: no expression has a longer gap than one seen by then. */
const calendarCycleMs = 28 * 366 * day;

/** Windows looked at: more than a year of an expression that comes as often as AWS allows. */
const windowsLookedAt = 2_400;

/** The extremes of a schedule, found by walking through its windows. */
export function reachOf(schedule: Schedule): ScheduleReach {
  const from = Date.parse("2026-01-01T00:00:00Z");
  const reach = { shortestGapMs: Number.POSITIVE_INFINITY, longestGapMs: 0, longestWindowMs: 0 };
  let before: RotationWindow | undefined;
  for (let count = 0; count < windowsLookedAt; count += 1) {
    const after = before?.start ?? from;
    const window = schedule.nextWindow(after, { setAt: from, fulfilledAt: after });
    reach.longestWindowMs = Math.max(reach.longestWindowMs, window.end - window.start);
    if (before) {
      reach.shortestGapMs = Math.min(reach.shortestGapMs, window.start - before.start);
      reach.longestGapMs = Math.max(reach.longestGapMs, window.start - before.start);
    }
    if (window.start > from + calendarCycleMs) break;
    before = window;
  }
  return reach;
}

/**
 * Parses and checks RotationRules: AutomaticallyAfterDays (1-1000) or ScheduleExpression (999 days at most, every four hours at most), and
 * Duration (1h to 24h). A window is as long as Duration; without it, one hour where rotations come several times a day, and until the end of
 * the UTC day otherwise. It may not reach into the next window, nor (unless the rate is in hours) into the next UTC day. Source: Secrets
 * Manager user guide, "Schedule expressions in Secrets Manager rotation".
 */
export function parseSchedule(rules: RotationRules): Schedule {
  const { AutomaticallyAfterDays: days, ScheduleExpression: expression } = rules;
  if ((days === undefined) === (expression === undefined)) {
    throw new InvalidSchedule("RotationRules must have either AutomaticallyAfterDays or ScheduleExpression.");
  }
  const duration = parseDuration(rules.Duration);
  if (days !== undefined) {
    if (!Number.isInteger(days) || days < 1 || days > 1000) {
      throw new InvalidSchedule(`AutomaticallyAfterDays must be a whole number from 1 to 1000, not ${days}.`);
    }
    return everyDays(days, duration);
  }
  const [, kind, body] = /^(rate|cron)\((.*)\)$/.exec(expression ?? "") ?? [];
  if (body === undefined) {
    throw new InvalidSchedule(`ScheduleExpression must be rate(…) or cron(…), not "${expression}".`);
  }
  return kind === "rate" ? parseRate(body, duration) : parseCron(body, duration);
}

function parseDuration(duration: string | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const [, hours] = /^(\d{1,2})h$/.exec(duration) ?? [];
  if (!(Number(hours) >= 1 && Number(hours) <= 24)) {
    throw new InvalidSchedule(`Duration must be a number of hours such as 3h, from 1h to 24h, not "${duration}".`);
  }
  return Number(hours) * hour;
}

function parseRate(body: string, duration: number | undefined): Schedule {
  const [, digits, unit] = /^(\d+) (hours?|days?)$/.exec(body) ?? [];
  const count = Number(digits);
  if (unit === undefined || count < 1) {
    throw new InvalidSchedule(`rate(…) must be a number and hour, hours, day or days, not "rate(${body})".`);
  }
  const gap = count * (unit.startsWith("day") ? day : hour);
  if (gap > maximumGapMs) throw new InvalidSchedule(`rate(…) must be at most 999 days, not "rate(${body})".`);
  if (unit.startsWith("day")) return everyDays(count, duration);
  checkGap(gap, `rate(${body})`);
  checkDuration(duration, gap, "the next window");
  // Windows keep the beat from the midnight before the schedule was set, so that gaps are even whatever the rate.
  return {
    nextWindow(after, { setAt }) {
      const midnight = startOfDay(setAt);
      const start = midnight + (Math.floor((after - midnight) / gap) + 1) * gap;
      return { start, end: start + (duration ?? hour) };
    },
  };
}

function everyDays(days: number, duration: number | undefined): Schedule {
  checkDuration(duration, day, "the next UTC day");
  const gap = days * day;
  return {
    nextWindow(after, { fulfilledAt }) {
      const midnight = startOfDay(fulfilledAt);
      const start = midnight + Math.max(1, Math.floor((after - midnight) / gap) + 1) * gap;
      return { start, end: start + (duration ?? day) };
    },
  };
}

const cronFields = ["minutes", "hours", "day of month", "month", "day of week", "year"];

function parseCron(body: string, duration: number | undefined): Schedule {
  const whole = `cron(${body})`;
  const fields = body.trim().split(/\s+/);
  const [minutes = "", hours = "", dayOfMonth = "", month = "", dayOfWeek = "", year = ""] = fields;
  if (fields.length !== 6) {
    throw new InvalidSchedule(`${whole} must have six fields: ${cronFields.join(", ")}.`);
  }
  if (minutes !== "0") throw new InvalidSchedule(`The minutes of ${whole} must be 0.`);
  if (year !== "*") throw new InvalidSchedule(`The year of ${whole} must be *.`);
  if ((dayOfMonth === "?") === (dayOfWeek === "?")) {
    throw new InvalidSchedule(`Exactly one of day of month and day of week of ${whole} must be ?.`);
  }
  if (!hoursForm.test(hours)) {
    throw new InvalidSchedule(`The hours of ${whole} must be an hour from 0 to 23 or an increment such as 0/8.`);
  }
  const datesFit = dateForm.test(dayOfMonth) || lastWeekdayForm.test(dayOfMonth);
  const daysFit = dayOfWeek === "?" ? datesFit : weekdayForm.test(dayOfWeek);
  const cron = daysFit && monthForm.test(month) ? cronOf(hours, dayOfMonth, month, dayOfWeek) : undefined;
  if (!cron) throw new InvalidSchedule(`A field of ${whole} is not what AWS's cron takes.`);
  const nextStart = (after: number) => cron.nextRun(new Date(after))?.getTime();
  const runs = cron.nextRuns(50, new Date("2026-01-01T00:00:00Z")).map((run) => run.getTime());
  if (runs.length === 0) throw new InvalidSchedule(`${whole} never comes.`);
  const gap = Math.min(...runs.slice(1).map((run, index) => run - (runs[index] ?? run)));
  checkGap(gap, whole);
  checkDuration(duration, gap, "the next window");
  const inHours = new Set(runs.map((run) => run - startOfDay(run))).size > 1;
  for (const run of runs) checkDuration(duration, startOfDay(run) + day - run, "the next UTC day");
  return {
    nextWindow(after) {
      const start = nextStart(after) ?? Number.POSITIVE_INFINITY;
      if (duration !== undefined) return { start, end: start + duration };
      return { start, end: inHours ? start + hour : startOfDay(start) + day };
    },
  };
}

// What AWS's table allows in each field; croner takes more (`W`, `?`, seconds).
const numbers = (value: string) => `(\\*|${value}|${value}-${value}|(?=/))(/\\d{1,2})?`;
const listOf = (...items: string[]) => new RegExp(`^(${items.join("|")})(,(${items.join("|")}))*$`, "i");
const hourOfDay = "([01]?\\d|2[0-3])";
const dateOfMonth = "(0?[1-9]|[12]\\d|3[01])";
const month = "(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)";
const weekdayName = "(SUN|MON|TUE|WED|THU|FRI|SAT)";
const weekday = `([1-7]|${weekdayName})`;
const hoursForm = new RegExp(`^(${hourOfDay}|(${hourOfDay}|\\*)?/\\d{1,2})$`);
const dateForm = listOf(numbers(dateOfMonth), "L");
// The guide has the last Sunday of a month, SUNL, among the days of the month, too; croner among the weekdays only.
const lastWeekdayForm = new RegExp(`^${weekdayName}L$`, "i");
const monthForm = listOf(numbers(month));
const weekdayForm = listOf(numbers(weekday), "L", `${weekday}L`, `${weekday}#[1-5]`);

/** Undefined where croner refuses a field. */
function cronOf(hours: string, dayOfMonth: string, month: string, dayOfWeek: string): Cron | undefined {
  const byLastWeekday = lastWeekdayForm.test(dayOfMonth);
  const date = byLastWeekday ? "*" : dayOfMonth;
  const weekdays = byLastWeekday ? dayOfMonth : dayOfWeek.replace(/(^|,)L(?=,|$)/gi, "$17");
  try {
    // AWS counts weekdays from Sunday = 1 and writes increments as start/step.
    const fields = [hours, date, month, weekdays].map((field) => field.replace(/(^|,)\//g, "$1*/"));
    return new Cron(`0 0 ${fields.join(" ")}`, {
      timezone: "UTC",
      paused: true,
      mode: "6-part",
      alternativeWeekdays: true,
      sloppyRanges: true,
    });
  } catch {
    return undefined;
  }
}

function checkGap(gap: number, expression: string): void {
  if (gap < minimumGapMs) {
    throw new InvalidSchedule(
      `${expression} is too often: a secret can be rotated every ${minimumGapMs / hour} hours.`,
    );
  }
}

function checkDuration(duration: number | undefined, room: number, into: string): void {
  if (duration !== undefined && duration > room) {
    throw new InvalidSchedule(`Duration must not let the window reach into ${into}.`);
  }
}

function startOfDay(time: number): number {
  return Math.floor(time / day) * day;
}
