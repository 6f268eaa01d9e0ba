import { change } from "../changes.ts";
import { type Context, liveSecret } from "../context.ts";
import type { SecretState } from "../secret.ts";
import type { Input } from "../shapes.ts";

export interface ReplicationStatus {
  Region: string;
  KmsKeyId: string;
  Status: "InSync" | "InProgress" | "Failed";
  StatusMessage?: string;
}

/** The field ReplicationStatus; absent without replicas. Replicas have a status and no life of their own. */
export function replicationStatus(context: Context, state: SecretState): { ReplicationStatus?: ReplicationStatus[] } {
  if (state.replicas.length === 0) return {};
  const { replicationLagMs, failedReplicaRegions } = context.knobs;
  const lagging = context.clock.now() < state.lastValueDate + replicationLagMs;
  return {
    ReplicationStatus: state.replicas.map(({ Region, KmsKeyId = "alias/aws/secretsmanager" }) => ({
      Region,
      KmsKeyId,
      ...(failedReplicaRegions.includes(Region)
        ? { Status: "Failed", StatusMessage: "Replication failed" }
        : { Status: lagging ? "InProgress" : "InSync" }),
    })),
  };
}

export interface ReplicationOutput {
  ARN: string;
  ReplicationStatus?: ReplicationStatus[];
}

export function replicateSecretToRegions(
  context: Context,
  input: Input<"ReplicateSecretToRegions">,
): ReplicationOutput {
  const secret = liveSecret(context, input.SecretId);
  const added = new Set(input.AddReplicaRegions.map((replica) => replica.Region));
  change(context, secret, "metadata", (state) => {
    const others = state.replicas.filter((replica) => !added.has(replica.Region));
    state.replicas = [...others, ...input.AddReplicaRegions];
    return undefined;
  });
  return { ARN: secret.arn, ...replicationStatus(context, secret.state) };
}

export function removeRegionsFromReplication(
  context: Context,
  input: Input<"RemoveRegionsFromReplication">,
): ReplicationOutput {
  const secret = liveSecret(context, input.SecretId);
  change(context, secret, "metadata", (state) => {
    state.replicas = state.replicas.filter((replica) => !input.RemoveReplicaRegions.includes(replica.Region));
    return undefined;
  });
  return { ARN: secret.arn, ...replicationStatus(context, secret.state) };
}
