import type { Caller } from "../../aws/service.ts";
import { arnSuffix, awsManagedKey, secretArn } from "../arn.ts";
import { change } from "../changes.ts";
import { type Context, checkKms, seconds, writableSecret } from "../context.ts";
import {
  markedForDeletion,
  nameScheduledForDeletion,
  nameTaken,
  notOnReplica,
  recoveryWindowOutOfRange,
  tokenInUse,
  unrecorded,
} from "../errors.ts";
import { current } from "../labels.ts";
import { Secret } from "../secret.ts";
import type { Input } from "../shapes.ts";
import { givenValue, requiredToken, type SecretValue, sameValue } from "../value.ts";
import { checkReplicaRegions, type ReplicationStatus, replicationStatus } from "./replication.ts";
import { storeValue } from "./store.ts";
import { checkTags } from "./tags.ts";

const day = 86_400_000;

export interface CreateSecretOutput {
  ARN: string;
  Name: string;
  VersionId?: string;
  ReplicationStatus?: ReplicationStatus[];
}

/**
 * Creates a secret, with or without a first value. Repeating it with the same name, token and value answers the same again.
 *
 * `suffix` (six letters or digits) fixes the end of the ARN, which is random otherwise: for whoever must know it before.
 */
export function createSecret(
  context: Context,
  input: Input<"CreateSecret">,
  caller: Caller,
  suffix = arnSuffix(context.randomId()),
): CreateSecretOutput {
  const value = givenValue(context, input);
  const token = value && requiredToken(input.ClientRequestToken);
  checkTags(context, input.Tags ?? []);
  checkReplicaRegions(context, input.AddReplicaRegions);
  const existing = context.store.find(input.Name);
  if (existing) return repeatedCreate(existing, input, token, value);
  const secret = new Secret(secretArn(context.home, input.Name, suffix), input.Name, context.clock.now());
  checkKms(context, "CreateSecret", secret.arn);
  secret.state.description = input.Description;
  secret.state.kmsKeyId = input.KmsKeyId || undefined;
  if (input.Tags && input.Tags.length > 0) secret.state.tags = input.Tags;
  context.store.add(secret);
  if (value && token) storeValue(context, secret, { token, value, stages: [current], caller });
  const { AddReplicaRegions: regions } = input;
  if (regions) {
    change(context, secret, "metadata", () => {
      context.replication.add(secret, regions, input.ForceOverwriteReplicaSecret === true);
      return undefined;
    });
  }
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(token === undefined ? {} : { VersionId: token }),
    ...replicationStatus(context, secret.state),
  };
}

function repeatedCreate(
  existing: Secret,
  input: Input<"CreateSecret">,
  token: string | undefined,
  value: SecretValue | undefined,
): CreateSecretOutput {
  if (existing.state.deletion) throw nameScheduledForDeletion();
  const version = token === undefined ? undefined : existing.state.versions.get(token);
  if (!version?.value || !value || token === undefined) throw nameTaken(input.Name);
  if (!sameValue(version.value, value)) throw tokenInUse(token, existing.arn);
  return { ARN: existing.arn, Name: existing.name, VersionId: token };
}

export interface UpdateSecretOutput {
  ARN: string;
  Name: string;
  VersionId?: string;
}

/** Changes description, key, value or several of them. */
export function updateSecret(context: Context, input: Input<"UpdateSecret">, caller: Caller): UpdateSecretOutput {
  const value = givenValue(context, input);
  const token = value && requiredToken(input.ClientRequestToken);
  const secret = writableSecret(context, input.SecretId);
  if (value || input.KmsKeyId !== undefined) checkKms(context, "UpdateSecret", secret.arn);
  const describe = (state: Secret["state"]) => {
    if (input.Description !== undefined) state.description = input.Description;
    if (input.KmsKeyId === undefined) return;
    state.kmsKeyId = input.KmsKeyId || undefined;
    for (const version of state.versions.values()) {
      // A change of key encrypts what AWS's labels are on with the new one, too, and takes nothing from the one before.
      // Source: the user guide, "Change the encryption key for a secret".
      if (version.kmsKeyId === state.kmsKeyId || ![...version.stages].some((stage) => stage.startsWith("AWS")))
        continue;
      version.formerKmsKeyIds.push(version.kmsKeyId ?? awsManagedKey);
      version.kmsKeyId = state.kmsKeyId;
    }
  };
  if (!value || token === undefined) {
    change(context, secret, "metadata", (state) => void describe(state));
    return { ARN: secret.arn, Name: secret.name };
  }
  storeValue(context, secret, { token, value, stages: [current], caller, moreChanges: describe });
  return { ARN: secret.arn, Name: secret.name, VersionId: token };
}

export interface DeleteSecretOutput {
  ARN: string;
  Name: string;
  DeletionDate: number;
}

/** Schedules deletion in 7 to 30 days (default 30), or deletes at once without a way back. */
export function deleteSecret(context: Context, input: Input<"DeleteSecret">): DeleteSecretOutput {
  const now = context.clock.now();
  const force = input.ForceDeleteWithoutRecovery === true;
  const { knobs } = context;
  const days = input.RecoveryWindowInDays ?? 30;
  if (days < 7 || days > 30) throw recoveryWindowOutOfRange();
  if (force && input.RecoveryWindowInDays !== undefined) throw unrecorded(knobs.unrecorded.forceWithWindow);
  const secret = force ? context.store.find(input.SecretId) : writableSecret(context, input.SecretId);
  if (!secret) {
    // AWS answers a forced deletion of what isn't there as done.
    const ARN = input.SecretId.startsWith("arn:") ? input.SecretId : secretArn(context.home, input.SecretId, "??????");
    return { ARN, Name: input.SecretId, DeletionDate: seconds(now) };
  }
  if (secret.state.primaryArn !== undefined) throw notOnReplica();
  if (secret.state.replicas.length > 0) {
    const regions = secret.state.replicas.map(({ Region }) => Region).join(",");
    throw unrecorded(knobs.unrecorded.hasReplicas, { secret: input.SecretId, regions });
  }
  const purgeDate = force ? now + knobs.forceDeleteLingersMs : now + days * day;
  context.rotations.cancel(secret);
  context.scheduler.stop(secret);
  change(context, secret, "metadata", (state) => {
    state.deletion = { deletedDate: now, purgeDate };
    return undefined;
  });
  if (purgeDate <= now) context.store.remove(secret);
  return { ARN: secret.arn, Name: secret.name, DeletionDate: seconds(purgeDate) };
}

export function restoreSecret(context: Context, input: Input<"RestoreSecret">): { ARN: string; Name: string } {
  const secret = context.store.get(input.SecretId);
  const { deletion, primaryArn } = secret.state;
  if (primaryArn !== undefined) throw notOnReplica();
  if (!deletion) throw unrecorded(context.knobs.unrecorded.notScheduledForDeletion);
  if (deletion.purgeDate - deletion.deletedDate < day) throw markedForDeletion();
  change(context, secret, "metadata", (state) => {
    state.deletion = undefined;
    return undefined;
  });
  context.scheduler.plan(secret);
  return { ARN: secret.arn, Name: secret.name };
}
