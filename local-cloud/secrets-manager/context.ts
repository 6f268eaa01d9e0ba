import type { Clock } from "../clock.ts";
import { type Home, regionOf } from "./arn.ts";
import { kmsRefused, markedForDeletion, notOnReplica, secretNotFound } from "./errors.ts";
import type { Announcer } from "./events.ts";
import type { Knobs } from "./knobs.ts";
import type { Replication } from "./replication.ts";
import type { RotationInvoker } from "./rotation.ts";
import type { Rotations } from "./rotation-worker.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Secret, SecretState } from "./secret.ts";
import type { SecretStore } from "./store.ts";

/** What the operations work on: one account and region. */
export interface Context {
  readonly home: Home;
  readonly clock: Clock;
  readonly knobs: Knobs;
  readonly store: SecretStore;
  readonly announcer: Announcer;
  readonly rotator: RotationInvoker;
  readonly rotations: Rotations;
  readonly scheduler: Scheduler;
  readonly replication: Replication;
  readonly randomId: () => string;
  readonly checkPolicy: (document: string, blockPublicPolicy: boolean) => void;
}

/** A secret that may be worked on. Throws where it is not there or marked for deletion. */
export function liveSecret(context: Context, secretId: string): Secret {
  const secret = context.store.get(secretId);
  if (secret.state.deletion) throw markedForDeletion();
  return secret;
}

/** The same where it is to be changed: a replica is changed by its primary secret only. */
export function writableSecret(context: Context, secretId: string): Secret {
  const secret = context.store.get(secretId);
  if (secret.state.primaryArn !== undefined) throw notOnReplica();
  if (secret.state.deletion) throw markedForDeletion();
  return secret;
}

/** What reads may see of a secret: its state of `visibilityDelayMs` ago. */
export function visibleState(context: Context, secret: Secret): SecretState {
  const { visibilityDelayMs } = context.knobs;
  if (visibilityDelayMs === 0) return secret.state;
  const state = secret.stateAt(context.clock.now() - visibilityDelayMs);
  if (!state) throw secretNotFound();
  return state;
}

/** The region of the primary secret, of secrets that have replicas or are one. */
export function primaryRegionOf({ home }: Context, { primaryArn, replicas }: SecretState): string | undefined {
  if (primaryArn !== undefined) return regionOf(primaryArn);
  return replicas.length > 0 ? home.region : undefined;
}

export function checkKms(context: Context, operation: string, secretArn: string): void {
  if (context.knobs.kmsDenies(operation, secretArn)) throw kmsRefused();
}

/** Epoch ms as the wire has them: seconds with a fraction. */
export function seconds(time: number): number {
  return time / 1000;
}
