import type { Move } from "./moves.ts";
import type { Outcome } from "./play.ts";
import { scheduleId } from "./schedule.ts";

/** The families of schedules, in the order in which they are told of. */
export const families = {
  singles: "with one move",
  crashPairs: "with two crashes",
  crashAndMove: "with a crash and another move",
  pairs: "with two moves",
  random: "with three random moves",
  years: "over virtual years, random",
  overHttp: "over HTTP with AWS's SDK, random",
  unmerged: "a sample again, without merging",
} as const;

export type Family = keyof typeof families;

/** A schedule that broke the promise. */
export interface Breach {
  /** What `--replay` takes. */
  id: string;
  violations: string[];
}

/** Of the schedules with two moves in a scenario. */
export interface Pairs {
  /** As many as the undisturbed runs and those with one move leave effects to strike at. */
  possible: number;
  played: number;
  /** Not played, since the second move would fall after a state from which others with it were played. */
  merged: number;
}

/** What was explored and what came of it. */
export interface Tally {
  /** Schedules played, of each family. */
  played: Record<Family, number>;
  /** How many of them came to a state from which another one was played to the end. */
  merged: number;
  /** How often each move fell. */
  moves: Partial<Record<Move, number>>;
  /** By scenario. */
  pairs: Record<string, Pairs>;
  /** Requests that were done and log lines that were written; the promise was checked after each. */
  effects: number;
  breaches: Breach[];
  /** Pieces of work that were not done to the end when the time was up, by their kind. */
  left: Record<string, number>;
}

/** Kept at the most; more say nothing new. */
const mostBreaches = 50;

export function emptyTally(): Tally {
  const played = Object.fromEntries(Object.keys(families).map((family) => [family, 0])) as Record<Family, number>;
  return { played, merged: 0, moves: {}, pairs: {}, effects: 0, breaches: [], left: {} };
}

/** Counts an outcome in. */
export function count(tally: Tally, family: Family, { schedule, violations, checks, moves, merged }: Outcome): void {
  tally.played[family] += 1;
  if (merged) tally.merged += 1;
  tally.effects += checks;
  for (const [move, times] of moves) tally.moves[move] = (tally.moves[move] ?? 0) + times;
  if (violations.length === 0) return;
  if (tally.breaches.length < mostBreaches) tally.breaches.push({ id: scheduleId(schedule), violations });
}

/** Counts pairs in. */
export function countPairs(tally: Tally, scenario: string, part: Pairs): void {
  const pairs = tally.pairs[scenario] ?? { possible: 0, played: 0, merged: 0 };
  tally.pairs[scenario] = {
    possible: pairs.possible + part.possible,
    played: pairs.played + part.played,
    merged: pairs.merged + part.merged,
  };
}

/** Counts a tally into another. */
export function add(total: Tally, part: Tally): void {
  for (const family of Object.keys(part.played) as Family[]) total.played[family] += part.played[family];
  for (const [move, times] of Object.entries(part.moves) as [Move, number][]) {
    total.moves[move] = (total.moves[move] ?? 0) + times;
  }
  for (const [scenario, pairs] of Object.entries(part.pairs)) countPairs(total, scenario, pairs);
  total.merged += part.merged;
  total.effects += part.effects;
  for (const [kind, pieces] of Object.entries(part.left)) total.left[kind] = (total.left[kind] ?? 0) + pieces;
  total.breaches = [...total.breaches, ...part.breaches].slice(0, mostBreaches);
}

export function schedulesOf({ played }: Tally): number {
  return Object.values(played).reduce((total, one) => total + one, 0);
}
