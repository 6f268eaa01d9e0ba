import { RetryableError } from "../ports/errors.ts";
import type { SecretContext } from "./context.ts";

/**
 * Takes AWSPENDING off a version. Fine when it is off already.
 *
 * @throws RetryableError `labels_moved` where it stays on, as on a secret that was deleted meanwhile
 */
export async function detachPending(
  { arn, store, log }: Pick<SecretContext, "arn" | "store" | "log">,
  versionId: string,
  reason: string,
): Promise<void> {
  const move = await store.moveStage({ secretId: arn, stage: "AWSPENDING", fromVersionId: versionId });
  if (move !== "moved" && (await store.describe(arn)).stages.get(versionId)?.includes("AWSPENDING")) {
    throw new RetryableError(
      "labels_moved",
      "Secrets Manager does not take AWSPENDING off the version: look at the secret.",
    );
  }
  log.event("pending.detached", { secret: arn, version_id: versionId, reason });
}
