import type { PermissionNeeded } from "../aws/service.ts";
import { awsManagedKey, type Home, isAwsManaged, kmsKeyArn, regionOf, secretArn, secretArnPrefix } from "./arn.ts";
import type { SecretsManagerEngine } from "./engine.ts";
import { current, holderOf } from "./labels.ts";
import type { Secret } from "./secret.ts";
import type { Operation, Tag } from "./shapes.ts";

type Keys = Record<string, string | string[]>;

/**
 * The permissions of a call, as the service authorization reference has them: the action on the secret's full ARN, with the condition keys
 * of the request and of the secret; kms actions for a value under a customer key; lambda:InvokeFunction for RotateSecret.
 */
export function permissionsFor(
  engine: SecretsManagerEngine,
  home: Home,
  operation: Operation,
  input: Record<string, unknown>,
): PermissionNeeded[] {
  const action = `secretsmanager:${operation}`;
  switch (operation) {
    case "ListSecrets":
    case "GetRandomPassword":
      return [{ action, resource: "*" }];
    case "BatchGetSecretValue":
      return batchPermissions(input);
    case "CreateSecret":
      return createPermissions(home, input);
    case "ValidateResourcePolicy":
      if (input.SecretId === undefined) return [{ action, resource: "*" }];
      return secretPermissions(engine, home, operation, input);
    default:
      return secretPermissions(engine, home, operation, input);
  }
}

function secretPermissions(
  engine: SecretsManagerEngine,
  home: Home,
  operation: Operation,
  input: Record<string, unknown>,
): PermissionNeeded[] {
  const action = `secretsmanager:${operation}`;
  const secretId = textOf(input.SecretId) ?? "";
  const secret = engine.find(secretId);
  const resource = secret?.arn ?? arnOfNothing(home, secretId);
  const onSecret: PermissionNeeded = {
    action,
    resource,
    context: {
      ...requestKeys(operation, input),
      ...(secret ? secretKeys(secret) : {}),
      "secretsmanager:SecretId": resource,
    },
    ...(secret?.state.policy === undefined ? {} : { resourcePolicy: secret.state.policy }),
  };
  return [
    onSecret,
    ...(secret ? kmsPermissions(operation, secret, home, input) : []),
    ...(operation === "RotateSecret" ? invokePermission(secret, input) : []),
  ];
}

function createPermissions(home: Home, input: Record<string, unknown>): PermissionNeeded[] {
  const resource = secretArn(home, textOf(input.Name) ?? "", "??????");
  const own: PermissionNeeded = {
    action: "secretsmanager:CreateSecret",
    resource,
    context: requestKeys("CreateSecret", input),
  };
  const key = textOf(input.KmsKeyId);
  const tagging = tagsOf(input).length > 0 ? [{ ...own, action: "secretsmanager:TagResource" }] : [];
  return [own, ...tagging, ...(key && hasValue(input) ? kmsWrite(home, key, resource, input) : [])];
}

// Whether each secret may be read is asked while the answer is made: what may not is listed in its Errors.
function batchPermissions(input: Record<string, unknown>): PermissionNeeded[] {
  return [
    { action: "secretsmanager:BatchGetSecretValue", resource: "*" },
    ...(input.Filters === undefined ? [] : [{ action: "secretsmanager:ListSecrets", resource: "*" }]),
  ];
}

/** Condition keys that tell what the request asks for. */
function requestKeys(operation: Operation, input: Record<string, unknown>): Keys {
  const keys: Keys = {};
  const put = (key: string, value: unknown) => {
    if (value !== undefined) keys[key] = Array.isArray(value) ? value.map(String) : String(value);
  };
  const fields = fieldsOf[operation] ?? [];
  for (const field of fields) put(`secretsmanager:${field}`, input[field]);
  if (Array.isArray(input.AddReplicaRegions)) {
    const regions = input.AddReplicaRegions.map(({ Region }: { Region?: unknown }) => Region);
    put("secretsmanager:AddReplicaRegions", regions);
  }
  if (operation === "RotateSecret") put("secretsmanager:ModifyRotationRules", input.RotationRules !== undefined);
  for (const { Key, Value } of tagsOf(input)) keys[`aws:RequestTag/${Key}`] = Value;
  const tagKeys = Array.isArray(input.TagKeys) ? input.TagKeys.map(String) : tagsOf(input).map((tag) => tag.Key);
  if (tagKeys.length > 0) keys["aws:TagKeys"] = tagKeys;
  return keys;
}

const fieldsOf: Partial<Record<Operation, string[]>> = {
  CreateSecret: ["Name", "Description", "KmsKeyId", "ForceOverwriteReplicaSecret"],
  ReplicateSecretToRegions: ["ForceOverwriteReplicaSecret"],
  UpdateSecret: ["Description", "KmsKeyId"],
  GetSecretValue: ["VersionId", "VersionStage"],
  UpdateSecretVersionStage: ["VersionStage"],
  RotateSecret: ["RotationLambdaARN", "RotateImmediately"],
  DeleteSecret: ["RecoveryWindowInDays", "ForceDeleteWithoutRecovery"],
  PutResourcePolicy: ["BlockPublicPolicy"],
};

/** Condition keys that tell about the secret. */
function secretKeys(secret: Secret): Keys {
  const { rotation, tags, primaryArn } = secret.state;
  const keys: Keys = { "secretsmanager:SecretPrimaryRegion": regionOf(primaryArn ?? secret.arn) };
  if (rotation) keys["secretsmanager:resource/AllowRotationLambdaArn"] = rotation.lambdaArn;
  for (const { Key, Value } of tags ?? []) {
    keys[`secretsmanager:ResourceTag/${Key}`] = Value;
    keys[`aws:ResourceTag/${Key}`] = Value;
  }
  return keys;
}

function kmsPermissions(
  operation: Operation,
  secret: Secret,
  home: Home,
  input: Record<string, unknown>,
): PermissionNeeded[] {
  const { state } = secret;
  if (operation === "GetSecretValue") {
    const version =
      state.versions.get(textOf(input.VersionId) ?? "") ?? holderOf(state, textOf(input.VersionStage) ?? current);
    if (!version?.value) return [];
    const key = version.kmsKeyId ?? awsManagedKey;
    if ([key, ...version.formerKmsKeyIds].some(isAwsManaged)) return [];
    const orResources = version.formerKmsKeyIds.map((former) => kmsKeyArn(home, former));
    const needed = kmsPermission("kms:Decrypt", home, key, secret.arn, version.id);
    return [{ ...needed, ...(orResources.length > 0 ? { orResources } : {}) }];
  }
  const writes = operation === "PutSecretValue" || operation === "UpdateSecret";
  const key = (operation === "UpdateSecret" ? textOf(input.KmsKeyId) : undefined) ?? state.kmsKeyId;
  return writes && hasValue(input) && key !== undefined ? kmsWrite(home, key, secret.arn, input) : [];
}

function kmsWrite(home: Home, key: string, arn: string, input: Record<string, unknown>): PermissionNeeded[] {
  if (isAwsManaged(key)) return [];
  const versionId = textOf(input.ClientRequestToken) ?? "";
  return [
    kmsPermission("kms:GenerateDataKey", home, key, arn, versionId),
    kmsPermission("kms:Decrypt", home, key, arn, versionId),
  ];
}

function kmsPermission(action: string, home: Home, key: string, arn: string, versionId: string): PermissionNeeded {
  return {
    action,
    resource: kmsKeyArn(home, key),
    context: {
      "kms:EncryptionContext:SecretARN": arn,
      "kms:EncryptionContext:SecretVersionId": versionId,
      "kms:ViaService": `secretsmanager.${home.region}.amazonaws.com`,
    },
    refusal: "Access to KMS is not allowed",
  };
}

function invokePermission(secret: Secret | undefined, input: Record<string, unknown>): PermissionNeeded[] {
  const resource = textOf(input.RotationLambdaARN) ?? secret?.state.rotation?.lambdaArn;
  return resource === undefined ? [] : [{ action: "lambda:InvokeFunction", resource }];
}

/** What a policy is matched against where the secret is not there: an ARN as given, or the one that the name would have. */
function arnOfNothing(home: Home, secretId: string): string {
  return secretId.startsWith("arn:") ? secretId : `${secretArnPrefix(home)}${secretId}-??????`;
}

function hasValue(input: Record<string, unknown>): boolean {
  return input.SecretString !== undefined || input.SecretBinary !== undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function tagsOf(input: Record<string, unknown>): Tag[] {
  if (!Array.isArray(input.Tags)) return [];
  return input.Tags.map((tag: Partial<Tag>) => ({ Key: String(tag.Key), Value: String(tag.Value) }));
}
