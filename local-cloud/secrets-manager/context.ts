import { AwsError } from "../aws/service.ts";
import type { Clock } from "../clock.ts";
import type { Home } from "./arn.ts";
import { kmsRefused, markedForDeletion, secretNotFound } from "./errors.ts";
import type { Announcer } from "./events.ts";
import type { ChangeKind, Knobs, UnrecordedError } from "./knobs.ts";
import type { RotationInvoker } from "./rotation.ts";
import type { Rotations } from "./rotation-worker.ts";
import type { Scheduler } from "./scheduler.ts";
import type { LabelMove, Secret, SecretState } from "./secret.ts";
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
  readonly randomId: () => string;
}

/**
 * Every change of a secret goes through here: what it was is kept for reads that lag, LastChangedDate moves where the
 * knob says so, and labels that `apply` returns as moved are announced.
 */
export function change(
  context: Pick<Context, "clock" | "knobs" | "announcer">,
  secret: Secret,
  kind: ChangeKind,
  apply: (state: SecretState) => LabelMove[] | undefined,
): void {
  const now = context.clock.now();
  secret.remember(now, context.knobs.visibilityDelayMs);
  const moves = apply(secret.state);
  if (context.knobs.lastChangedMovedBy.includes(kind)) secret.state.lastChangedDate = now;
  if (moves) context.announcer.labelsUpdated(secret, moves);
}

/** A secret that may be worked on. Throws where it is not there or marked for deletion. */
export function liveSecret(context: Context, secretId: string): Secret {
  const secret = context.store.get(secretId);
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

export function checkKms(context: Context, operation: string, secretArn: string): void {
  if (context.knobs.kmsDenies(operation, secretArn)) throw kmsRefused();
}

/** An error whose text is a knob, with `{stage}` and `{version}` filled in. */
export function unrecorded(error: UnrecordedError, words: Record<string, string | undefined> = {}): AwsError {
  return new AwsError(
    error.code,
    error.message.replace(/\{(\w+)\}/g, (_, word: string) => words[word] ?? ""),
  );
}

/** Epoch ms as the wire has them: seconds with a fraction. */
export function seconds(time: number): number {
  return time / 1000;
}
