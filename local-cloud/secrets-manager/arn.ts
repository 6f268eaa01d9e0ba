import { createHash } from "node:crypto";

/** Where secrets of one account and region live. */
export interface Home {
  accountId: string;
  region: string;
}

const suffix = /-[A-Za-z0-9]{6}$/;

/** `arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>`. */
export function secretArn(home: Home, name: string, suffixCharacters: string): string {
  return `${secretArnPrefix(home)}${name}-${suffixCharacters}`;
}

export function secretArnPrefix(home: Home): string {
  return `arn:aws:secretsmanager:${home.region}:${home.accountId}:secret:`;
}

/** The ARN of the replica of a secret in another region: all but the region is the same. */
export function arnInRegion(arn: string, region: string): string {
  const parts = arn.split(":");
  parts[3] = region;
  return parts.join(":");
}

export function regionOf(arn: string): string {
  return arn.split(":")[3] ?? "";
}

/** Six letters and digits, the same ones for the same seed. */
export function arnSuffix(seed: string): string {
  return createHash("sha256").update(seed).digest("hex").slice(0, 6);
}

/**
 * The name that a partial ARN (an ARN without its six last characters) stands for; undefined where it is not one of
 * this account and region. An ARN that already ends in a hyphen and six characters counts as complete, so a name of that form is never found
 * by its partial ARN, as AWS documents and does.
 */
export function nameOfPartialArn(home: Home, arn: string): string | undefined {
  const prefix = secretArnPrefix(home);
  if (!arn.startsWith(prefix) || suffix.test(arn)) return undefined;
  return arn.slice(prefix.length);
}

/** The key that AWS keeps for Secrets Manager, which every principal of the account may use through it. */
export const awsManagedKey = "alias/aws/secretsmanager";

export function isAwsManaged(keyId: string): boolean {
  return keyId.endsWith(awsManagedKey);
}

/** `arn:aws:kms:…` for whatever a KmsKeyId may be: a key's ARN, an alias, an alias' ARN or a key id. */
export function kmsKeyArn(home: Home, keyId: string): string {
  if (keyId.startsWith("arn:")) return keyId;
  const resource = keyId.startsWith("alias/") ? keyId : `key/${keyId}`;
  return `arn:aws:kms:${home.region}:${home.accountId}:${resource}`;
}

/** A function's name, from its ARN with or without a qualifier. */
export function functionNameOf(functionArn: string): string {
  return functionArn.split(":")[6] ?? functionArn;
}
