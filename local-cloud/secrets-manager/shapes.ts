import * as v from "valibot";
import { quotas } from "../quotas.ts";

/**
 * Inputs of the operations, with AWS's field names and limits (from its API model). Unknown fields are ignored, as AWS
 * does. One schema is both the check and the type.
 */

const text = (min: number, max: number) => v.pipe(v.string(), v.minLength(min), v.maxLength(max));

const secretId = text(1, 2048);
const requestToken = text(32, 64);
const versionId = text(32, 64);
const stage = text(1, 256);
const value = {
  SecretString: v.optional(v.pipe(v.string(), v.minLength(1), v.maxBytes(quotas.secretValue.most))),
  /** base64; the limit is of the bytes. */
  SecretBinary: v.optional(
    v.pipe(
      v.string(),
      v.base64(),
      v.minLength(1),
      v.check((base64) => Buffer.byteLength(base64, "base64") <= quotas.secretValue.most, "limit"),
    ),
  ),
};
const description = v.optional(v.pipe(v.string(), v.maxLength(quotas.secretDescription.most)));
const kmsKeyId = v.optional(v.pipe(v.string(), v.maxLength(2048)));
const tags = v.array(
  v.object({ Key: text(1, quotas.tagKey.most), Value: v.pipe(v.string(), v.maxLength(quotas.tagValue.most)) }),
);
const replicaRegions = v.array(v.object({ Region: text(1, 128), KmsKeyId: kmsKeyId }));
const rotationRules = v.object({
  AutomaticallyAfterDays: v.optional(v.number()),
  ScheduleExpression: v.optional(text(1, 256)),
  Duration: v.optional(text(2, 3)),
});
const filters = v.pipe(
  v.array(
    v.object({
      Key: v.optional(
        v.picklist(["description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"]),
      ),
      Values: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(512))), v.minLength(1), v.maxLength(10))),
    }),
  ),
  v.maxLength(10),
);
const pageSize = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)));
const pageToken = v.optional(v.pipe(v.string(), v.maxLength(4096)));
const onlySecretId = v.object({ SecretId: secretId });

export const inputs = {
  CreateSecret: v.object({
    Name: text(1, quotas.secretName.most),
    ClientRequestToken: v.optional(requestToken),
    Description: description,
    KmsKeyId: kmsKeyId,
    ...value,
    Tags: v.optional(tags),
    AddReplicaRegions: v.optional(replicaRegions),
    ForceOverwriteReplicaSecret: v.optional(v.boolean()),
  }),
  DescribeSecret: onlySecretId,
  GetSecretValue: v.object({ SecretId: secretId, VersionId: v.optional(versionId), VersionStage: v.optional(stage) }),
  BatchGetSecretValue: v.object({
    SecretIdList: v.optional(v.pipe(v.array(secretId), v.minLength(1), v.maxLength(20))),
    Filters: v.optional(filters),
    MaxResults: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20))),
    NextToken: pageToken,
  }),
  PutSecretValue: v.object({
    SecretId: secretId,
    ClientRequestToken: v.optional(requestToken),
    ...value,
    VersionStages: v.optional(v.pipe(v.array(stage), v.minLength(1), v.maxLength(20))),
    RotationToken: v.optional(v.pipe(text(36, 256), v.regex(/^[a-zA-Z0-9-]+$/))),
  }),
  UpdateSecret: v.object({
    SecretId: secretId,
    ClientRequestToken: v.optional(requestToken),
    Description: description,
    KmsKeyId: kmsKeyId,
    ...value,
  }),
  UpdateSecretVersionStage: v.object({
    SecretId: secretId,
    VersionStage: stage,
    RemoveFromVersionId: v.optional(versionId),
    MoveToVersionId: v.optional(versionId),
  }),
  ListSecrets: v.object({
    IncludePlannedDeletion: v.optional(v.boolean()),
    Filters: v.optional(filters),
    SortOrder: v.optional(v.picklist(["asc", "desc"])),
    SortBy: v.optional(v.picklist(["created-date", "last-accessed-date", "last-changed-date", "name"])),
    MaxResults: pageSize,
    NextToken: pageToken,
  }),
  ListSecretVersionIds: v.object({
    SecretId: secretId,
    IncludeDeprecated: v.optional(v.boolean()),
    MaxResults: pageSize,
    NextToken: pageToken,
  }),
  RotateSecret: v.object({
    SecretId: secretId,
    ClientRequestToken: v.optional(requestToken),
    RotationLambdaARN: v.optional(v.pipe(v.string(), v.maxLength(2048))),
    RotationRules: v.optional(rotationRules),
    RotateImmediately: v.optional(v.boolean()),
  }),
  CancelRotateSecret: onlySecretId,
  DeleteSecret: v.object({
    SecretId: secretId,
    RecoveryWindowInDays: v.optional(v.pipe(v.number(), v.integer())),
    ForceDeleteWithoutRecovery: v.optional(v.boolean()),
  }),
  GetRandomPassword: v.object({
    PasswordLength: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096))),
    ExcludeCharacters: v.optional(v.pipe(v.string(), v.maxLength(4096))),
    ExcludeNumbers: v.optional(v.boolean()),
    ExcludePunctuation: v.optional(v.boolean()),
    ExcludeUppercase: v.optional(v.boolean()),
    ExcludeLowercase: v.optional(v.boolean()),
    IncludeSpace: v.optional(v.boolean()),
    RequireEachIncludedType: v.optional(v.boolean()),
  }),
  RestoreSecret: onlySecretId,
  TagResource: v.object({ SecretId: secretId, Tags: tags }),
  UntagResource: v.object({ SecretId: secretId, TagKeys: v.array(text(1, quotas.tagKey.most)) }),
  GetResourcePolicy: onlySecretId,
  PutResourcePolicy: v.object({
    SecretId: secretId,
    ResourcePolicy: text(1, quotas.secretPolicy.most),
    BlockPublicPolicy: v.optional(v.boolean()),
  }),
  ValidateResourcePolicy: v.object({
    SecretId: v.optional(secretId),
    ResourcePolicy: text(1, quotas.secretPolicy.most),
  }),
  DeleteResourcePolicy: onlySecretId,
  ReplicateSecretToRegions: v.object({
    SecretId: secretId,
    AddReplicaRegions: v.pipe(replicaRegions, v.minLength(1)),
    ForceOverwriteReplicaSecret: v.optional(v.boolean()),
  }),
  StopReplicationToReplica: onlySecretId,
  RemoveRegionsFromReplication: v.object({
    SecretId: secretId,
    RemoveReplicaRegions: v.pipe(v.array(text(1, 128)), v.minLength(1)),
  }),
};

export type Operation = keyof typeof inputs;
export type Input<O extends Operation> = v.InferOutput<(typeof inputs)[O]>;
export type Filter = v.InferOutput<typeof filters>[number];
export type Tag = v.InferOutput<typeof tags>[number];
export type ReplicaRegion = v.InferOutput<typeof replicaRegions>[number];
