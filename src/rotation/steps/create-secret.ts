import { parseValue } from "../../formats/stored-token.ts";
import { PermanentError } from "../../ports/errors.ts";
import type { SecretDescription } from "../../ports/secret-store.ts";
import { versionAt } from "../../ports/secret-store.ts";
import type { Sensitive } from "../../ports/sensitive.ts";
import type { RotationContext, StepTarget } from "../context.ts";
import { detachPending } from "../detach.ts";
import { issue } from "../issue.ts";
import { proveOrDiscard } from "../prove.ts";
import { storeToken } from "../store.ts";

/** Kept back of the function's time, once a token is being proven, for storing it or for revoking it. In ms. */
const reserveMs = 15_000;

/**
 * createSecret: issues a token and stores it at AWSPENDING. May assume nothing about earlier runs; leaves a version
 * that holds a token of ours. Done already when the version is current or has a value.
 */
export async function createSecret(context: RotationContext, target: StepTarget): Promise<void> {
  const { store } = context;
  const { versionId } = target;
  const secret = await store.describe(target.secretId);
  const stages = stagesToRotate(secret, versionId);
  if (stages.includes("AWSCURRENT")) return;
  const existing = await store.read(secret.arn, versionId);
  if (existing) {
    const problem = whyDead(context, existing.value);
    // A version that is not pending any more (a late replay) holds up nothing.
    if (problem === undefined || !stages.includes("AWSPENDING")) return;
    // A stored value is immutable: this version can never be mended, and would hold up every later rotation.
    await detachPending(context, secret.arn, versionId, problem);
    throw new PermanentError(
      "pending_dead",
      `The pending version ${problem}. AWSPENDING was taken off it, so that the next rotation starts afresh.`,
    );
  }
  const currentId = versionAt(secret, "AWSCURRENT");
  const current = currentId === undefined ? undefined : await store.read(secret.arn, currentId);
  const token = await issue(context, secret.arn, {
    versionId,
    current: current && parseValue(current.value),
    ttlSeconds: context.settings.ttlSeconds,
  });
  // Secrets Manager makes the first value of a secret current, whatever label it is stored with.
  if (currentId === undefined) await proveOrDiscard(context, secret.arn, token, reserveMs);
  await storeToken(context, secret.arn, token, {
    versionId,
    stages: ["AWSPENDING"],
    rotationToken: target.rotationToken,
  });
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

function whyDead(context: RotationContext, value: Sensitive): string | undefined {
  const parsed = parseValue(value);
  if (parsed.kind === "foreign") return "holds a value that is not a token of ours";
  return Date.parse(parsed.token.expiresAt) <= context.clock.now() ? "holds a token that has expired" : undefined;
}
