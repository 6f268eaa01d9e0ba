import { PermanentError } from "../ports/errors.ts";
import type { RotationContext } from "./context.ts";

/** Takes AWSPENDING off a version. Fine when it is off already. */
export async function detachPending(
  context: Pick<RotationContext, "store" | "log">,
  secretArn: string,
  versionId: string,
  reason: string,
): Promise<void> {
  try {
    await context.store.moveStage({ secretId: secretArn, stage: "AWSPENDING", fromVersionId: versionId });
  } catch (error) {
    if (!(error instanceof PermanentError && error.code === "stage_conflict")) throw error;
  }
  context.log.event("pending.detached", { secret: secretArn, version_id: versionId, reason });
}
