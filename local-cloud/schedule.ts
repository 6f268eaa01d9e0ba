import { type CalendarDay, type Cron, InvalidCron, parseCron } from "./cron.ts";

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

/** The window that is open at `time`, if one is. */
export function openWindow(schedule: Schedule, time: number, history: ScheduleHistory): RotationWindow | undefined {
  // No window is longer than a day.
  let window = schedule.nextWindow(time - day, history);
  while (window.end <= time) window = schedule.nextWindow(window.start, history);
  return window.start <= time ? window : undefined;
}

/**
 * Reads RotationRules as AWS documents them, or refuses them as AWS does. Days are 1 to 1000 as AutomaticallyAfterDays, 1 to
 * 999 as rate(n days); hours 4 to 999 days' worth. A window is as long as Duration, 1 to 24 hours; without it, an hour where the schedule
 * comes several times a day, and otherwise the rest of the UTC day. It may not reach into the next window nor, unless the schedule is a
 * rate in hours, into the next UTC day.
 */
export function parseSchedule({ AutomaticallyAfterDays: days, ScheduleExpression, Duration }: RotationRules): Schedule {
  if ((days === undefined) === (ScheduleExpression === undefined)) {
    throw new InvalidSchedule(
      days === undefined
        ? "RotationRules must have either AutomaticallyAfterDays or ScheduleExpression."
        : "You cannot specify both rotation frequency and schedule expression together.",
    );
  }
  const duration = durationOf(Duration);
  if (days !== undefined) {
    if (Number.isInteger(days) && days >= 1 && days <= 1000) return inDays(days, duration);
    throw new InvalidSchedule(`AutomaticallyAfterDays must be a whole number from 1 to 1000, not ${days}.`);
  }
  const expression = ScheduleExpression ?? "";
  if (!expression.endsWith(")") || !/^(rate|cron)\(/.test(expression)) {
    throw new InvalidSchedule(`ScheduleExpression must be rate(…) or cron(…), not "${expression}".`);
  }
  const body = expression.slice("rate(".length, -1);
  return expression.startsWith("rate") ? byRate(body, duration) : byCalendar(body, duration);
}

function durationOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const hours = /^\d{1,2}h$/.test(text) ? Number.parseInt(text, 10) : 0;
  if (hours < 1 || hours > 24) throw new InvalidSchedule(`Duration must be 1h to 24h, not "${text}".`);
  return hours * hour;
}

function byRate(body: string, duration: number | undefined): Schedule {
  const words = body.split(" ");
  const count = /^\d+$/.test(words[0] ?? "") ? Number(words[0]) : 0;
  const unit = words.length === 2 ? words[1] : undefined;
  const known = unit === "hour" || unit === "hours" || unit === "day" || unit === "days";
  if (!known || count < 1) {
    throw new InvalidSchedule(`rate(…) must be a number and hour, hours, day or days, not "rate(${body})".`);
  }
  const gap = count * (unit.startsWith("day") ? day : hour);
  if (gap > 999 * day) throw new InvalidSchedule(`rate(${body}) is too seldom: 999 days is the longest.`);
  if (gap < 4 * hour) throw tooOften(`rate(${body})`);
  return unit.startsWith("day") ? inDays(count, duration) : inHours(gap, duration);
}

/** Counted from the day of the last rotation, at midnight. */
function inDays(days: number, duration = day): Schedule {
  return {
    nextWindow(after, { fulfilledAt }) {
      let start = midnight(fulfilledAt) + days * day;
      if (start <= after) start += Math.floor((after - start) / (days * day) + 1) * days * day;
      return { start, end: start + duration };
    },
  };
}

/** Counted from the midnight before the schedule was set; AWS says no more than that windows start at midnight. */
function inHours(gap: number, duration = hour): Schedule {
  if (duration > gap) throw reachesInto("the next window");
  return {
    nextWindow(after, { setAt }) {
      const sinceBeat = modulo(after - midnight(setAt), gap);
      const start = after - sinceBeat + gap;
      return { start, end: start + duration };
    },
  };
}

function byCalendar(body: string, given: number | undefined): Schedule {
  const cron = readCron(body);
  const { hours } = cron;
  const [firstHour = 0, lastHour = 0] = [hours[0], hours.at(-1)];
  const gaps = hours.slice(1).map((each, index) => each - (hours[index] ?? 0));
  if (hours.length > 1 && hasNeighbours(cron)) gaps.push(firstHour + 24 - lastHour);
  const shortest = Math.min(...gaps) * hour;
  if (shortest < 4 * hour) throw tooOften(`cron(${body})`);
  if (given !== undefined && given > shortest) throw reachesInto("the next window");
  if (given !== undefined && lastHour * hour + given > day) throw reachesInto("the next UTC day");
  return {
    nextWindow(after) {
      for (let date = midnight(after); ; date += day) {
        if (!cron.comesOn(calendarDay(date))) continue;
        const next = hours.find((each) => date + each * hour > after);
        if (next === undefined) continue;
        const start = date + next * hour;
        const end = given === undefined ? (hours.length > 1 ? start + hour : date + day) : start + given;
        return { start, end };
      }
    },
  };
}

function readCron(body: string): Cron {
  try {
    return parseCron(body);
  } catch (error) {
    if (error instanceof InvalidCron) throw new InvalidSchedule(error.message);
    throw error;
  }
}

/** Whether it ever comes on two days in a row. The calendar repeats its weekdays and leap years after 28 years. */
function hasNeighbours(cron: Cron): boolean {
  const from = Date.UTC(2026, 0, 1);
  for (let date = from, before = false; date < from + 28 * 366 * day; date += day) {
    const comes = cron.comesOn(calendarDay(date));
    if (comes && before) return true;
    before = comes;
  }
  return false;
}

function calendarDay(time: number): CalendarDay {
  const date = new Date(time);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return {
    month: month + 1,
    date: date.getUTCDate(),
    weekday: date.getUTCDay() + 1,
    daysInMonth: new Date(Date.UTC(year, month + 1, 0)).getUTCDate(),
  };
}

function midnight(time: number): number {
  return time - modulo(time, day);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

function tooOften(expression: string): InvalidSchedule {
  return new InvalidSchedule(`${expression} is too often: a secret can be rotated every 4 hours.`);
}

function reachesInto(what: string): InvalidSchedule {
  return new InvalidSchedule(`Duration must not let the window reach into ${what}.`);
}
