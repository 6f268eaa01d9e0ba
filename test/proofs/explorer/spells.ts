import { plainKnobs } from "../../../local-cloud/c2m/knobs.ts";
import type { Spell } from "./moves.ts";
import type { World } from "./parts.ts";

const minute = 60_000;
const hour = 60 * minute;

const longSpell = 5 * hour;
const spellMs: Partial<Record<Spell, number>> = {
  "throttled-spell": 20 * minute,
  "denied-spell": 3 * hour,
  "gateway-404-spell": 30 * hour,
  "replica-failed": 30 * hour,
};

/** When a spell ends that begins now. A long one ends at half past, so that it is the same wherever in an hour it began. */
export function endOf(kind: Spell, now: number): number {
  const end = now + (spellMs[kind] ?? longSpell);
  return kind === "throttled-spell" ? end : Math.ceil((end - hour / 2) / hour) * hour + hour / 2;
}

/** Turns something of the world as long as a spell is on, and back to what the scenario says. */
export function turn(world: World, kind: Spell, isOn: boolean): void {
  const { c2ms, engine, ledger, secrets, scenario } = world;
  switch (kind) {
    case "c2m-late": {
      const { activationDelayMs, revocationDelayMs } = { ...plainKnobs, ...scenario.c2mKnobs };
      const delays = { activationDelayMs: 20_000, revocationDelayMs: 5 * minute };
      for (const { knobs } of c2ms.engines)
        Object.assign(knobs, isOn ? delays : { activationDelayMs, revocationDelayMs });
      return;
    }
    case "c2m-clamps": {
      const { maximumTtlSeconds } = { ...plainKnobs, ...scenario.c2mKnobs };
      for (const { knobs } of c2ms.engines) knobs.maximumTtlSeconds = isOn ? 30 * 86_400 : maximumTtlSeconds;
      return;
    }
    case "reads-late":
      engine.knobs.visibilityDelayMs = isOn ? 3_000 : (scenario.knobs?.visibilityDelayMs ?? 0);
      return;
    case "log-late":
      ledger.delayMs = isOn ? 10 * minute : (scenario.ledger?.delayMs ?? 0);
      return;
    case "log-mixed":
      ledger.isMixed = isOn;
      return;
    case "replica-failed":
    case "replica-behind": {
      const Region = "eu-west-1";
      const isFailed = kind === "replica-failed";
      world.watch.happened.replicasBehind = isOn ? { at: world.clock.now(), after: world.effects.count } : undefined;
      if (isFailed) engine.knobs.failedReplicaRegions = isOn ? [Region] : [];
      else engine.knobs.replicationLagMs = isOn ? Number.POSITIVE_INFINITY : 0;
      for (const { index } of secrets) {
        const inSyncAt = isFailed ? 0 : Number.POSITIVE_INFINITY;
        const behind = { Region, KmsKeyId: undefined, inSyncAt, failure: undefined };
        const { state } = world.secret(index);
        const [replica] = state.replicas;
        // It stays, and follows.
        if (isOn) state.replicas = [behind];
        else if (replica) replica.inSyncAt = world.clock.now();
      }
      return;
    }
    default:
    // Told by requests as they come, and by the clock of each process.
  }
}
