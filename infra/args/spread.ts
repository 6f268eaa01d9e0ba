import { createHash } from "node:crypto";

/** What every month has. */
const daysOfMonth = 28;

/** Hours of a UTC day that a window has, from its start to midnight: what is left for rotations that are tried again. */
const leastWindowHours = 4;

/** Its gaps are those of every spread schedule, and its window is the longest: walking through hundreds would take a minute. */
export const widestSpread = "cron(0 0 1 * ? *)";

/**
 * The schedule of a token that has none of its own where schedules are spread: a day of the month, the 1st to the 28th, and an
 * hour. The same name has the same, whatever other tokens there are, so that no `up` moves it.
 *
 * @param windowHours of the token's window; default until the end of the UTC day
 */
export function spreadSchedule(name: string, windowHours = 0): string {
  const digest = createHash("sha256").update(name).digest();
  const day = 1 + (digest.readUInt32BE(0) % daysOfMonth);
  // A window must not reach into the next UTC day.
  const latest = Math.max(0, 24 - Math.max(windowHours, leastWindowHours));
  const hour = digest.readUInt32BE(4) % (latest + 1);
  return `cron(0 ${hour} ${day} * ? *)`;
}
