import { tokenFields } from "../../formats/ledger.ts";
import { parseValue, type StoredToken } from "../../formats/stored-token.ts";
import { stepTime } from "../../formats/time-table.ts";
import { PermanentError, RetryableError } from "../../ports/errors.ts";
import type { SecretDescription } from "../../ports/secret-store.ts";
import type { RotationContext, StepTarget } from "../context.ts";
import { ruleOutRollback } from "../going-back.ts";
import { promote } from "../promote.ts";
import { missingScopes, proveToken } from "../prove.ts";
import { revoke, siblingThatHolds } from "../revoke.ts";
import { isOfSettings } from "../same-token.ts";

/** How often a promotion is tried when the labels move under it. */
const promotionTries = 3;

/**
 * finishSecret: promotes the version, which must have been proven, then, where there is no grace period, revokes what it
 * superseded, also when the version was promoted by an earlier run. Promotion never waits for revocation.
 */
export async function finishSecret(context: RotationContext, { versionId }: StepTarget): Promise<void> {
  const { settings } = context;
  const { secret, supersededId } = await promote(context, {
    versionId,
    c2m: settings,
    tries: promotionTries,
    check: async (secret) => {
      refuseUnlessPending(secret, versionId);
      await proveOnce(context, versionId, settings.scopes);
    },
  });
  if (settings.graceSeconds > 0 || !settings.revocation || supersededId === undefined) return;
  // Who reads a replica gets the superseded token until it has followed: then it is the reconciler's.
  if (secret.isReplicated) return;
  // Long after the promotion, when this step is run again, somebody may be going back.
  await ruleOutRollback(context, secret, supersededId);
  await revokeSuperseded(context, versionId, supersededId);
}

function refuseUnlessPending({ stages }: SecretDescription, versionId: string): void {
  if (stages.get(versionId)?.includes("AWSPENDING")) return;
  throw new PermanentError(
    "not_pending",
    "The version is neither pending nor current any more: its rotation was cancelled or overtaken. Start a new rotation.",
  );
}

/**
 * Nothing unproven is promoted: an event may come out of order, or this process may not be the one that ran testSecret.
 *
 * @param scopes that the token must have
 * @throws RetryableError `pending_not_visible`, PermanentError `pending_not_ours`, `token_rejected` or `scopes_missing`, and what the
 *   exchange throws
 */
async function proveOnce(context: RotationContext, versionId: string, scopes: readonly string[]): Promise<void> {
  const { arn, proven, settings } = context;
  if (proven.has(arn, versionId)) return;
  const token = await tokenOf(context, versionId);
  if (!token) {
    throw new RetryableError(
      "pending_not_visible",
      "The version has no value that can be seen, so it is not promoted. Secrets Manager runs the rotation again.",
    );
  }
  if (token === "foreign" || !isOfSettings(settings, token)) {
    throw new PermanentError(
      "pending_not_ours",
      "The version holds no token of the settings' C2M and client, so it is not promoted. Detach AWSPENDING from it and rotate again.",
    );
  }
  const missing = missingScopes(scopes, token.scopes);
  if (missing.length > 0) {
    throw new PermanentError(
      "scopes_missing",
      `scopes: the pending token lacks ${missing.join(", ")}, so it is not promoted. Detach AWSPENDING from its version and rotate again.`,
    );
  }
  if ((await proveToken(context, token, stepTime.storeOrRevoke)) !== "works") {
    throw new PermanentError(
      "token_rejected",
      "C2M says that the version's token is not valid, so it is not promoted. Detach AWSPENDING from it and rotate again.",
    );
  }
  proven.add(arn, versionId);
}

async function revokeSuperseded(context: RotationContext, versionId: string, supersededId: string): Promise<void> {
  const { arn, clock, log } = context;
  const superseded = await tokenOf(context, supersededId);
  if (!superseded) return;
  if (superseded === "foreign") {
    const unnamed = tokenFields(arn, { tokenId: undefined, expiresAt: undefined });
    log.event("token.unrevocable", { ...unnamed, reason: "it was there before us and has no token id" });
    return;
  }
  if (Date.parse(superseded.expiresAt) <= clock.now()) return;
  // The last other token goes only once the current one was seen to work, also where an earlier run has promoted it.
  await proveOnce(context, versionId, []);
  // Then it is the reconciler's, which looks at all secrets.
  if ((await siblingThatHolds(context, superseded)) !== undefined) return;
  // Whoever brings it back finds it dead.
  context.proven.delete(arn, supersededId);
  if ((await revoke(context, superseded, versionId)) !== "not_found") return;
  throw new RetryableError(
    "revocation_unclear",
    "revokeToken: HTTP 404, and C2M's own code is not there, so the superseded token may live. The reconciler tries again.",
  );
}

async function tokenOf(
  { arn, store }: RotationContext,
  versionId: string,
): Promise<StoredToken | "foreign" | undefined> {
  const version = await store.read(arn, versionId);
  if (!version) return undefined;
  const parsed = parseValue(version.value);
  return parsed.kind === "ours" ? parsed.token : "foreign";
}
