import { metricNames } from "../../formats/metrics.ts";
import { parseValue } from "../../formats/stored-token.ts";
import { AmbiguousError, PermanentError } from "../../ports/errors.ts";
import { versionAt } from "../../ports/secret-store.ts";
import type { RotationContext, StepTarget } from "../context.ts";
import { revoke } from "../revoke.ts";

/** How often a promotion is tried when the labels move under it, and the wait before the next try, in ms. */
const promotionAttempts = 3;
const promotionWaitMs = 500;

/**
 * finishSecret: promotes the proven version, then, where there is no grace period, revokes what it superseded, also
 * when the version was promoted by an earlier run. Promotion never waits for revocation.
 */
export async function finishSecret(context: RotationContext, target: StepTarget): Promise<void> {
  const { arn, supersededId } = await promote(context, target);
  const { settings } = context;
  if (settings.graceSeconds > 0 || !settings.revocation || supersededId === undefined) return;
  await revokeVersion(context, arn, supersededId);
}

/** Resolves with the version that lost AWSCURRENT to this one, now or in an earlier run. */
async function promote(
  context: RotationContext,
  { secretId, versionId }: StepTarget,
): Promise<{ arn: string; supersededId: string | undefined }> {
  const { store } = context;
  let answerLost = false;
  for (let attempt = 1; ; attempt += 1) {
    const secret = await store.describe(secretId);
    const { arn } = secret;
    const stages = secret.stages.get(versionId) ?? [];
    if (stages.includes("AWSCURRENT")) {
      const supersededId = versionAt(secret, "AWSPREVIOUS");
      if (answerLost) sayPromoted(context, arn, versionId, supersededId);
      return { arn, supersededId };
    }
    if (!stages.includes("AWSPENDING")) {
      throw new PermanentError(
        "not_pending",
        "The version is neither pending nor current any more: its rotation was cancelled or overtaken. Start a new rotation.",
      );
    }
    const supersededId = versionAt(secret, "AWSCURRENT");
    context.log.event("token.promotion.started", {
      secret: arn,
      version_id: versionId,
      superseded_version_id: supersededId,
    });
    try {
      await store.moveStage({
        secretId: arn,
        stage: "AWSCURRENT",
        toVersionId: versionId,
        ...(supersededId === undefined ? {} : { fromVersionId: supersededId }),
      });
    } catch (error) {
      // Somebody moved a label since we looked, or the answer was lost: look again.
      const lookAgain =
        error instanceof AmbiguousError || (error instanceof PermanentError && error.code === "stage_conflict");
      if (!lookAgain || attempt === promotionAttempts) throw error;
      answerLost ||= error instanceof AmbiguousError;
      await context.clock.sleep(promotionWaitMs * attempt);
      continue;
    }
    sayPromoted(context, arn, versionId, supersededId);
    return { arn, supersededId };
  }
}

function sayPromoted({ log }: RotationContext, arn: string, versionId: string, supersededId: string | undefined): void {
  log.event("token.promoted", { secret: arn, version_id: versionId, superseded_version_id: supersededId });
  log.metric(metricNames.promoted);
}

async function revokeVersion(context: RotationContext, secretArn: string, versionId: string): Promise<void> {
  const version = await context.store.read(secretArn, versionId);
  if (!version) return;
  const parsed = parseValue(version.value);
  if (parsed.kind === "foreign") {
    const fields = { secret: secretArn, token_id: undefined, expires_at: undefined };
    context.log.event("token.unrevocable", { ...fields, reason: "it was there before us and has no token id" });
    return;
  }
  if (Date.parse(parsed.token.expiresAt) <= context.clock.now()) return;
  await revoke(context, secretArn, parsed.token);
}
