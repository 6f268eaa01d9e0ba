import type { SecretContext } from "./context.ts";

/** Takes AWSPENDING off a version. Fine when it is off already. */
export async function detachPending(
  { arn, store, log }: Pick<SecretContext, "arn" | "store" | "log">,
  versionId: string,
  reason: string,
): Promise<void> {
  await store.moveStage({ secretId: arn, stage: "AWSPENDING", fromVersionId: versionId });
  log.event("pending.detached", { secret: arn, version_id: versionId, reason });
}
