import { arnInRegion, awsManagedKey, regionOf } from "../arn.ts";
import { change } from "../changes.ts";
import { type Context, liveSecret, writableSecret } from "../context.ts";
import { invalidReplicaRegion, unrecorded } from "../errors.ts";
import type { Replica, SecretState } from "../secret.ts";
import type { Input, ReplicaRegion } from "../shapes.ts";

export interface ReplicationStatus {
  Region: string;
  KmsKeyId: string;
  Status: "InSync" | "InProgress" | "Failed";
  StatusMessage?: string;
}

/** The field ReplicationStatus; absent without replicas. */
export function replicationStatus(context: Context, state: SecretState): { ReplicationStatus?: ReplicationStatus[] } {
  if (state.replicas.length === 0) return {};
  return {
    ReplicationStatus: state.replicas.map((replica) => ({
      Region: replica.Region,
      KmsKeyId: replica.KmsKeyId ?? awsManagedKey,
      ...statusOf(context, replica),
    })),
  };
}

function statusOf({ clock, knobs }: Context, replica: Replica): Pick<ReplicationStatus, "Status" | "StatusMessage"> {
  const ordered = knobs.failedReplicaRegions.includes(replica.Region) ? "Replication failed" : undefined;
  const StatusMessage = ordered ?? replica.failure;
  if (StatusMessage !== undefined) return { Status: "Failed", StatusMessage };
  return { Status: clock.now() < replica.inSyncAt ? "InProgress" : "InSync" };
}

/** Throws where a region is the secret's own, none, or there twice. */
export function checkReplicaRegions({ home }: Context, added: readonly ReplicaRegion[] = []): void {
  const names = added.map(({ Region }) => Region);
  const known = (name: string) => /^[a-z]{2}(-[a-z]+)+-\d$/.test(name);
  if (new Set(names).size < names.length || !names.every((name) => known(name) && name !== home.region)) {
    throw invalidReplicaRegion();
  }
}

export interface ReplicationOutput {
  ARN: string;
  ReplicationStatus?: ReplicationStatus[];
}

export function replicateSecretToRegions(
  context: Context,
  input: Input<"ReplicateSecretToRegions">,
): ReplicationOutput {
  const secret = writableSecret(context, input.SecretId);
  checkReplicaRegions(context, input.AddReplicaRegions);
  change(context, secret, "metadata", () => {
    context.replication.add(secret, input.AddReplicaRegions, input.ForceOverwriteReplicaSecret === true);
    return undefined;
  });
  return { ARN: secret.arn, ...replicationStatus(context, secret.state) };
}

export function removeRegionsFromReplication(
  context: Context,
  input: Input<"RemoveRegionsFromReplication">,
): ReplicationOutput {
  const secret = writableSecret(context, input.SecretId);
  change(context, secret, "metadata", () => {
    context.replication.remove(secret, input.RemoveReplicaRegions);
    return undefined;
  });
  return { ARN: secret.arn, ...replicationStatus(context, secret.state) };
}

/** Makes a replica a secret of its own; to be called in its region. */
export function stopReplicationToReplica(context: Context, input: Input<"StopReplicationToReplica">): { ARN: string } {
  const secret = liveSecret(context, input.SecretId);
  const primary = context.replication.primaryOf(secret);
  if (secret.state.primaryArn === undefined) throw unrecorded(context.knobs.unrecorded.notAReplica);
  change(context, secret, "metadata", (state) => {
    state.primaryArn = undefined;
    return undefined;
  });
  if (primary?.state.replicas.some(({ Region }) => arnInRegion(primary.arn, Region) === secret.arn)) {
    const own = regionOf(secret.arn);
    change(context, primary, "metadata", (state) => {
      state.replicas = state.replicas.filter(({ Region }) => Region !== own);
      return undefined;
    });
  }
  return { ARN: secret.arn };
}
