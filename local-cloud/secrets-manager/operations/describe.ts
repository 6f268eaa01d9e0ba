import type { RotationRules } from "../../schedule.ts";
import { type Context, primaryRegionOf, seconds, visibleState } from "../context.ts";
import { checkFilters, matchesFilters } from "../filters.ts";
import { orderedStages } from "../labels.ts";
import { page } from "../paging.ts";
import type { Secret, SecretState } from "../secret.ts";
import type { Input, Tag } from "../shapes.ts";
import { type ReplicationStatus, replicationStatus } from "./replication.ts";

/** What DescribeSecret and ListSecrets share. Only fields that have a value are there. */
export interface SecretMetadata {
  ARN: string;
  Name: string;
  Description?: string;
  KmsKeyId?: string;
  RotationEnabled?: boolean;
  RotationLambdaARN?: string;
  RotationRules?: RotationRules;
  LastRotatedDate?: number;
  NextRotationDate?: number;
  LastChangedDate: number;
  LastAccessedDate?: number;
  DeletedDate?: number;
  Tags?: Tag[];
  CreatedDate: number;
  PrimaryRegion?: string;
}

export interface DescribeSecretOutput extends SecretMetadata {
  /** Labelled versions only. */
  VersionIdsToStages?: Record<string, string[]>;
  ReplicationStatus?: ReplicationStatus[];
}

export function describeSecret(context: Context, input: Input<"DescribeSecret">): DescribeSecretOutput {
  const secret = context.store.get(input.SecretId);
  const state = visibleState(context, secret);
  const stages = stagesByVersion(context, state);
  return {
    ...metadata(context, secret, state),
    ...(stages ? { VersionIdsToStages: stages } : {}),
    ...replicationStatus(context, state),
  };
}

export interface ListSecretsOutput {
  SecretList: (SecretMetadata & { SecretVersionsToStages?: Record<string, string[]> })[];
  NextToken?: string;
}

export function listSecrets(context: Context, input: Input<"ListSecrets">): ListSecretsOutput {
  checkFilters(input.Filters);
  const { visibilityDelayMs } = context.knobs;
  const visible = context.store
    .all()
    .filter((secret) => secret.stateAt(context.clock.now() - visibilityDelayMs) !== undefined)
    .filter((secret) => input.IncludePlannedDeletion || !secret.state.deletion)
    .filter((secret) => matchesFilters(context, secret, input.Filters ?? []));
  const { items, ...rest } = page(context, sorted(visible, input), input);
  return {
    SecretList: items.map((secret) => {
      const state = visibleState(context, secret);
      const stages = stagesByVersion(context, state);
      return { ...metadata(context, secret, state), ...(stages ? { SecretVersionsToStages: stages } : {}) };
    }),
    ...rest,
  };
}

function sorted(secrets: Secret[], { SortBy = "created-date", SortOrder = "asc" }: Input<"ListSecrets">): Secret[] {
  const keys: Record<typeof SortBy, (secret: Secret) => number | string> = {
    "created-date": (secret) => secret.createdDate,
    "last-accessed-date": (secret) => secret.state.lastAccessedDate ?? 0,
    "last-changed-date": (secret) => secret.state.lastChangedDate,
    name: (secret) => secret.name,
  };
  const key = keys[SortBy];
  const direction = SortOrder === "asc" ? 1 : -1;
  return secrets.sort((a, b) => (key(a) < key(b) ? -direction : key(a) > key(b) ? direction : 0));
}

function stagesByVersion(context: Context, state: SecretState): Record<string, string[]> | undefined {
  const labelled = [...state.versions.values()].filter((version) => version.stages.size > 0);
  if (labelled.length === 0) return undefined;
  return Object.fromEntries(labelled.map((version) => [version.id, orderedStages(context, version)]));
}

function metadata(context: Context, secret: Secret, state: SecretState): SecretMetadata {
  const { description, kmsKeyId, rotation, lastAccessedDate, deletion, tags } = state;
  const primaryRegion = primaryRegionOf(context, state);
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(description ? { Description: description } : {}),
    ...(kmsKeyId === undefined ? {} : { KmsKeyId: kmsKeyId }),
    ...(rotation ? rotationMetadata(context, rotation) : {}),
    LastChangedDate: seconds(state.lastChangedDate),
    ...(lastAccessedDate === undefined ? {} : { LastAccessedDate: seconds(lastAccessedDate) }),
    ...(deletion ? { DeletedDate: seconds(deletion.deletedDate) } : {}),
    ...(tags ? { Tags: tags } : {}),
    CreatedDate: seconds(secret.createdDate),
    ...(primaryRegion === undefined ? {} : { PrimaryRegion: primaryRegion }),
  };
}

function rotationMetadata(
  context: Context,
  rotation: NonNullable<SecretState["rotation"]>,
): Pick<SecretMetadata, "RotationEnabled"> & Partial<SecretMetadata> {
  const { enabled, lambdaArn, rules, announced, lastRotatedDate, calculatedDays } = rotation;
  const shown = context.knobs.nextRotationDate === "start" ? announced?.start : announced && announced.end - 1000;
  return {
    RotationEnabled: enabled,
    RotationLambdaARN: lambdaArn,
    ...(rules
      ? {
          RotationRules: {
            ...(calculatedDays === undefined ? {} : { AutomaticallyAfterDays: calculatedDays }),
            ...rules,
          },
        }
      : {}),
    // Both are documented as null while rotation is off.
    ...(enabled && lastRotatedDate !== undefined ? { LastRotatedDate: seconds(lastRotatedDate) } : {}),
    ...(enabled && shown !== undefined ? { NextRotationDate: seconds(shown) } : {}),
  };
}
