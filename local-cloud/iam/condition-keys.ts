import type { Statement } from "./policy.ts";
import { matchesWildcard } from "./wildcard.ts";

// What every action on a secret has. Source: service authorization reference, "AWS Secrets Manager", from memory where
// the stored pages end; `*` stands for a tag's key.
const ofSecret = [
  "secretsmanager:SecretId",
  "secretsmanager:resource/AllowRotationLambdaArn",
  "secretsmanager:SecretPrimaryRegion",
  "secretsmanager:ResourceTag/*",
  "aws:ResourceTag/*",
];
const ofTags = ["aws:RequestTag/*", "aws:TagKeys"];
const ofKey = ["aws:ResourceTag/*", "kms:CallerAccount", "kms:RequestAlias", "kms:ResourceAliases", "kms:ViaService"];
const ofCryptography = [...ofKey, "kms:EncryptionAlgorithm", "kms:EncryptionContext:*", "kms:EncryptionContextKeys"];

/** The condition keys of an action beside the global ones, for the actions that have any. */
const keysByAction: Record<string, readonly string[]> = {
  "secretsmanager:BatchGetSecretValue": [],
  "secretsmanager:CancelRotateSecret": ofSecret,
  "secretsmanager:CreateSecret": [
    ...ofTags,
    "aws:ResourceTag/*",
    "secretsmanager:ResourceTag/*",
    "secretsmanager:Name",
    "secretsmanager:Description",
    "secretsmanager:KmsKeyId",
    "secretsmanager:AddReplicaRegions",
    "secretsmanager:ForceOverwriteReplicaSecret",
  ],
  "secretsmanager:DeleteResourcePolicy": ofSecret,
  "secretsmanager:DeleteSecret": [
    ...ofSecret,
    "secretsmanager:RecoveryWindowInDays",
    "secretsmanager:ForceDeleteWithoutRecovery",
  ],
  "secretsmanager:DescribeSecret": ofSecret,
  "secretsmanager:GetRandomPassword": [],
  "secretsmanager:GetResourcePolicy": ofSecret,
  "secretsmanager:GetSecretValue": [...ofSecret, "secretsmanager:VersionId", "secretsmanager:VersionStage"],
  "secretsmanager:ListSecrets": [],
  "secretsmanager:ListSecretVersionIds": ofSecret,
  "secretsmanager:PutResourcePolicy": [...ofSecret, "secretsmanager:BlockPublicPolicy"],
  "secretsmanager:PutSecretValue": ofSecret,
  "secretsmanager:RemoveRegionsFromReplication": ofSecret,
  "secretsmanager:ReplicateSecretToRegions": [
    ...ofSecret,
    "secretsmanager:AddReplicaRegions",
    "secretsmanager:ForceOverwriteReplicaSecret",
  ],
  "secretsmanager:RestoreSecret": ofSecret,
  "secretsmanager:RotateSecret": [
    ...ofSecret,
    "secretsmanager:RotationLambdaARN",
    "secretsmanager:ModifyRotationRules",
    "secretsmanager:RotateImmediately",
  ],
  "secretsmanager:StopReplicationToReplica": ofSecret,
  "secretsmanager:TagResource": [...ofSecret, ...ofTags],
  "secretsmanager:UntagResource": [...ofSecret, "aws:TagKeys"],
  "secretsmanager:UpdateSecret": [...ofSecret, "secretsmanager:Description", "secretsmanager:KmsKeyId"],
  "secretsmanager:UpdateSecretVersionStage": [...ofSecret, "secretsmanager:VersionStage"],
  "secretsmanager:ValidateResourcePolicy": ofSecret,
  "kms:Decrypt": ofCryptography,
  "kms:DescribeKey": ofKey,
  "kms:Encrypt": ofCryptography,
  "kms:GenerateDataKey": ofCryptography,
};

const known = new Map(Object.entries(keysByAction).map(([action, keys]) => [action.toLowerCase(), keys]));

/** Whether AWS ever sends this condition key with this action. True for global keys, and for actions without a list here. */
export function actionHasKey(action: string, key: string): boolean {
  const keys = known.get(action.toLowerCase());
  const lower = key.toLowerCase();
  const isGlobal = lower.startsWith("aws:") && !/^aws:(resourcetag|requesttag|tagkeys)/.test(lower);
  return !keys || isGlobal || keys.some((pattern) => matchesWildcard(pattern.toLowerCase(), lower));
}

/** The keys that AWS would send with the action, of those that are at hand: a condition on another one finds it absent. */
export function keysOfAction(action: string, context: Record<string, string | string[]> = {}) {
  return Object.fromEntries(Object.entries(context).filter(([key]) => actionHasKey(action, key)));
}

/**
 * Grants that never match, since the action does not have a key that its statement asks for. AWS takes such a policy
 * without a word.
 */
export function impossibleGrants(statements: Statement[]): { action: string; key: string }[] {
  return statements
    .filter(({ effect }) => effect === "Allow")
    .flatMap(({ actions, conditions }) =>
      actions.flatMap((action) =>
        conditions
          .filter(({ operator }) => !operator.ifExists && operator.quantifier !== "ForAllValues")
          .filter(({ operator }) => !operator.base.includes("Not") && operator.base !== "Null")
          .filter(({ key }) => !actionHasKey(action, key))
          .map(({ key }) => ({ action, key })),
      ),
    );
}
