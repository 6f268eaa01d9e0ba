import { decommissionLabel } from "../formats/labels.ts";
import { PermanentError, RetryableError } from "../ports/errors.ts";
import { type SecretDescription, versionAt } from "../ports/secret-store.ts";
import type { SecretContext } from "./context.ts";

/** @throws PermanentError `decommissioned` where nothing may be issued for the secret any more */
export function refuseDecommissioned(secret: SecretDescription): void {
  if (!isDecommissioned(secret)) return;
  const name = JSON.stringify(secret.name);
  throw new PermanentError(
    "decommissioned",
    `The decommission of ${name} was begun, so no token is issued for it. Complete it and take it out of the stack's tokens, or keep the secret: c2m-tokens decommission --cancel`,
  );
}

/** Whether nothing may be issued for the secret any more. */
export function isDecommissioned(secret: SecretDescription): boolean {
  return versionAt(secret, decommissionLabel) !== undefined;
}

/**
 * Has nothing issued for a secret any more: whoever is at work already may still issue. A secret without any version can't
 * be marked.
 *
 * @param secret as it was last seen
 * @returns whether it was not marked before
 * @throws RetryableError `labels_moved`, and what the store throws
 */
export async function markDecommissioned(
  { arn, store }: Pick<SecretContext, "arn" | "store">,
  secret: SecretDescription,
): Promise<boolean> {
  const toVersionId = versionAt(secret, "AWSCURRENT") ?? [...secret.stages.keys()][0];
  if (isDecommissioned(secret) || toVersionId === undefined) return false;
  if ((await store.moveStage({ secretId: arn, stage: decommissionLabel, toVersionId })) === "moved") return true;
  throw new RetryableError(
    "labels_moved",
    "The secret's labels were moved meanwhile, or another decommission has begun.",
  );
}

/** Lets tokens be issued for the secret again. */
export async function unmarkDecommissioned(
  { arn, store }: Pick<SecretContext, "arn" | "store">,
  secret: SecretDescription,
): Promise<void> {
  const fromVersionId = versionAt(secret, decommissionLabel);
  if (fromVersionId !== undefined) await store.moveStage({ secretId: arn, stage: decommissionLabel, fromVersionId });
}
