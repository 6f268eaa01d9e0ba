/**
 * Secrets Manager's cron(…), read field by field from its user guide ("Schedule expressions in Secrets Manager
 * rotation"): minutes 0, hours as a number or an increment, then days, and `*` for the year.
 */

/** A day of the calendar, in UTC. */
export interface CalendarDay {
  /** 1 to 12. */
  month: number;
  /** 1 to 31. */
  date: number;
  /** Sunday is 1, as AWS counts. */
  weekday: number;
  daysInMonth: number;
}

export interface Cron {
  /** The hours at which it comes on each of its days, in order. */
  hours: number[];
  comesOn(day: CalendarDay): boolean;
}

/** An expression that AWS would refuse; the message is a whole sentence. */
export class InvalidCron extends Error {
  override readonly name = "InvalidCron";
}

interface Field {
  label: string;
  first: number;
  last: number;
  /** What may stand for a number, from `first` on. */
  names: string[];
}

type DayTest = (day: CalendarDay) => boolean;

const hoursField: Field = { label: "hours", first: 0, last: 23, names: [] };
const dateField: Field = { label: "day of month", first: 1, last: 31, names: [] };
const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const monthField: Field = { label: "month", first: 1, last: 12, names: months };
const weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const weekdayField: Field = { label: "day of week", first: 1, last: 7, names: weekdays };

const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** @throws InvalidCron */
export function parseCron(body: string): Cron {
  const whole = `cron(${body})`;
  const fields = body.trim().toUpperCase().split(/\s+/);
  const [minutes = "", hours = "", date = "", month = "", weekday = "", year = ""] = fields;
  if (fields.length !== 6) {
    throw new InvalidCron(`${whole} must have six fields: minutes, hours, day of month, month, day of week, year.`);
  }
  if (minutes !== "0") throw new InvalidCron(`The minutes of ${whole} must be 0.`);
  if (year !== "*") throw new InvalidCron(`The year of ${whole} must be *.`);
  if ((date === "?") === (weekday === "?")) {
    throw new InvalidCron(`Exactly one of day of month and day of week of ${whole} must be ?.`);
  }
  // The only field without `,` and `-`, and without a bare `*`: that would be every hour.
  if (/[,-]/.test(hours) || hours === "*") throw refusal(hoursField, hours);
  // The guide has the last Sunday of the month, SUNL, among the days of the month.
  const lastWeekday = weekdays.some((name) => date === `${name}L`);
  const comesOnDate =
    weekday !== "?" || lastWeekday ? anyOf(lastWeekday ? date : weekday, weekdayTest) : anyOf(date, dateTest);
  const inMonths = new Set(month.split(",").flatMap((item) => numbersOf(item, monthField)));
  const cron: Cron = {
    hours: numbersOf(hours, hoursField),
    comesOn: (day) => inMonths.has(day.month) && comesOnDate(day),
  };
  if (weekday === "?" && !lastWeekday && !comesEver(cron, [...inMonths]))
    throw new InvalidCron(`${whole} never comes.`);
  return cron;
}

/** Whether one of its dates is in one of its months, February having 29 days. What goes by weekdays always comes. */
function comesEver(cron: Cron, inMonths: number[]): boolean {
  return inMonths.some((month) => {
    const daysInMonth = longestMonths[month - 1] ?? 0;
    const dates = Array.from({ length: daysInMonth }, (_, index) => index + 1);
    return dates.some((date) => cron.comesOn({ month, date, weekday: weekdayField.first, daysInMonth }));
  });
}

function anyOf(field: string, testOf: (item: string) => DayTest): DayTest {
  const tests = field.split(",").map(testOf);
  return (day) => tests.some((test) => test(day));
}

function dateTest(item: string): DayTest {
  if (item === "L") return ({ date, daysInMonth }) => date === daysInMonth;
  const dates = new Set(numbersOf(item, dateField));
  return ({ date }) => dates.has(date);
}

function weekdayTest(item: string): DayTest {
  const [, weekdayText = "", suffix = "", countText] = /^(\w+?)(L|#([1-5]))$/.exec(item) ?? [];
  if (suffix !== "") {
    const weekday = numberIn(weekdayText, weekdayField);
    if (suffix === "L") return (day) => day.weekday === weekday && day.date > day.daysInMonth - 7;
    return (day) => day.weekday === weekday && Math.ceil(day.date / 7) === Number(countText);
  }
  const wanted = new Set(item === "L" ? [weekdayField.last] : numbersOf(item, weekdayField));
  return ({ weekday }) => wanted.has(weekday);
}

/** `*`, `3`, `3-5`, `3/2`, `3-9/2`, `/2` and the same with names. */
function numbersOf(item: string, field: Field): number[] {
  const [, start = "", end, step] = /^(\*|\w*)(?:-(\w+))?(?:\/(\d{1,2}))?$/.exec(item) ?? [];
  const everything = start === "*" || (start === "" && step !== undefined);
  if ((start === "" && !everything) || (everything && end !== undefined)) throw refusal(field, item);
  const from = everything ? field.first : numberIn(start, field);
  const single = !everything && step === undefined ? from : field.last;
  const to = end === undefined ? single : numberIn(end, field);
  const by = Number(step ?? 1);
  if (from > to || by < 1 || by > field.last) throw refusal(field, item);
  const numbers: number[] = [];
  for (let number = from; number <= to; number += by) numbers.push(number);
  return numbers;
}

function numberIn(text: string, field: Field): number {
  const named = field.names.indexOf(text);
  const number = /^\d{1,2}$/.test(text) ? Number(text) : named < 0 ? Number.NaN : named + field.first;
  if (!(number >= field.first && number <= field.last)) throw refusal(field, text);
  return number;
}

function refusal(field: Field, text: string): InvalidCron {
  const names = field.names.length > 0 ? ` or ${field.names[0]} to ${field.names.at(-1)}` : "";
  const kind = field === hoursField ? "an hour or an increment such as 0/8, of" : "made of";
  return new InvalidCron(`"${text}" is no ${field.label}: it must be ${kind} ${field.first} to ${field.last}${names}.`);
}
