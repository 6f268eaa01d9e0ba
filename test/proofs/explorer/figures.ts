import type { Outcome } from "./play.ts";
import { scheduleId } from "./schedule.ts";

/** The families of schedules, in the order in which they are told of. */
export const families = {
  oneCrash: "with one crash",
  oneOther: "with one fault, operator or other intrusion",
  twoCrashes: "with two crashes",
  crashThenReconcile: "with a crash, and the reconciler inside what follows",
  random: "with three random strikes",
  years: "over virtual years, random",
  overHttp: "over HTTP with AWS's SDK, random",
} as const;

export type Family = keyof typeof families;

/** A schedule that broke the promise. */
export interface Breach {
  /** What `--replay` takes. */
  id: string;
  violations: string[];
}

/** What was explored and what came of it. */
export interface Tally {
  /** Schedules played, of each family. */
  played: Record<Family, number>;
  /** Requests that were done and log lines that were written; the promise was checked after each. */
  effects: number;
  breaches: Breach[];
}

/** Kept at the most; more say nothing new. */
const mostBreaches = 50;

export function emptyTally(): Tally {
  const played = { oneCrash: 0, oneOther: 0, twoCrashes: 0, crashThenReconcile: 0, random: 0, years: 0, overHttp: 0 };
  return { played, effects: 0, breaches: [] };
}

/** Counts an outcome in. */
export function count(tally: Tally, family: Family, { schedule, violations, checks }: Outcome): void {
  tally.played[family] += 1;
  tally.effects += checks;
  if (violations.length === 0 || tally.breaches.length >= mostBreaches) return;
  tally.breaches.push({ id: scheduleId(schedule), violations });
}

/** Counts a tally into another. */
export function add(total: Tally, part: Tally): void {
  for (const family of Object.keys(part.played) as Family[]) total.played[family] += part.played[family];
  total.effects += part.effects;
  total.breaches = [...total.breaches, ...part.breaches].slice(0, mostBreaches);
}

export function schedulesOf({ played }: Tally): number {
  return Object.values(played).reduce((total, one) => total + one, 0);
}
