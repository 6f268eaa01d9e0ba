import { DescribeSecretCommand, type DescribeSecretCommandOutput } from "@aws-sdk/client-secrets-manager";
import { type ParsedValue, parseValue, type StoredToken } from "../src/formats/stored-token.ts";
import type { Aws } from "./aws.ts";

/** A version of a token secret. */
export interface VersionView {
  versionId: string;
  stages: readonly string[];
  /** Undefined while it has no value. */
  held: ParsedValue | undefined;
}

/** A token secret as Secrets Manager has it now. Times in epoch ms. Holds tokens: what is shown is picked from it. */
export interface TokenView {
  name: string;
  arn: string;
  rotationEnabled: boolean;
  /** As in `rate(30 days)`. */
  schedule: string | undefined;
  rotationLambdaArn: string | undefined;
  createdAt: number | undefined;
  lastRotatedAt: number | undefined;
  lastChangedAt: number | undefined;
  nextRotationAt: number | undefined;
  /** When it was marked for deletion. */
  deletedAt: number | undefined;
  replicasInSync: boolean;
  current: VersionView | undefined;
  previous: VersionView | undefined;
  /** The version at AWSPENDING that is not current: a rotation that has not ended. */
  pending: VersionView | undefined;
  /** Whether AWSPENDING was left on the current version, which does no harm. */
  pendingLeftOver: boolean;
}

/** Looks at a secret and at the values of its labelled versions. */
export async function viewToken(aws: Aws, secretId: string): Promise<TokenView> {
  const secret = await aws.secrets.send(new DescribeSecretCommand({ SecretId: secretId }));
  const arn = secret.ARN ?? secretId;
  const at = (stage: string, but?: string) => versionAt(secret, stage, but);
  const read = async (versionId: string | undefined): Promise<VersionView | undefined> => {
    if (versionId === undefined) return undefined;
    const stages = secret.VersionIdsToStages?.[versionId] ?? [];
    // The values of a secret that is marked for deletion can't be read.
    const version = secret.DeletedDate ? undefined : await aws.store.read(arn, versionId);
    return { versionId, stages, held: version && parseValue(version.value) };
  };
  const [current, previous, pending] = await Promise.all([
    read(at("AWSCURRENT")),
    read(at("AWSPREVIOUS")),
    read(at("AWSPENDING", "AWSCURRENT")),
  ]);
  return {
    name: secret.Name ?? secretId,
    arn,
    rotationEnabled: secret.RotationEnabled === true,
    schedule: scheduleOf(secret),
    rotationLambdaArn: secret.RotationLambdaARN,
    createdAt: secret.CreatedDate?.getTime(),
    lastRotatedAt: secret.LastRotatedDate?.getTime(),
    lastChangedAt: secret.LastChangedDate?.getTime(),
    nextRotationAt: secret.NextRotationDate?.getTime(),
    deletedAt: secret.DeletedDate?.getTime(),
    replicasInSync: (secret.ReplicationStatus ?? []).every(({ Status }) => Status === "InSync"),
    current,
    previous,
    pending,
    pendingLeftOver: current?.stages.includes("AWSPENDING") ?? false,
  };
}

/** The token of a version, where it holds one of ours. */
export function tokenOf(version: VersionView | undefined): StoredToken | undefined {
  return version?.held?.kind === "ours" ? version.held.token : undefined;
}

/** Seconds left, or since it expired, in ms from `now`; undefined where no expiry is known. */
export function expiryOf(version: VersionView | undefined): number | undefined {
  const token = tokenOf(version);
  return token && Date.parse(token.expiresAt);
}

function versionAt(secret: DescribeSecretCommandOutput, stage: string, but?: string): string | undefined {
  const entries = Object.entries(secret.VersionIdsToStages ?? {});
  return entries.find(([, stages]) => stages.includes(stage) && (but === undefined || !stages.includes(but)))?.[0];
}

function scheduleOf({ RotationRules: rules }: DescribeSecretCommandOutput): string | undefined {
  if (rules?.ScheduleExpression !== undefined) return rules.ScheduleExpression;
  return rules?.AutomaticallyAfterDays === undefined ? undefined : `rate(${rules.AutomaticallyAfterDays} days)`;
}
