import type { Effect } from "./effects.ts";
import { act, rotateSecret, tryTo } from "./operator.ts";
import type { World } from "./parts.ts";
import type { Intrusion } from "./schedule.ts";

/** Has something else happen, from start to end, before an effect of a function. */
export async function intrude(world: World, kind: Intrusion, { run }: Effect): Promise<void> {
  const { functions } = world;
  const { event, role, secret = 0 } = run.invocation;
  switch (kind) {
    case "reconcile":
      await functions.reconcile("recent");
      return;
    case "reconcile-all":
      await functions.reconcile("all");
      return;
    case "again":
      if (role === "reconciler") await functions.reconcile("recent");
      else if (event) await functions.step(event);
      else await functions.bootstrap(secret);
      return;
    case "older-steps": {
      // What an earlier rotation was delivered, or would have been, arrives now.
      const own = event?.ClientRequestToken;
      const older = functions.versionIds.findLast((id) => id !== own) ?? world.holder(secret, "AWSCURRENT");
      if (older !== undefined) await functions.steps(secret, older, "a-late-rotation-token");
      return;
    }
    case "rotation-begins": {
      const versionId = world.id();
      const created = functions.whenCreated(versionId);
      // What comes after createSecret goes on beside the function that this falls into.
      if (tryTo(() => rotateSecret(world, secret, versionId))) await created;
      return;
    }
    case "rollback":
      await functions.rollback(secret);
      return;
    default:
      act(world, kind, secret);
  }
}
