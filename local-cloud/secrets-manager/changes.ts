import type { Clock } from "../clock.ts";
import type { Announcer } from "./events.ts";
import type { ChangeKind, Knobs } from "./knobs.ts";
import type { Replication } from "./replication.ts";
import type { LabelMove, Secret, SecretState } from "./secret.ts";

/**
 * Every change of a secret goes through here: what it was is kept for reads that lag, LastChangedDate moves where the
 * knob says so, replicas follow, and labels that `apply` returns as moved are announced.
 */
export function change(
  context: { clock: Clock; knobs: Knobs; announcer: Announcer; replication: Replication },
  secret: Secret,
  kind: ChangeKind,
  apply: (state: SecretState) => LabelMove[] | undefined,
): void {
  const now = context.clock.now();
  secret.remember(now, context.knobs.visibilityDelayMs);
  const moves = apply(secret.state);
  if (context.knobs.lastChangedMovedBy.includes(kind)) secret.state.lastChangedDate = now;
  context.replication.changed(secret);
  if (moves) context.announcer.labelsUpdated(secret, moves);
}
