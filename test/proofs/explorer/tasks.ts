import { crashesAt, type EffectSeen, effectsAfter, troublesAt, withStrike } from "./enumerate.ts";
import { count, countPairs, emptyTally, type Family, type Tally } from "./figures.ts";
import { httpConnection } from "./http-connection.ts";
import { KnownStates, type Rest } from "./known-states.ts";
import { type Outcome, type PlayOptions, play } from "./play.ts";
import { checkOverHttp, checkStruck, checkYears, sampleOf } from "./random.ts";
import { core, varied } from "./scenarios.ts";
import type { Schedule, Strike } from "./schedule.ts";

/**
 * How much is explored. `quick` takes seconds, and is part of the tests; `ci` some minutes, and stops by itself;
 * `full` plays every pair of moves in every scenario, and takes as long as that takes.
 */
export const budgets = ["quick", "ci", "full"] as const;
export type Budget = (typeof budgets)[number];

/** A share of the work of a kind: one of `shares`, by the first strike. */
interface Share {
  scenario: string;
  share: number;
  shares: number;
}

/** A piece of work for one worker. */
export type Task = (
  | ({ kind: "singles"; nth: number } & Share)
  /** Every `nth` schedule with two strikes: crashes or all moves first, crashes or all others second. */
  | ({ kind: "pairs"; family: Family; first: Strikes; second: Strikes; nth: number } & Share)
  | { kind: "random"; seed: number; runs: number }
  /** Random ones with merging and without it, which must find the same. */
  | { kind: "unmerged"; seed: number; runs: number }
  /** Random ones by AWS's SDK and over HTTP. */
  | { kind: "over-http"; seed: number; runs: number }
  | { kind: "years"; seed: number; runs: number }
) & {
  /** Epoch ms at which it is cut short. */
  until?: number;
};

type Strikes = "crashes" | "others" | "all";

/** What a budget comes to. What comes first is played first. */
export function tasksFor(budget: Budget, seed: number): Task[] {
  const everywhere = [...core, ...varied].map(({ name }) => name);
  const inCore = core.map(({ name }) => name);
  const crashes = { kind: "pairs", family: "crashPairs", first: "crashes", second: "crashes" } as const;
  if (budget === "quick") {
    return [
      { kind: "years", seed, runs: 2 },
      { kind: "over-http", seed, runs: 5 },
      { kind: "random", seed, runs: 200 },
      { kind: "unmerged", seed, runs: 30 },
      ...inCore.map((scenario): Task => ({ ...crashes, scenario, share: 0, shares: 4, nth: 20 })),
      ...everywhere.map((scenario): Task => ({ kind: "singles", scenario, share: 0, shares: 1, nth: 80 })),
    ];
  }
  // One piece for each scenario: what is near each other, in one worker, comes to the same states.
  const singles = everywhere.map((scenario): Task => ({ kind: "singles", scenario, share: 0, shares: 1, nth: 1 }));
  const crashPairs = everywhere.map((scenario): Task => ({ ...crashes, scenario, share: 0, shares: 1, nth: 1 }));
  const random = [
    ...times(4, (index): Task => ({ kind: "years", seed: seed + index, runs: 10 })),
    ...times(4, (index): Task => ({ kind: "over-http", seed: seed + index, runs: 50 })),
    ...times(2, (index): Task => ({ kind: "unmerged", seed: seed + index, runs: 500 })),
    ...times(10, (index): Task => ({ kind: "random", seed: seed + index, runs: 1_000 })),
  ];
  const others = (scenario: string, first: Strikes, second: Strikes, shares: number) =>
    times(shares, (share): Task => {
      const family = first === "crashes" ? "crashAndMove" : "pairs";
      return { kind: "pairs", family, first, second, scenario, share, shares, nth: 1 };
    });
  if (budget === "ci") {
    const crashAndMove = inCore.flatMap((scenario) => others(scenario, "crashes", "others", 4));
    const [ones, pairs, more, any] = [singles, crashPairs, crashAndMove, random].map((tasks) => shuffled(tasks, seed));
    return [...(ones ?? []), ...interleaved([pairs ?? [], any ?? []]), ...(more ?? [])];
  }
  return [
    ...singles,
    ...random,
    ...crashPairs,
    ...everywhere.flatMap((scenario) => others(scenario, "crashes", "others", 32)),
    ...everywhere.flatMap((scenario) => others(scenario, "others", "all", 64)),
  ];
}

/** Where the time is up before all is played, it is another part for another seed. */
function shuffled(tasks: readonly Task[], seed: number): Task[] {
  const rank = (index: number) => Math.imul(index + 1, seed | 1) >>> 0;
  return tasks
    .map((task, index) => ({ task, rank: rank(index) }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ task }) => task);
}

/** One of each list after the other, for as long as each lasts: where the time is up, something of each was played. */
function interleaved(lists: readonly (readonly Task[])[]): Task[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return times(longest, (index) => lists.flatMap((list) => list[index] ?? [])).flat();
}

/** Does a piece of work. */
export async function perform(task: Task): Promise<Tally> {
  const tally = emptyTally();
  const isTimeUp = () => task.until !== undefined && Date.now() > task.until;
  const playAs = (family: Family, options?: PlayOptions) => async (schedule: Schedule) => {
    const outcome = await play(schedule, options);
    count(tally, family, outcome);
    return outcome;
  };
  const parts = { tally, isTimeUp };
  switch (task.kind) {
    case "singles":
      await exploreSingles(task, parts);
      break;
    case "pairs":
      await explorePairs(task, parts);
      break;
    case "random":
      await checkStruck(
        task,
        async (schedule) => {
          const { known } = await explored(schedule.scenario);
          return await playAs("random", { known })(schedule);
        },
        isTimeUp,
      );
      break;
    case "unmerged":
      await compareUnmerged(task, parts);
      break;
    case "over-http":
      await checkOverHttp(task, playAs("overHttp", { connect: httpConnection }), isTimeUp);
      break;
    case "years":
      await checkYears(task, playAs("years"), isTimeUp);
  }
  if (isTimeUp()) tally.left[task.kind === "pairs" ? task.family : task.kind] = 1;
  return tally;
}

interface Parts {
  tally: Tally;
  isTimeUp: () => boolean;
}

function strikesAt(effects: readonly EffectSeen[], which: Strikes): Strike[] {
  if (which === "crashes") return crashesAt(effects);
  return which === "others" ? troublesAt(effects) : [...crashesAt(effects), ...troublesAt(effects)];
}

async function exploreSingles(
  { scenario, share, shares, nth }: Share & { nth: number },
  { tally, isTimeUp }: Parts,
): Promise<void> {
  const { known, undisturbed } = await explored(scenario);
  if (share === 0) count(tally, "singles", undisturbed);
  const strikes = strikesAt(undisturbed.effects, "all").filter((_, index) => index % nth === 0);
  for (const strike of shareOf(strikes, share, shares)) {
    if (isTimeUp()) return;
    count(tally, "singles", await play(withStrike(undisturbed.schedule, strike), { known }));
  }
}

/**
 * After each first strike, every second one that falls before the run comes to a state that was reached before: what falls
 * later was played after the one that reached it first. What the first one alone breaks is told there, and not gone on with.
 */
async function explorePairs(
  { scenario, family, first, second, share, shares, nth }: Extract<Task, { kind: "pairs" }>,
  { tally, isTimeUp }: Parts,
): Promise<void> {
  const { known, undisturbed, expandedBy } = await explored(scenario);
  const expanded = expandedBy(`${first} ${second} ${nth}`);
  let number = 0;
  for (const strike of shareOf(strikesAt(undisturbed.effects, first), share, shares)) {
    if (isTimeUp()) return;
    const one = await play(withStrike(undisturbed.schedule, strike), { known, expanded, keep: true });
    if (one.violations.length > 0) continue;
    const seconds = strikesAt(effectsAfter(one.schedule, one.effects), second);
    const merged = one.merged === undefined ? 0 : strikesIn(one.merged, second);
    let played = 0;
    for (const other of seconds) {
      number += 1;
      if (number % nth !== 0) continue;
      if (isTimeUp()) break;
      count(tally, family, await play(withStrike(one.schedule, other), { known, from: one.checkpoints }));
      played += 1;
    }
    countPairs(tally, scenario, { possible: seconds.length + merged, played, merged });
  }
}

/** What this worker knows of a scenario. */
interface Explored {
  known: KnownStates;
  undisturbed: Outcome;
  /** The states after which everything of a kind was tried. */
  expandedBy: (kind: string) => Map<string, Rest>;
}

const exploredBefore = new Map<string, Promise<Explored>>();

/** What was found in one piece of work helps in the next. */
function explored(scenario: string): Promise<Explored> {
  const before = exploredBefore.get(scenario);
  if (before) return before;
  const now = explore(scenario);
  exploredBefore.set(scenario, now);
  return now;
}

/** Plays the scenario by itself: its checkpoints are where the others go on from. */
async function explore(scenario: string): Promise<Explored> {
  const known = new KnownStates();
  const inItself = new Map<string, Rest>();
  const undisturbed = await play({ scenario, strikes: [] }, { known, expanded: inItself, keep: true });
  if (undisturbed.violations.length === 0) known.checkpoints = undisturbed.checkpoints;
  const kinds = new Map<string, Map<string, Rest>>();
  const expandedBy = (kind: string) => {
    const expanded = kinds.get(kind) ?? new Map(inItself);
    kinds.set(kind, expanded);
    return expanded;
  };
  return { known, undisturbed, expandedBy };
}

/** One of `shares` parts that each go together: what is near comes to the same states. */
function shareOf<Item>(items: readonly Item[], share: number, shares: number): readonly Item[] {
  const from = Math.floor((items.length * share) / shares);
  return items.slice(from, Math.floor((items.length * (share + 1)) / shares));
}

/** How many strikes there were to try at so many effects. */
function strikesIn(rest: Rest, which: Strikes): number {
  if (which === "crashes") return rest.crashes;
  return which === "others" ? rest.others : rest.crashes + rest.others;
}

/** Whether a play that merges finds what one that does not finds. */
async function compareUnmerged(
  { seed, runs }: { seed: number; runs: number },
  { tally, isTimeUp }: Parts,
): Promise<void> {
  for (const schedule of sampleOf(seed, runs)) {
    if (isTimeUp()) return;
    const { known } = await explored(schedule.scenario);
    const first = { ...schedule, strikes: schedule.strikes.slice(0, 1) };
    const { checkpoints } = await play(first, { known, expanded: new Map(), keep: true });
    const merged = await play(schedule, { known, from: checkpoints });
    const whole = await play(schedule);
    count(tally, "unmerged", whole);
    if (merged.violations.length > 0 === whole.violations.length > 0) continue;
    whole.violations.push(`merging: it finds ${merged.violations.length} violations with merging`);
    count(tally, "unmerged", whole);
  }
}

function times<Item>(length: number, make: (index: number) => Item): Item[] {
  return Array.from({ length }, (_, index) => make(index));
}
