import type { Clock, Timer } from "../clock.ts";
import { arnInRegion, regionOf } from "./arn.ts";
import type { Knobs } from "./knobs.ts";
import { copyOf, type Replica, Secret, type SecretState } from "./secret.ts";
import type { ReplicaRegion } from "./shapes.ts";
import type { SecretStore } from "./store.ts";

/** What one region shows to the others. */
export interface Region {
  store: SecretStore;
  /** Forgets a secret with all that is planned for it. */
  discard(secret: Secret): void;
}

/** The regions of an account by their names. */
export type Regions = (name: string) => Region;

/** Carries the secrets of one region to their replicas in others. */
export class Replication {
  readonly #clock: Clock;
  readonly #knobs: Knobs;
  readonly #regions: Regions;
  readonly #timers = new Set<Timer>();

  constructor(options: { clock: Clock; knobs: Knobs; regions: Regions }) {
    this.#clock = options.clock;
    this.#knobs = options.knobs;
    this.#regions = options.regions;
  }

  /** As part of a change: adds regions, or changes the key in them. A secret of the same name that is there makes it fail, or goes with `force`. */
  add(secret: Secret, added: readonly ReplicaRegion[], force: boolean): void {
    const names = new Set(added.map(({ Region }) => Region));
    const others = secret.state.replicas.filter(({ Region }) => !names.has(Region));
    const now = this.#clock.now();
    secret.state.replicas = [...others, ...added.map((each) => ({ ...each, inSyncAt: now, failure: undefined }))];
    for (const { Region } of added) {
      const { store, discard } = this.#regions(Region);
      const stranger = store.find(secret.name);
      if (force && stranger && stranger.state.primaryArn !== secret.arn) discard(stranger);
    }
  }

  /** As part of a change: takes the replicas away from these regions. */
  remove(secret: Secret, names: readonly string[]): void {
    secret.state.replicas = secret.state.replicas.filter(({ Region }) => !names.includes(Region));
    for (const name of names) {
      const { store, discard } = this.#regions(name);
      const replica = store.find(arnInRegion(secret.arn, name));
      if (replica?.state.primaryArn === secret.arn) discard(replica);
    }
  }

  /** The secret that a replica is one of. */
  primaryOf({ state }: Secret): Secret | undefined {
    return state.primaryArn === undefined
      ? undefined
      : this.#regions(regionOf(state.primaryArn)).store.find(state.primaryArn);
  }

  /** To be called after each change of a secret: what it is now reaches its replicas after the lag. */
  changed(secret: Secret): void {
    if (secret.state.replicas.length === 0) return;
    const { replicationLagMs: lag } = this.#knobs;
    const inSyncAt = this.#clock.now() + lag;
    const snapshot = copyOf(secret.state);
    for (const replica of secret.state.replicas) {
      replica.failure = this.#failureOf(secret, replica);
      replica.inSyncAt = inSyncAt;
      if (lag === 0) this.#bring(secret, replica, snapshot);
      else if (lag !== Number.POSITIVE_INFINITY) this.#later(inSyncAt, () => this.#bring(secret, replica, snapshot));
    }
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #later(time: number, run: () => void): void {
    const timer = this.#clock.at(time, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  #failureOf(secret: Secret, { Region }: Replica): string | undefined {
    const there = this.#regions(Region).store.find(secret.name);
    if (!there || there.state.primaryArn === secret.arn) return undefined;
    return `Replication failed: Secret name ${secret.name} already exists in region ${Region}.`;
  }

  #bring(secret: Secret, replica: Replica, snapshot: SecretState): void {
    const { Region: name } = replica;
    // Taken away in the meantime, or ordered to fail.
    if (!secret.state.replicas.includes(replica) || this.#knobs.failedReplicaRegions.includes(name)) return;
    replica.failure = this.#failureOf(secret, replica);
    if (replica.failure !== undefined) return;
    const { store } = this.#regions(name);
    const arn = arnInRegion(secret.arn, name);
    let there = store.find(arn);
    if (!there) {
      there = new Secret(arn, secret.name, this.#clock.now());
      store.add(there);
    }
    there.remember(this.#clock.now(), this.#knobs.visibilityDelayMs);
    const { lastAccessedDate, versions: before } = there.state;
    const { versions, tags, policy, description, lastChangedDate } = copyOf(snapshot);
    for (const version of versions.values()) {
      version.kmsKeyId = replica.KmsKeyId;
      version.lastAccessedDate = before.get(version.id)?.lastAccessedDate;
    }
    const carried = { versions, tags, policy, description, lastChangedDate, lastAccessedDate };
    Object.assign(there.state, carried, { kmsKeyId: replica.KmsKeyId, primaryArn: secret.arn });
  }
}
