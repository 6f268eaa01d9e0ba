import type { Spell } from "./moves.ts";
import type { World } from "./parts.ts";

const minute = 60_000;

/** A spell begins that turns something of the world, and turns it back when it ends: one that is on already lasts longer. */
export function cast(world: World, kind: Spell, until: number): void {
  const { clock, c2ms, effects, engine, ledger, secrets } = world;
  if (world.turned.has(kind)) return;
  world.turned.add(kind);
  const undo: (() => void)[] = [];
  const turn = <Thing extends object>(thing: Thing, values: Partial<Thing>) => {
    const before = { ...thing };
    Object.assign(thing, values);
    undo.push(() => {
      for (const key of Object.keys(values) as (keyof Thing)[]) thing[key] = before[key];
    });
  };
  switch (kind) {
    case "c2m-late":
      for (const { knobs } of c2ms.engines) {
        turn(knobs, { activationDelayMs: 20_000, revocationDelayMs: 5 * minute });
      }
      break;
    case "c2m-clamps":
      for (const { knobs } of c2ms.engines) turn(knobs, { maximumTtlSeconds: 30 * 86_400 });
      break;
    case "reads-late":
      turn(engine.knobs, { visibilityDelayMs: 3_000 });
      break;
    case "log-late":
      turn(ledger, { delayMs: 10 * minute });
      break;
    case "log-mixed":
      turn(ledger, { isMixed: true });
      break;
    case "replica-behind":
      for (const { index } of secrets) {
        const behind = { Region: "eu-west-1", KmsKeyId: undefined, inSyncAt: until, failure: undefined };
        turn(world.secret(index).state, { replicas: [behind] });
      }
      break;
    default:
      // Told by requests as they come, and by the clock of each process.
      break;
  }
  const turnBackAt = (time: number) => {
    clock.at(time, () => {
      const end = effects.endOf(kind);
      if (end > time) return turnBackAt(end);
      world.turned.delete(kind);
      for (const turnBack of undo) turnBack();
    });
  };
  turnBackAt(until);
}
