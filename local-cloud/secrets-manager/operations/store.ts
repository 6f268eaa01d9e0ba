import type { Caller } from "../../aws/service.ts";
import { change } from "../changes.ts";
import { type Context, checkKms, writableSecret } from "../context.ts";
import { tokenInUse, unrecorded } from "../errors.ts";
import { attach, current, detach, holderOf, labelCount, orderedStages, pending } from "../labels.ts";
import type { LabelMove, Secret, SecretState, Version } from "../secret.ts";
import type { Input } from "../shapes.ts";
import { requiredToken, requiredValue, type SecretValue, sameValue } from "../value.ts";
import { newVersion, purgeVersions } from "../versions.ts";

export interface PutSecretValueOutput {
  ARN: string;
  Name: string;
  VersionId: string;
  VersionStages: string[];
}

/**
 * Stores a value as a new version, or in the placeholder of a rotation. The same token with the same value again changes
 * nothing; with another value it is refused.
 */
export function putSecretValue(context: Context, input: Input<"PutSecretValue">, caller: Caller): PutSecretValueOutput {
  const value = requiredValue(context, input);
  const token = requiredToken(input.ClientRequestToken);
  const secret = writableSecret(context, input.SecretId);
  checkKms(context, "PutSecretValue", secret.arn);
  const stages = input.VersionStages ?? [current];
  const version = storeValue(context, secret, { token, value, stages, caller, rotationToken: input.RotationToken });
  return { ARN: secret.arn, Name: secret.name, VersionId: token, VersionStages: orderedStages(context, version) };
}

/** What PutSecretValue, UpdateSecret and CreateSecret have in common. */
export function storeValue(
  context: Context,
  secret: Secret,
  put: {
    token: string;
    value: SecretValue;
    stages: readonly string[];
    caller: Caller;
    rotationToken?: string | undefined;
    moreChanges?: (state: SecretState) => void;
  },
): Version {
  const { knobs, clock, rotations, scheduler } = context;
  const existing = secret.state.versions.get(put.token);
  if (existing?.value) {
    if (!sameValue(existing.value, put.value)) throw tokenInUse(put.token, secret.arn);
    if (put.moreChanges) change(context, secret, "metadata", (state) => void put.moreChanges?.(state));
    return existing;
  }
  const first = ![...secret.state.versions.values()].some((version) => version.value);
  const joinsCurrent = first && (!existing || knobs.firstValueInPlaceholderIsCurrent);
  const stages = new Set(joinsCurrent ? [...put.stages, current] : put.stages);
  checkLabelLimit(context, secret.state, existing, stages);
  if (!existing && !purgeVersions(context, secret.state)) throw unrecorded(knobs.unrecorded.versionLimit);

  const open = rotations.openVersion(secret);
  const replacesCurrent = stages.has(current) || knobs.customPutAbandons;
  change(context, secret, "value", (state) => {
    const version = existing ?? newVersion(put.token, clock.now(), state.kmsKeyId);
    put.moreChanges?.(state);
    version.value = put.value;
    version.kmsKeyId = state.kmsKeyId;
    version.fromRotationFunction = rotations.isFromFunction(secret, put.token, put.caller, put.rotationToken);
    state.versions.set(version.id, version);
    // A value by hand ends a rotation that goes into another version, and frees the way for the next.
    if (replacesCurrent && holderOf(state, pending) !== version) detach(state, pending);
    return attachCurrentFirst(state, version, stages);
  });
  if (replacesCurrent && open !== undefined && open !== put.token) rotations.abandon(secret);
  if (stages.has(current) && open !== put.token && secret.state.rotation) {
    secret.state.rotation.history = { ...secret.state.rotation.history, fulfilledAt: clock.now() };
    scheduler.plan(secret);
  }
  return secret.state.versions.get(put.token) as Version;
}

// AWSPREVIOUS follows AWSCURRENT by itself; an explicit AWSPREVIOUS in the same call has the last word.
function attachCurrentFirst(state: SecretState, version: Version, stages: Set<string>): LabelMove[] {
  const ordered = [...stages].sort((a, b) => Number(b === current) - Number(a === current));
  return attach(state, version, ordered);
}

function checkLabelLimit(
  context: Context,
  state: SecretState,
  existing: Version | undefined,
  stages: Set<string>,
): void {
  const added = [...stages].filter((stage) => !existing?.stages.has(stage) && !holderOf(state, stage)).length;
  if (labelCount(state) + added > 20) throw unrecorded(context.knobs.unrecorded.labelLimit);
}
