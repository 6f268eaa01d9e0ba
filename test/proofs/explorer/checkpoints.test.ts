import { expect, it } from "vitest";
import { brokenProtocols } from "./broken.ts";
import { crashesAt, type EffectSeen, troublesAt } from "./enumerate.ts";
import { KnownStates } from "./known-states.ts";
import { type Outcome, type PlayOptions, play } from "./play.ts";
import { sampleOf } from "./random.ts";
import { type Schedule, type Strike, scheduleId } from "./schedule.ts";

const newSeed = () => Math.floor(Math.random() * 2 ** 31);

/** Plays a schedule from the latest checkpoint after its first move that there is. */
async function goOn(schedule: Schedule, undisturbed: Outcome, options: PlayOptions = {}): Promise<Outcome> {
  const first = { ...schedule, strikes: schedule.strikes.slice(0, 1) };
  const keep = { known: new KnownStates(), expanded: new Map(), keep: true, from: undisturbed.checkpoints };
  const { checkpoints } = await play(first, { ...options, ...keep });
  return await play(schedule, { ...options, from: [...undisturbed.checkpoints, ...checkpoints] });
}

const undisturbedIn = (scenario: string, options: PlayOptions = {}) =>
  play({ scenario, strikes: [] }, { ...options, known: new KnownStates(), keep: true });

it("a schedule that goes on from a checkpoint goes on as it does from the beginning", async () => {
  const told = ({ number, name, last }: EffectSeen) => `${number} ${name} ${last}`;
  let skipped = 0;
  for (const schedule of sampleOf(newSeed(), 100)) {
    const whole = await play(schedule);
    const part = await goOn(schedule, await undisturbedIn(schedule.scenario));
    const from = whole.effects.length - part.effects.length;
    skipped += from;
    expect(part.effects.map(told), scheduleId(schedule)).toEqual(whole.effects.slice(from).map(told));
    expect(part.violations, scheduleId(schedule)).toEqual(whole.violations);
  }
  expect(skipped, "effects that were not played again").toBeGreaterThan(1_000);
}, 300_000);

/** Never stops a play: it goes on where others were before, and can be held against them. */
class NothingKnown extends KnownStates {
  override has(): boolean {
    return false;
  }
}

/**
 * Whether a reconciler looks once more at a token that is over, and whether it tells once more of an issue call that made
 * none, is left out of states.
 */
const looksAtPast = /^reconcile(?: all|-now)? (?:GetSecretValue|issueShortTermToken|token\.dead|token\.suspected)$/;

/** Plays schedules with one move to their end. Returns what comes differently after states that are taken for the same. */
async function differences(scenario: string, which: (strike: Strike) => boolean) {
  const known = new NothingKnown();
  const undisturbed = await play({ scenario, strikes: [] }, { known, keep: true });
  known.checkpoints = undisturbed.checkpoints;
  const strikes = [...crashesAt(undisturbed.effects), ...troublesAt(undisturbed.effects)].filter(which);
  const futures = new Map<string, { id: string; future: string }>();
  const differing: string[] = [];
  let met = 0;
  for (const strike of strikes) {
    const { schedule, states, effects, violations } = await play({ scenario, strikes: [strike] }, { known });
    if (violations.length > 0) continue;
    for (const { key, effects: from } of states) {
      const names = effects.slice(from).map(({ name }) => name);
      const future = names.filter((name) => !looksAtPast.test(name)).join("\n");
      const before = futures.get(key);
      futures.set(key, before ?? { id: scheduleId(schedule), future });
      if (!before) continue;
      met += 1;
      if (before.future !== future) differing.push(`${scheduleId(schedule)} goes on otherwise than ${before.id}`);
    }
  }
  return { met, differing };
}

it("states that are taken for the same go on in the same way", async () => {
  const seed = newSeed();
  // Between two deliveries of a step its process may die, and forget what it has proven.
  const results = [await differences("steps-twice", ({ kind, at }) => kind === "crash" && at < 80)];
  for (const scenario of ["grace", "no-grace", "rolled-back"]) {
    results.push(await differences(scenario, ({ at, kind }) => (at * 7 + kind.length + seed) % 31 === 0));
  }
  expect(results.flatMap(({ differing }) => differing)).toEqual([]);
  expect(results.reduce((total, { met }) => total + met, 0)).toBeGreaterThan(1_000);
}, 300_000);

it("of broken code the same schedules break the promise with merging and without it", async () => {
  const seed = newSeed();
  let broke = 0;
  for (const { fault, scenario, protocol } of brokenProtocols) {
    const known = new KnownStates();
    const undisturbed = await play({ scenario, strikes: [] }, { protocol, known, keep: true });
    if (undisturbed.violations.length === 0) known.checkpoints = undisturbed.checkpoints;
    const strikes = [...crashesAt(undisturbed.effects), ...troublesAt(undisturbed.effects)];
    // By chance: those of a kind that fall next to each other come to the same states.
    const sample = strikes.filter((_, index) => (Math.imul(index + 1, seed | 1) >>> 0) % 101 === 0);
    for (const strike of sample) {
      const schedule = { scenario, strikes: [strike] };
      const [merged, whole] = [await play(schedule, { protocol, known }), await play(schedule, { protocol })];
      if (whole.violations.length > 0) broke += 1;
      expect(merged.violations.length > 0, `${fault}: ${scheduleId(schedule)}`).toBe(whole.violations.length > 0);
    }
  }
  expect(broke).toBeGreaterThan(10);
}, 300_000);
