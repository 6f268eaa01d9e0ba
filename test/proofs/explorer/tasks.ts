import { crashesAt, effectsAfter, requestsIn, troublesAt, withStrike } from "./enumerate.ts";
import { count, emptyTally, type Family, type Tally } from "./figures.ts";
import { httpConnection } from "./http-connection.ts";
import { type Outcome, type PlayOptions, play } from "./play.ts";
import { checkOverHttp, checkStruck, checkYears } from "./random.ts";
import { core, varied } from "./scenarios.ts";
import type { Schedule } from "./schedule.ts";

/** How much is explored. `quick` takes seconds, and is part of the tests; `full` takes minutes. */
export type Budget = "quick" | "full";

/** A piece of work for one worker. */
export type Task =
  /** Every `nth` schedule with one crash. */
  | { kind: "one-crash"; scenario: string; nth: number }
  /** Every schedule with one other strike. */
  | { kind: "one-other"; scenario: string }
  /** Every `nth` schedule with two crashes, whose first is number `share` of every `shares`. */
  | { kind: "two-crashes"; scenario: string; share: number; shares: number; nth: number }
  /** Every schedule with a crash and then a whole run of the reconciler between two requests of what follows. */
  | { kind: "crash-then-reconcile"; scenario: string; share: number; shares: number }
  | { kind: "random"; seed: number; runs: number }
  /** Random ones by AWS's SDK and over HTTP. */
  | { kind: "over-http"; seed: number; runs: number }
  | { kind: "years"; seed: number; runs: number };

/** Where a step can meet a reconciler that takes it for over: late retries, and no grace to hide behind. */
const closeScenarios = ["stale-retry", "no-grace"];

/** What a budget comes to. */
export function tasksFor(budget: Budget, seed: number): Task[] {
  const everywhere = [...core, ...varied].map(({ name }) => name);
  const inCore = core.map(({ name }) => name);
  if (budget === "quick") {
    return [
      { kind: "years", seed, runs: 3 },
      { kind: "over-http", seed, runs: 5 },
      { kind: "random", seed, runs: 300 },
      ...inCore.map((scenario): Task => ({ kind: "two-crashes", scenario, share: 0, shares: 1, nth: 100 })),
      ...everywhere.map((scenario): Task => ({ kind: "one-crash", scenario, nth: inCore.includes(scenario) ? 1 : 3 })),
    ];
  }
  const overHttp = times(20, (index): Task => ({ kind: "over-http", seed: seed + index, runs: 50 }));
  const onEngines = [
    ...times(10, (index): Task => ({ kind: "years", seed: seed + index, runs: 10 })),
    ...inCore.flatMap((scenario) =>
      times(8, (share): Task => ({ kind: "two-crashes", scenario, share, shares: 8, nth: 1 })),
    ),
    ...closeScenarios.flatMap((scenario) =>
      times(4, (share): Task => ({ kind: "crash-then-reconcile", scenario, share, shares: 4 })),
    ),
    ...everywhere.map((scenario): Task => ({ kind: "one-other", scenario })),
    ...times(20, (index): Task => ({ kind: "random", seed: seed + index, runs: 1_000 })),
    ...everywhere.map((scenario): Task => ({ kind: "one-crash", scenario, nth: 1 })),
  ];
  return spread(onEngines, overHttp);
}

/** Puts some tasks among others: those over HTTP wait most of the time, for AWS's SDK to try again. */
function spread(tasks: readonly Task[], among: readonly Task[]): Task[] {
  const every = Math.max(1, Math.floor(tasks.length / among.length));
  return tasks.flatMap((task, index) => {
    const other = index % every === 0 ? among[index / every] : undefined;
    return other ? [other, task] : [task];
  });
}

/** Does a piece of work. */
export async function perform(task: Task): Promise<Tally> {
  const tally = emptyTally();
  const playAs = (family: Family, options?: PlayOptions) => async (schedule: Schedule) => {
    const outcome = await play(schedule, options);
    count(tally, family, outcome);
    return outcome;
  };
  switch (task.kind) {
    case "one-crash":
      await exploreOneCrash(task, playAs("oneCrash"));
      break;
    case "one-other":
      await exploreOneOther(task.scenario, playAs("oneOther"));
      break;
    case "two-crashes":
      await exploreTwoCrashes(task, playAs("twoCrashes"));
      break;
    case "crash-then-reconcile":
      await exploreMeetings(task, playAs("crashThenReconcile"));
      break;
    case "random":
      await checkStruck(task, playAs("random"));
      break;
    case "over-http":
      await checkOverHttp(task, playAs("overHttp", { connect: httpConnection }));
      break;
    case "years":
      await checkYears(task, playAs("years"));
  }
  return tally;
}

type Play = (schedule: Schedule) => Promise<Outcome>;

async function exploreOneCrash({ scenario, nth }: Extract<Task, { kind: "one-crash" }>, playIt: Play): Promise<void> {
  const undisturbed = await playIt({ scenario, strikes: [] });
  for (const [index, strike] of crashesAt(undisturbed.effects).entries()) {
    if (index % nth === 0) await playIt(withStrike(undisturbed.schedule, strike));
  }
}

async function exploreOneOther(scenario: string, playIt: Play): Promise<void> {
  const undisturbed = await play({ scenario, strikes: [] });
  for (const strike of troublesAt(undisturbed.effects)) await playIt(withStrike(undisturbed.schedule, strike));
}

async function exploreTwoCrashes(task: Extract<Task, { kind: "two-crashes" }>, playIt: Play): Promise<void> {
  let number = 0;
  for await (const { schedule, effects } of afterOneCrash(task)) {
    for (const second of crashesAt(effectsAfter(schedule, effects))) {
      number += 1;
      if (number % task.nth === 0) await playIt(withStrike(schedule, second));
    }
  }
}

async function exploreMeetings(task: Extract<Task, { kind: "crash-then-reconcile" }>, playIt: Play): Promise<void> {
  for await (const { schedule, effects } of afterOneCrash(task)) {
    for (const { number: at } of requestsIn(effectsAfter(schedule, effects))) {
      await playIt(withStrike(schedule, { at, kind: "reconcile" }));
    }
  }
}

/** A share of the schedules with one crash; what that alone breaks is told elsewhere, and not gone on with. */
async function* afterOneCrash(task: { scenario: string; share: number; shares: number }): AsyncGenerator<Outcome> {
  const undisturbed = await play({ scenario: task.scenario, strikes: [] });
  for (const [index, strike] of crashesAt(undisturbed.effects).entries()) {
    if (index % task.shares !== task.share) continue;
    const first = await play(withStrike(undisturbed.schedule, strike));
    if (first.violations.length === 0) yield first;
  }
}

function times<Item>(length: number, make: (index: number) => Item): Item[] {
  return Array.from({ length }, (_, index) => make(index));
}
