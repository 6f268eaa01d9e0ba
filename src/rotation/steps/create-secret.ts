import { parseValue } from "../../formats/stored-token.ts";
import { PermanentError } from "../../ports/errors.ts";
import type { SecretDescription } from "../../ports/secret-store.ts";
import { versionAt } from "../../ports/secret-store.ts";
import type { Sensitive } from "../../ports/sensitive.ts";
import type { RotationContext, StepTarget } from "../context.ts";
import { refuseDecommissioned } from "../decommissioned.ts";
import { detachPending } from "../detach.ts";
import { issue } from "../issue.ts";
import { proveOrDiscard } from "../prove.ts";
import { isOfSettings } from "../same-token.ts";
import { storeToken } from "../store.ts";

/**
 * createSecret: issues a token and stores it at AWSPENDING. May assume nothing about earlier runs; leaves a version
 * that holds a token of ours. Done already when the version is current or has a value.
 */
export async function createSecret(context: RotationContext, target: StepTarget): Promise<void> {
  const { store, arn } = context;
  const { versionId } = target;
  const secret = await store.describe(arn);
  const stages = stagesToRotate(secret, versionId);
  if (stages.includes("AWSCURRENT")) return;
  const existing = await store.read(arn, versionId);
  if (existing) {
    const problem = whyDead(context, existing.value);
    // A version that is not pending any more (a late replay) holds up nothing.
    if (problem === undefined || !stages.includes("AWSPENDING")) return;
    // A stored value is immutable: this version can never be mended, and would hold up every later rotation.
    await detachPending(context, versionId, problem);
    throw new PermanentError(
      "pending_dead",
      `The pending version ${problem}. AWSPENDING was taken off it, so that the next rotation starts afresh.`,
    );
  }
  refuseDecommissioned(secret);
  refuseToBegin(context);
  const currentId = versionAt(secret, "AWSCURRENT");
  const held = currentId === undefined ? undefined : await store.read(arn, currentId);
  const current = held && parseValue(held.value);
  const { lifetimeSeconds } = context.settings;
  const token = await issue(context, { versionId, current, lifetimeSeconds });
  // Secrets Manager makes the first value of a secret current, whatever label it is stored with.
  if (currentId === undefined) await proveOrDiscard(context, token, current);
  await storeToken(context, token, { versionId, stages: ["AWSPENDING"], rotationToken: target.rotationToken }, current);
}

function refuseToBegin({ paused, settings }: RotationContext): void {
  const name = JSON.stringify(settings.secretName);
  if (settings.retire) {
    throw new PermanentError("retired", `retire: the token of ${name} is retired and not rotated any more.`);
  }
  if (!paused) return;
  throw new PermanentError(
    "paused",
    `paused: rotations are paused in the stack's config, so none is begun for ${name}. Set paused to false, then rotate.`,
  );
}

function stagesToRotate(secret: SecretDescription, versionId: string): readonly string[] {
  if (!secret.rotationEnabled) {
    throw new PermanentError(
      "rotation_not_enabled",
      `Rotation is not enabled for the secret ${JSON.stringify(secret.name)}. Enable it, or ignore this step of a rotation that was cancelled.`,
    );
  }
  const stages = secret.stages.get(versionId);
  if (!stages) {
    throw new PermanentError(
      "version_without_stage",
      `ClientRequestToken: the version has no staging label in the secret ${JSON.stringify(secret.name)}. Start a new rotation.`,
    );
  }
  return stages;
}

function whyDead({ clock, settings }: RotationContext, value: Sensitive): string | undefined {
  const parsed = parseValue(value);
  if (parsed.kind === "foreign") return "holds a value that is not a token of ours";
  if (!isOfSettings(settings, parsed.token)) return "holds a token of another C2M than the settings'";
  return Date.parse(parsed.token.expiresAt) <= clock.now() ? "holds a token that has expired" : undefined;
}
