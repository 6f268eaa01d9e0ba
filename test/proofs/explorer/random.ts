import fc from "fast-check";
import { crashes, events, faults, type Move, moves } from "./moves.ts";
import type { Outcome } from "./play.ts";
import { core, varied, years } from "./scenarios.ts";
import { type Action, actionKinds, type Schedule, type Strike } from "./schedule.ts";

const kinds = Object.keys(moves) as Move[];

/** Three strikes anywhere in any scenario, the next often close to the one before: there they may meet. */
const struck: fc.Arbitrary<Schedule> = fc.record({
  scenario: fc.constantFrom(...[...core, ...varied].map(({ name }) => name)),
  strikes: fc
    .tuple(
      fc.integer({ min: 1, max: 150 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), kind()), { minLength: 1, maxLength: 3 }),
    )
    .map(([first, list]) => strikesFrom(first, list)),
});

/**
 * The same where each request goes over HTTP: whole spells of retries would take real time, steps at once real chance, and
 * what the local servers can't say is left out.
 */
const overHttp: Move[] = [
  ...(Object.keys(crashes) as Move[]),
  ...(Object.keys(faults) as Move[]).filter((move) => move !== "hang"),
  ...(Object.keys(events) as Move[]),
  "again",
  "older-steps",
  "finish-first",
  "rotation-begins",
  "reconcile",
  "reconcile-all",
];
const struckOverHttp = struck.filter(
  ({ scenario, strikes: list }) =>
    !scenario.includes("concurrently") && list.every(({ kind }) => overHttp.includes(kind)),
);

/** Operators and schedules at work on three secrets for a year or several, with up to eight strikes. */
const overYears: fc.Arbitrary<Schedule> = fc.record({
  scenario: fc.constant(years.name),
  actions: fc.array(
    fc.record<Action>({
      afterHours: fc.integer({ min: 1, max: 2_000 }),
      secret: fc.nat({ max: 2 }),
      kind: fc.constantFrom(...actionKinds),
    }),
    { minLength: 4, maxLength: 16 },
  ),
  strikes: fc
    .array(fc.tuple(fc.integer({ min: 0, max: 1_500 }), kind()), { maxLength: 8 })
    .map((list) => strikesFrom(1, list)),
});

interface Sample {
  seed: number;
  runs: number;
}

type Run = (schedule: Schedule) => Promise<Outcome>;

/** Plays random schedules until one breaks the promise, and then smaller ones that do. */
export function checkStruck(sample: Sample, run: Run, isTimeUp: () => boolean): Promise<void> {
  return check(struck, sample, run, isTimeUp);
}

export function checkOverHttp(sample: Sample, run: Run, isTimeUp: () => boolean): Promise<void> {
  return check(struckOverHttp, sample, run, isTimeUp);
}

export function checkYears(sample: Sample, run: Run, isTimeUp: () => boolean): Promise<void> {
  return check(overYears, sample, run, isTimeUp);
}

async function check(
  schedules: fc.Arbitrary<Schedule>,
  { seed, runs }: Sample,
  run: Run,
  isTimeUp: () => boolean,
): Promise<void> {
  const isKept = async (schedule: Schedule) => {
    if (isTimeUp()) return true;
    const { violations } = await run(schedule);
    return violations.length === 0;
  };
  // Strikes are numbered by what went before, so shrinking is done below, by leaving out.
  const { counterexample } = await fc.check(fc.asyncProperty(schedules, isKept), {
    seed,
    numRuns: runs,
    endOnFailure: true,
  });
  if (counterexample) await minimise(counterexample[0], run);
}

/** Random schedules of one to three strikes. */
export function sampleOf(seed: number, runs: number): Schedule[] {
  return fc.sample(struck, { seed, numRuns: runs });
}

/** Leaves out strikes and actions for as long as the promise is still broken. */
async function minimise(schedule: Schedule, run: Run): Promise<void> {
  const { strikes: list, actions } = schedule;
  const smaller: Schedule[] = [
    ...list.map((_, index) => ({ ...schedule, strikes: list.toSpliced(index, 1) })),
    ...(actions ?? []).map((_, index) => ({ ...schedule, actions: (actions ?? []).toSpliced(index, 1) })),
  ];
  for (const one of smaller) if ((await run(one)).violations.length > 0) return await minimise(one, run);
}

function kind(): fc.Arbitrary<Move> {
  return fc.constantFrom(...kinds);
}

function strikesFrom(first: number, list: readonly [gap: number, kind: Move][]): Strike[] {
  let at = first;
  return list.map(([gap, one]) => {
    at += gap;
    return { at, kind: one };
  });
}
