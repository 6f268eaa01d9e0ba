import type { EffectSeen } from "./play.ts";
import {
  type Intrusion,
  intrusions,
  type Schedule,
  type Spell,
  type Strike,
  type StrikeKind,
  spells,
} from "./schedule.ts";

/** Nothing tells a read that was not answered from one that never left, nor a kill after a line from one before the next. */
const crashesOf = {
  log: ["crash"],
  read: ["crash"],
  write: ["crash", "crash-done", "crash-late"],
} as const satisfies Record<EffectSeen["kind"], readonly StrikeKind[]>;

const faultsOf = {
  log: [],
  read: ["refused", "error", "denied", "cut"],
  write: ["refused", "error", "denied", "cut", "lost", "stall"],
} as const satisfies Record<EffectSeen["kind"], readonly StrikeKind[]>;

/** Every way to die at one of these effects. */
export function crashesAt(effects: readonly EffectSeen[]): Strike[] {
  return effects.flatMap(({ number: at, kind, last }) => {
    const kinds: StrikeKind[] = [...crashesOf[kind]];
    if (kind === "log" && last) kinds.push("crash-done");
    return kinds.map((one) => ({ at, kind: one }));
  });
}

/** Every other thing that can happen at one of these effects. */
export function troublesAt(effects: readonly EffectSeen[]): Strike[] {
  return effects.flatMap(({ number: at, kind }) => {
    if (kind === "log") return [];
    const kinds: StrikeKind[] = [
      ...faultsOf[kind],
      ...(Object.keys(spells) as Spell[]),
      ...(Object.keys(intrusions) as Intrusion[]),
    ];
    return kinds.map((one) => ({ at, kind: one }));
  });
}

/** The effects at which something else can come in between. */
export function requestsIn(effects: readonly EffectSeen[]): EffectSeen[] {
  return effects.filter(({ kind }) => kind !== "log");
}

/** The same schedule with one strike more, after those that it has. */
export function withStrike(schedule: Schedule, strike: Strike): Schedule {
  return { ...schedule, strikes: [...schedule.strikes, strike] };
}

/** The effects after the last strike of a schedule: where the next one can fall. */
export function effectsAfter(schedule: Schedule, effects: readonly EffectSeen[]): EffectSeen[] {
  const last = Math.max(0, ...schedule.strikes.map(({ at }) => at));
  return effects.filter(({ number }) => number > last);
}
