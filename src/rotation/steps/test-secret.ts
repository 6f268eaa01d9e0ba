import { tokenFields } from "../../formats/ledger.ts";
import { parseValue } from "../../formats/stored-token.ts";
import { stepTime } from "../../formats/time-table.ts";
import { PermanentError, RetryableError } from "../../ports/errors.ts";
import type { StoredVersion } from "../../ports/secret-store.ts";
import type { RotationContext, StepTarget } from "../context.ts";
import { detachPending } from "../detach.ts";
import { missingScopes, proveToken } from "../prove.ts";
import { isOfSettings } from "../same-token.ts";
import { readBack } from "../store.ts";

/**
 * testSecret: proves that the pending token works and has the scopes that the settings ask for. Never revokes.
 *
 * Secrets Manager also runs it alone, on a version that holds a copy of the current value, when rotation is configured
 * with RotateImmediately=false. Such a copy may lack scopes that only the next rotation will ask for, or be a value
 * from before us; neither is a failure of the configuration.
 */
export async function testSecret(context: RotationContext, { versionId }: StepTarget): Promise<void> {
  const { arn, log, settings } = context;
  const pending = await readBack(context, versionId);
  if (!pending) {
    throw new RetryableError(
      "pending_not_visible",
      "The pending version has no value that can be seen yet. Secrets Manager runs the rotation again.",
    );
  }
  if (!pending.stages.includes("AWSPENDING") && !pending.stages.includes("AWSCURRENT")) {
    throw new PermanentError(
      "not_pending",
      "The version is neither pending nor current any more: its rotation was cancelled or overtaken. Start a new rotation.",
    );
  }
  const parsed = parseValue(pending.value);
  if (parsed.kind === "foreign") {
    if (!(await holdsCurrentValue(context, pending))) {
      throw new PermanentError(
        "pending_not_ours",
        "The pending version holds a value that is not a token of ours. Detach AWSPENDING from it and rotate again.",
      );
    }
    log.event("token.adopted", {
      secret: arn,
      version_id: versionId,
      base_url: settings.baseUrl,
      client_id: settings.clientId,
    });
    return;
  }
  const { token } = parsed;
  if (!isOfSettings(settings, token) && !(await holdsCurrentValue(context, pending))) {
    await detachPending(context, versionId, "its token belongs to another C2M than the settings'");
    throw new PermanentError(
      "other_c2m",
      "The pending token belongs to another base URL or client than the settings'. AWSPENDING was taken off it, so that the next rotation starts afresh.",
    );
  }
  const missing = missingScopes(settings.scopes, token.scopes);
  if (missing.length > 0 && !(await holdsCurrentValue(context, pending))) {
    throw new PermanentError(
      "scopes_missing",
      `scopes: the pending token lacks ${missing.join(", ")}. If the settings have changed since it was issued, detach AWSPENDING and rotate again.`,
    );
  }
  // What C2M says now counts, whatever it said before.
  context.proven.delete(arn, versionId);
  const proof = await proveToken(context, token, stepTime.readBack / 3);
  if (proof === "elsewhere") return;
  if (proof === "dead") {
    const isCopy = await holdsCurrentValue(context, pending);
    if (!isCopy) await detachPending(context, versionId, "C2M says that its token is not valid");
    throw new PermanentError(
      "token_rejected",
      isCopy
        ? "C2M says that the current token is not valid. Rotate now to replace it."
        : "C2M says that the pending token is not valid. AWSPENDING was taken off it, so that the next rotation starts afresh.",
    );
  }
  context.proven.add(arn, versionId);
  log.event("token.proven", { version_id: versionId, ...tokenFields(arn, token) });
}

async function holdsCurrentValue({ arn, store }: RotationContext, version: StoredVersion): Promise<boolean> {
  if (version.stages.includes("AWSCURRENT")) return true;
  const current = await store.readCurrent(arn);
  return current?.value.equals(version.value) ?? false;
}
