import { falls, type Service } from "./effects.ts";
import type { Rest } from "./known-states.ts";
import { crashes, isOneOf, lineFaults, type Move, moves } from "./moves.ts";
import type { Schedule, Strike } from "./schedule.ts";

/** An effect of a run, as the next round of schedules needs it. */
export interface EffectSeen {
  number: number;
  /** Who asked for what: `finishSecret UpdateSecretVersionStage`. */
  name: string;
  /** `log` lines and reads have fewer ways to fail. */
  kind: "log" | "read" | "write";
  service: Service;
  operation: string;
  /** Whether it is the last of its invocation. */
  last: boolean;
}

/** Nothing tells a read that was not answered from one that never left, nor a kill after a line from one before the next. */
const crashesOf = {
  log: ["crash"],
  read: ["crash"],
  write: ["crash", "crash-done", "crash-late"],
} as const satisfies Record<EffectSeen["kind"], readonly Move[]>;

/** The same, of what goes wrong and is not heard of. */
const onlyOfWrites = new Set<Move>(["lost", "stall", "freeze-after"]);

const notCrashes = (Object.keys(moves) as Move[]).filter((move) => !isOneOf(crashes, move));

interface Possible {
  crashes: readonly Move[];
  others: readonly Move[];
}

/** By all of an effect that decides what can strike it. */
const possible = new Map<string, Possible>();

function possibleAt(effect: EffectSeen): Possible {
  const { kind, last, service, operation } = effect;
  const key = `${kind} ${last} ${service} ${operation}`;
  let known = possible.get(key);
  if (!known) {
    const dying: Move[] = [...crashesOf[kind]];
    if (kind === "log" && last) dying.push("crash-done");
    const isOfLedger = operation.startsWith("token.") || operation.startsWith("pending.");
    const others = notCrashes.filter(
      (move) =>
        falls(move, effect) &&
        (kind !== "read" || !onlyOfWrites.has(move)) &&
        (isOfLedger || !isOneOf(lineFaults, move)),
    );
    known = { crashes: dying, others };
    possible.set(key, known);
  }
  return known;
}

/** Every way to die at one of these effects. */
export function crashesAt(effects: readonly EffectSeen[]): Strike[] {
  return effects.flatMap((effect) => possibleAt(effect).crashes.map((kind) => ({ at: effect.number, kind })));
}

/** Every other thing that can happen at one of these effects. */
export function troublesAt(effects: readonly EffectSeen[]): Strike[] {
  return effects.flatMap((effect) => possibleAt(effect).others.map((kind) => ({ at: effect.number, kind })));
}

/** By the place of each effect, and of the end: how many strikes there are from there on, with those that come `after` all. */
export function strikesLeft(effects: readonly EffectSeen[], after: Rest = { crashes: 0, others: 0 }): Rest[] {
  const left: Rest[] = [];
  let rest = after;
  left[effects.length] = rest;
  for (let index = effects.length - 1; index >= 0; index -= 1) {
    const here = possibleAt(effects[index] as EffectSeen);
    rest = { crashes: rest.crashes + here.crashes.length, others: rest.others + here.others.length };
    left[index] = rest;
  }
  return left;
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
