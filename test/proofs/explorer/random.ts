import fc from "fast-check";
import type { Outcome } from "./play.ts";
import { core, varied, years } from "./scenarios.ts";
import { type Action, actionKinds, type Schedule, type Strike, type StrikeKind, strikes } from "./schedule.ts";

const kinds = Object.keys(strikes) as StrikeKind[];

/** Three strikes anywhere in any scenario, the next often close to the one before: there they may meet. */
const struck: fc.Arbitrary<Schedule> = fc.record({
  scenario: fc.constantFrom(...[...core, ...varied].map(({ name }) => name)),
  strikes: fc
    .tuple(
      fc.integer({ min: 1, max: 150 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), kind()), { minLength: 3, maxLength: 3 }),
    )
    .map(([first, list]) => strikesFrom(first, list)),
});

/** The same where each request goes over HTTP: whole spells of retries would take real time, and steps at once real chance. */
const struckOverHttp = struck.filter(
  ({ scenario, strikes: list }) =>
    !scenario.includes("concurrently") && list.every(({ kind }) => !kind.endsWith("-spell")),
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

type Run = (schedule: Schedule) => Promise<Outcome>;

/** Plays random schedules until one breaks the promise, and then smaller ones that do. */
export function checkStruck({ seed, runs }: { seed: number; runs: number }, run: Run): Promise<void> {
  return check(struck, { seed, runs }, run);
}

export function checkOverHttp({ seed, runs }: { seed: number; runs: number }, run: Run): Promise<void> {
  return check(struckOverHttp, { seed, runs }, run);
}

export function checkYears({ seed, runs }: { seed: number; runs: number }, run: Run): Promise<void> {
  return check(overYears, { seed, runs }, run);
}

async function check(
  schedules: fc.Arbitrary<Schedule>,
  { seed, runs }: { seed: number; runs: number },
  run: Run,
): Promise<void> {
  const property = fc.asyncProperty(schedules, async (schedule) => (await run(schedule)).violations.length === 0);
  // Strikes are numbered by what went before, so shrinking is done below, by leaving out.
  const { counterexample } = await fc.check(property, { seed, numRuns: runs, endOnFailure: true });
  if (counterexample) await minimise(counterexample[0], run);
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

function kind(): fc.Arbitrary<StrikeKind> {
  return fc.constantFrom(...kinds);
}

function strikesFrom(first: number, list: readonly [gap: number, kind: StrikeKind][]): Strike[] {
  let at = first;
  return list.map(([gap, one]) => {
    at += gap;
    return { at, kind: one };
  });
}
