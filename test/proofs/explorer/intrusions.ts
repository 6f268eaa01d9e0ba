import type { Effect } from "./effects.ts";
import { events, type Intrusion, isOneOf, ups } from "./moves.ts";
import { act, decommission, rotateSecret, tryTo } from "./operator.ts";
import type { World } from "./parts.ts";
import { pulumiUp } from "./pulumi-up.ts";

/** Has something else happen before an effect of a process: at once, or as a process of its own. */
export async function intrude(world: World, kind: Intrusion, { run }: Effect): Promise<void> {
  const { functions } = world;
  const { event, role, secret = 0 } = run.invocation;
  if (isOneOf(events, kind)) return act(world, kind, secret);
  if (isOneOf(ups, kind)) return await pulumiUp(world, kind, secret);
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
      else if (role === "rotator") await functions.bootstrap(secret);
      return;
    case "older-steps": {
      // What an earlier rotation was delivered, or would have been, arrives now.
      const own = event?.ClientRequestToken;
      const older = functions.versionIds.findLast((id) => id !== own) ?? world.holder(secret, "AWSCURRENT");
      if (older !== undefined) await functions.steps(secret, older, "a-late-rotation-token");
      return;
    }
    case "finish-first": {
      const pending = event?.ClientRequestToken ?? world.holder(secret, "AWSPENDING");
      if (pending === undefined) return;
      const { arn } = world.of(secret);
      const target = { SecretId: arn, ClientRequestToken: pending, RotationToken: "an-early-rotation-token-of-finish" };
      await functions.step({ Step: "finishSecret", ...target });
      return;
    }
    case "rotation-begins": {
      const versionId = world.id();
      const created = functions.whenCreated(versionId);
      // What comes after createSecret goes on beside the process that this falls into.
      if (tryTo(() => rotateSecret(world, secret, versionId))) await created;
      return;
    }
    case "decommission":
      return await decommission(world, secret);
    default:
      await functions.command(kind, secret);
  }
}
