import { tokenFields } from "../../formats/ledger.ts";
import { parseValue } from "../../formats/stored-token.ts";
import { PermanentError, RetryableError } from "../../ports/errors.ts";
import type { SecretDescription } from "../../ports/secret-store.ts";
import type { RotationContext, StepTarget } from "../context.ts";
import { promote } from "../promote.ts";
import { revoke } from "../revoke.ts";

/** How often a promotion is tried when the labels move under it. */
const promotionTries = 3;

/**
 * finishSecret: promotes the proven version, then, where there is no grace period, revokes what it superseded, also
 * when the version was promoted by an earlier run. Promotion never waits for revocation.
 */
export async function finishSecret(context: RotationContext, { versionId }: StepTarget): Promise<void> {
  const { settings } = context;
  const { supersededId } = await promote(context, {
    versionId,
    c2m: settings,
    tries: promotionTries,
    check: async (secret) => refuseUnlessPending(secret, versionId),
  });
  if (settings.graceSeconds > 0 || !settings.revocation || supersededId === undefined) return;
  await revokeVersion(context, supersededId);
}

function refuseUnlessPending({ stages }: SecretDescription, versionId: string): void {
  if (stages.get(versionId)?.includes("AWSPENDING")) return;
  throw new PermanentError(
    "not_pending",
    "The version is neither pending nor current any more: its rotation was cancelled or overtaken. Start a new rotation.",
  );
}

async function revokeVersion(context: RotationContext, versionId: string): Promise<void> {
  const { arn, clock, log, store } = context;
  const version = await store.read(arn, versionId);
  if (!version) return;
  const parsed = parseValue(version.value);
  if (parsed.kind === "foreign") {
    const unnamed = tokenFields(arn, { tokenId: undefined, expiresAt: undefined });
    log.event("token.unrevocable", { ...unnamed, reason: "it was there before us and has no token id" });
    return;
  }
  if (Date.parse(parsed.token.expiresAt) <= clock.now()) return;
  if ((await revoke(context, parsed.token)) !== "not_found") return;
  throw new RetryableError(
    "revocation_unclear",
    "revokeToken: HTTP 404, and C2M's own code is not there, so the superseded token may live. The reconciler tries again.",
  );
}
