import { expect, it } from "vitest";
import { brokenProtocols } from "./broken.ts";
import { crashesAt, type EffectSeen, troublesAt } from "./enumerate.ts";
import { KnownStates } from "./known-states.ts";
import { type Outcome, type PlayOptions, play } from "./play.ts";
import { sampleOf } from "./random.ts";
import { type Schedule, scheduleId } from "./schedule.ts";

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
  for (const schedule of sampleOf(newSeed(), 150)) {
    const whole = await play(schedule);
    const part = await goOn(schedule, await undisturbedIn(schedule.scenario));
    const from = whole.effects.length - part.effects.length;
    skipped += from;
    expect(part.effects.map(told), scheduleId(schedule)).toEqual(whole.effects.slice(from).map(told));
    expect(part.violations, scheduleId(schedule)).toEqual(whole.violations);
  }
  expect(skipped, "effects that were not played again").toBeGreaterThan(1_000);
}, 300_000);

it("of broken code the same schedules break the promise with merging and without it", async () => {
  const seed = newSeed();
  let broke = 0;
  for (const { fault, scenario, protocol } of brokenProtocols) {
    const known = new KnownStates();
    const undisturbed = await play({ scenario, strikes: [] }, { protocol, known, keep: true });
    if (undisturbed.violations.length === 0) known.checkpoints = undisturbed.checkpoints;
    const strikes = [...crashesAt(undisturbed.effects), ...troublesAt(undisturbed.effects)];
    // Those of a kind that fall next to each other come to the same states.
    const sample = strikes.filter(({ at, kind }) => (at + kind.length + seed) % 61 === 0);
    for (const strike of sample) {
      const schedule = { scenario, strikes: [strike] };
      const [merged, whole] = [await play(schedule, { protocol, known }), await play(schedule, { protocol })];
      if (whole.violations.length > 0) broke += 1;
      expect(merged.violations.length > 0, `${fault}: ${scheduleId(schedule)}`).toBe(whole.violations.length > 0);
    }
  }
  expect(broke).toBeGreaterThan(20);
}, 300_000);
