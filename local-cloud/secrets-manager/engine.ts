import type { Caller } from "../aws/service.ts";
import type { Clock } from "../clock.ts";
import type { EventBus } from "../events/bus.ts";
import { arnSuffix, type Home } from "./arn.ts";
import type { Context } from "./context.ts";
import { Announcer } from "./events.ts";
import { type KnobSettings, type Knobs, knobsWith } from "./knobs.ts";
import { describeSecret, listSecrets } from "./operations/describe.ts";
import { createSecret, deleteSecret, restoreSecret, updateSecret } from "./operations/lifecycle.ts";
import { getRandomPassword } from "./operations/password.ts";
import {
  deleteResourcePolicy,
  getResourcePolicy,
  putResourcePolicy,
  validateResourcePolicy,
} from "./operations/policies.ts";
import { batchGetSecretValue, getSecretValue } from "./operations/read.ts";
import {
  removeRegionsFromReplication,
  replicateSecretToRegions,
  stopReplicationToReplica,
} from "./operations/replication.ts";
import { cancelRotateSecret, rotateSecret } from "./operations/rotate.ts";
import { putSecretValue } from "./operations/store.ts";
import { tagResource, untagResource } from "./operations/tags.ts";
import { listSecretVersionIds, updateSecretVersionStage } from "./operations/versions.ts";
import { type Region, type Regions, Replication } from "./replication.ts";
import type { RotationInvoker } from "./rotation.ts";
import { Rotations, type SavedRotation } from "./rotation-worker.ts";
import { restoreSecret as restoreSaved, type SavedSecret, saveSecret } from "./saved-secret.ts";
import { Scheduler } from "./scheduler.ts";
import type { Secret } from "./secret.ts";
import type { Input } from "./shapes.ts";
import { SecretStore } from "./store.ts";
import { checkInput } from "./validation.ts";

export interface EngineOptions {
  clock: Clock;
  accountId: string;
  region: string;
  events: EventBus;
  rotator: RotationInvoker;
  knobs?: KnobSettings;
  /** The account's other regions, for replicas. */
  regions: Regions;
  /** Judges a resource policy before it is stored, by what IAM knows: throws AwsError. Default: only its JSON is checked. */
  checkPolicy?: (document: string, blockPublicPolicy: boolean) => void;
  /** 36 to 64 letters, digits and hyphens, never the same twice; default: random UUIDs. */
  randomId?: () => string;
  /** Where another engine left off, from its `save`. Rotations are planned afresh on their schedules. */
  state?: SavedSecret[];
  /** The same in this process, from another one's `snapshot`: everything is as it was, open rotations too. */
  from?: SecretsSnapshot | undefined;
  /** Called after each step of a rotation that another one follows, which waits for what it returns. */
  betweenSteps?: () => Promise<void> | undefined;
}

/** All of an engine at a moment in which no function runs. Nobody changes it. */
export interface SecretsSnapshot {
  secrets: readonly Secret[];
  rotations: readonly SavedRotation[];
  knobs: Knobs;
}

/**
 * Secrets Manager of one account and region, in memory. The operations take AWS's field names and answer at once; dates in answers are
 * epoch seconds, binary is base64. They throw AwsError.
 */
export class SecretsManagerEngine {
  /** May be changed at any time. */
  readonly knobs: Knobs;
  readonly #context: Context;

  constructor(options: EngineOptions) {
    const { clock, rotator } = options;
    const home: Home = { accountId: options.accountId, region: options.region };
    const randomId = options.randomId ?? (() => crypto.randomUUID());
    const knobs = knobsWith(options.knobs);
    const checkPolicy = options.checkPolicy ?? (() => undefined);
    const store = new SecretStore(home, () => clock.now());
    const announcer = new Announcer({ bus: options.events, clock, home, randomId });
    const replication = new Replication({ clock, knobs, regions: options.regions });
    const scheduler: Scheduler = new Scheduler({ clock, knobs, run: (secret) => rotations.scheduled(secret) });
    const rotations: Rotations = new Rotations({
      clock,
      knobs,
      announcer,
      replication,
      rotator,
      randomId,
      scheduler: () => scheduler,
      betweenSteps: options.betweenSteps,
    });
    this.knobs = knobs;
    this.#context = {
      home,
      clock,
      knobs,
      store,
      announcer,
      rotator,
      rotations,
      scheduler,
      replication,
      randomId,
      checkPolicy,
    };
    for (const saved of options.state ?? []) {
      const secret = restoreSaved(saved);
      store.add(secret);
      if (!secret.state.deletion) scheduler.plan(secret);
    }
    if (options.from) this.#restore(options.from);
  }

  #restore({ secrets, rotations, knobs }: SecretsSnapshot): void {
    const { store, scheduler } = this.#context;
    Object.assign(this.knobs, knobs);
    for (const saved of secrets) {
      const secret = saved.copy();
      const announced = secret.state.rotation?.announced;
      store.add(secret);
      if (!secret.state.deletion) scheduler.plan(secret);
      // After a rotation that failed it lies in the past.
      if (secret.state.rotation) secret.state.rotation.announced = announced;
    }
    for (const saved of rotations) this.#context.rotations.restore(store.get(saved.secret), saved);
  }

  /**
   * For `from` of an engine to come in this process; undefined while a rotation is only tested, or waits for its retry.
   * A rotation that is between two steps goes on with `goOn`.
   */
  snapshot(): SecretsSnapshot | undefined {
    const rotations = this.#context.rotations.save();
    if (!rotations) return undefined;
    const secrets = this.#context.store.all().map((secret) => secret.copy());
    return { secrets, rotations, knobs: { ...this.knobs } };
  }

  /** Lets the rotations go on that were between two steps in the snapshot. */
  goOn(): void {
    this.#context.rotations.goOn();
  }

  /** The version of a secret's rotation that has not ended, and which of its steps comes next where it runs. */
  openRotation(secret: Secret): { versionId: string; next: number | undefined } | undefined {
    return this.#context.rotations.openRotation(secret);
  }

  /** How many rotations and tests of rotations are running. */
  get rotating(): number {
    return this.#context.rotations.running;
  }

  /** What the engines of other regions may use of this one. */
  get region(): Region {
    const { store, rotations, scheduler } = this.#context;
    return {
      store,
      discard(secret) {
        rotations.cancel(secret);
        scheduler.stop(secret);
        store.remove(secret);
      },
    };
  }

  /** Brings every replica up to date, for secrets that came from a saved state. */
  replicate(): void {
    for (const secret of this.#context.store.all()) this.#context.replication.changed(secret);
  }

  /** For `state` of an engine to come; can be written as JSON. Holds the secrets' values as they are. */
  save(): SavedSecret[] {
    return this.#context.store.all().map(saveSecret);
  }

  /** `suffix` fixes the six last characters of the ARN. */
  createSecret(input: Input<"CreateSecret">, caller: Caller, suffix = arnSuffix(this.#context.randomId())) {
    return createSecret(this.#context, checkInput("CreateSecret", input), caller, suffix);
  }

  describeSecret(input: Input<"DescribeSecret">) {
    return describeSecret(this.#context, checkInput("DescribeSecret", input));
  }

  getSecretValue(input: Input<"GetSecretValue">) {
    return getSecretValue(this.#context, checkInput("GetSecretValue", input));
  }

  /** `authorize` throws where the caller may not read one of the secrets; default: each may be read. */
  batchGetSecretValue(input: Input<"BatchGetSecretValue">, authorize?: (secretId: string) => void) {
    return batchGetSecretValue(this.#context, checkInput("BatchGetSecretValue", input), authorize);
  }

  putSecretValue(input: Input<"PutSecretValue">, caller: Caller) {
    return putSecretValue(this.#context, checkInput("PutSecretValue", input), caller);
  }

  updateSecret(input: Input<"UpdateSecret">, caller: Caller) {
    return updateSecret(this.#context, checkInput("UpdateSecret", input), caller);
  }

  updateSecretVersionStage(input: Input<"UpdateSecretVersionStage">) {
    return updateSecretVersionStage(this.#context, checkInput("UpdateSecretVersionStage", input));
  }

  listSecrets(input: Input<"ListSecrets">) {
    return listSecrets(this.#context, checkInput("ListSecrets", input));
  }

  listSecretVersionIds(input: Input<"ListSecretVersionIds">) {
    return listSecretVersionIds(this.#context, checkInput("ListSecretVersionIds", input));
  }

  /** Answers at once; the rotation, or its test, runs on its own. Await `idle` before you advance a virtual clock. */
  rotateSecret(input: Input<"RotateSecret">) {
    return rotateSecret(this.#context, checkInput("RotateSecret", input));
  }

  cancelRotateSecret(input: Input<"CancelRotateSecret">) {
    return cancelRotateSecret(this.#context, checkInput("CancelRotateSecret", input));
  }

  deleteSecret(input: Input<"DeleteSecret">) {
    return deleteSecret(this.#context, checkInput("DeleteSecret", input));
  }

  restoreSecret(input: Input<"RestoreSecret">) {
    return restoreSecret(this.#context, checkInput("RestoreSecret", input));
  }

  tagResource(input: Input<"TagResource">) {
    return tagResource(this.#context, checkInput("TagResource", input));
  }

  untagResource(input: Input<"UntagResource">) {
    return untagResource(this.#context, checkInput("UntagResource", input));
  }

  getResourcePolicy(input: Input<"GetResourcePolicy">) {
    return getResourcePolicy(this.#context, checkInput("GetResourcePolicy", input));
  }

  putResourcePolicy(input: Input<"PutResourcePolicy">) {
    return putResourcePolicy(this.#context, checkInput("PutResourcePolicy", input));
  }

  validateResourcePolicy(input: Input<"ValidateResourcePolicy">) {
    return validateResourcePolicy(this.#context, checkInput("ValidateResourcePolicy", input));
  }

  deleteResourcePolicy(input: Input<"DeleteResourcePolicy">) {
    return deleteResourcePolicy(this.#context, checkInput("DeleteResourcePolicy", input));
  }

  replicateSecretToRegions(input: Input<"ReplicateSecretToRegions">) {
    return replicateSecretToRegions(this.#context, checkInput("ReplicateSecretToRegions", input));
  }

  getRandomPassword(input: Input<"GetRandomPassword">) {
    return getRandomPassword(this.#context, checkInput("GetRandomPassword", input));
  }

  /** In the region of the replica, which is a secret of its own from then on. */
  stopReplicationToReplica(input: Input<"StopReplicationToReplica">) {
    return stopReplicationToReplica(this.#context, checkInput("StopReplicationToReplica", input));
  }

  removeRegionsFromReplication(input: Input<"RemoveRegionsFromReplication">) {
    return removeRegionsFromReplication(this.#context, checkInput("RemoveRegionsFromReplication", input));
  }

  /** The secret itself, as it is now, for tests and for deciding on permissions; undefined where nothing is there. */
  find(secretId: string): Secret | undefined {
    return this.#context.store.find(secretId);
  }

  /** Resolves when no rotation is running. Those that wait to be tried again don't count. */
  idle(): Promise<void> {
    return this.#context.rotations.idle();
  }

  /** Cancels every timer. */
  stop(): void {
    this.#context.scheduler.stopAll();
    this.#context.rotations.stopAll();
    this.#context.replication.stop();
  }
}
