import { decisionLabel } from "../formats/labels.ts";
import { AmbiguousError, RetryableError } from "../ports/errors.ts";
import { type SecretDescription, versionAt } from "../ports/secret-store.ts";
import type { SecretContext } from "./context.ts";

/**
 * Has a token that is about to be revoked ruled out for a rollback. Only the version at AWSPREVIOUS can be gone back to.
 *
 * @param secret as it was last seen
 * @throws RetryableError `labels_moved` while a rollback is under way
 */
export async function ruleOutRollback(
  { arn, store }: Pick<SecretContext, "arn" | "store">,
  secret: SecretDescription,
  versionId: string,
): Promise<void> {
  if (!secret.stages.get(versionId)?.includes("AWSPREVIOUS")) return;
  const holder = versionAt(secret, decisionLabel);
  if (holder === versionId) return;
  if (holder === undefined || holder !== versionAt(secret, "AWSCURRENT")) {
    const move = { secretId: arn, stage: decisionLabel, toVersionId: versionId } as const;
    const from = holder === undefined ? {} : { fromVersionId: holder };
    if ((await store.moveStage({ ...move, ...from })) === "moved") return;
    // Another run revokes the same token: each may.
    if (versionAt(await store.describe(arn), decisionLabel) === versionId) return;
  }
  throw new RetryableError(
    "labels_moved",
    "Somebody is going back to this token, so it is not revoked now. Where nobody is, the rollback was cut short: run it again.",
  );
}

/**
 * Has the token of the version at AWSPREVIOUS ruled out for a revocation, as long as the same version stays at AWSCURRENT.
 *
 * @returns whether a revocation of it has not begun
 */
export async function ruleOutRevocation(
  { arn, store }: Pick<SecretContext, "arn" | "store">,
  secret: SecretDescription,
  { currentId, previousId }: { currentId: string; previousId: string },
): Promise<boolean> {
  const holder = versionAt(secret, decisionLabel);
  if (holder === previousId) return false;
  if (holder === currentId) return true;
  const from = holder === undefined ? {} : { fromVersionId: holder };
  try {
    return (
      (await store.moveStage({ secretId: arn, stage: decisionLabel, toVersionId: currentId, ...from })) === "moved"
    );
  } catch (error) {
    if (!(error instanceof AmbiguousError)) throw error;
    if (versionAt(await store.describe(arn), decisionLabel) !== currentId) throw error;
    return true;
  }
}
