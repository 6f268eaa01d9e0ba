import type { Sensitive } from "./sensitive.ts";

/** What DescribeSecret tells, in one consistent look. */
export interface SecretDescription {
  arn: string;
  name: string;
  rotationEnabled: boolean;
  /** Staging labels by version id; versions without a label are not in it. */
  stages: ReadonlyMap<string, readonly string[]>;
  /** Epoch ms of the last rotation that Secrets Manager completed. */
  lastRotatedAt: number | undefined;
  /** Epoch ms. */
  lastChangedAt: number | undefined;
  /** Epoch ms by which the next scheduled rotation will have happened. */
  nextRotationAt: number | undefined;
  /** False while a replica has not caught up; true where there is none. */
  replicasInSync: boolean;
  /** Whether it has a replica at all; absent where nobody looked. */
  isReplicated?: boolean;
}

/** A version that has a value. */
export interface StoredVersion {
  versionId: string;
  stages: readonly string[];
  value: Sensitive;
  /** Epoch ms; absent where the store does not say. */
  createdAt?: number;
}

export interface ListedVersion {
  versionId: string;
  stages: readonly string[];
  /** Epoch ms. */
  createdAt: number | undefined;
}

export interface NewVersion {
  secretId: string;
  versionId: string;
  value: Sensitive;
  stages: string[];
  rotationToken: Sensitive | undefined;
}

export interface StageMove {
  secretId: string;
  stage: "AWSCURRENT" | "AWSPENDING" | "C2MDECISION" | "C2MDECOMMISSION";
  toVersionId?: string;
  fromVersionId?: string;
}

/** How a write ended that Secrets Manager answered. */
export type Put =
  | "stored"
  /** Another value is stored under this version id. */
  | "taken";

/** How a move of a label ended that Secrets Manager answered. */
export type Move =
  | "moved"
  /** The label is not where `fromVersionId` says, or the version is not there. */
  | "elsewhere";

/**
 * Secrets Manager, as far as the protocol needs it. Every method throws RetryableError (throttled, or a read that got
 * no answer), AmbiguousError (a write whose answer was lost) or PermanentError; the codes are the store's in `ErrorCode`.
 */
export interface SecretStore {
  describe(secretId: string): Promise<SecretDescription>;
  /** By version id; undefined when there is no such version, or it has no value yet. */
  read(secretId: string, versionId: string): Promise<StoredVersion | undefined>;
  /** The version at AWSCURRENT, label and value in one call; undefined when nothing is current. */
  readCurrent(secretId: string): Promise<StoredVersion | undefined>;
  /** Every version, those without a label included. */
  listVersions(secretId: string): Promise<ListedVersion[]>;
  put(version: NewVersion): Promise<Put>;
  moveStage(move: StageMove): Promise<Move>;
}

/** The version that has a staging label, and not the other one, where one is named. */
export function versionAt(secret: SecretDescription, stage: string, but?: string): string | undefined {
  for (const [versionId, stages] of secret.stages) {
    if (stages.includes(stage) && (but === undefined || !stages.includes(but))) return versionId;
  }
  return undefined;
}
