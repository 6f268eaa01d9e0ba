import type { RotationLog } from "../formats/events.ts";
import type { TokenSettings } from "../formats/settings.ts";
import type { Sensitive } from "./sensitive.ts";

/** Time, handed in at the edge. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** A token as C2M issued it, long or short. */
export interface IssuedToken {
  accessToken: Sensitive;
  tokenType: string;
  /** The id to revoke it by: `token_id` of the body, else the header `X-Token-Id`. C2M may give neither. */
  tokenId: string | undefined;
  /** As C2M returned them; undefined when it did not say. */
  scopes: string[] | undefined;
  /** ISO 8601, as C2M wrote it. */
  expiresAt: string;
}

export interface IssueRequest {
  scopes: string[];
  /** 3600 to 7,776,000; C2M may clamp it. */
  ttlSeconds: number;
  /** The present token, for the mechanism that authenticates with it (`short_token`). */
  current: Sensitive | undefined;
  /** Epoch ms: no attempt may start so late that its answer would come after this. */
  deadline: number;
}

/**
 * The C2M auth API for one client, whatever its mechanism. Every method retries by itself, within `deadline`, what may
 * be repeated, and throws RetryableError, AmbiguousError or PermanentError.
 */
export interface C2m {
  /** Not idempotent: repeated only when no token can have been made. */
  issueLongTermToken(request: IssueRequest): Promise<IssuedToken>;
  /**
   * Exchanges a long token for a short one. PermanentError with code `invalid_token` when C2M says that the token is
   * not valid, and `unauthorized` for a 401 that does not say so.
   */
  issueShortTermToken(request: { longToken: Sensitive; scopes?: string[]; deadline: number }): Promise<IssuedToken>;
  /**
   * Resolves when the token is dead (revoked now or before, or unknown to C2M). PermanentError with code
   * `revocation_refused` on 401 and 403: this bearer may not revoke it. `beforeRetry` is awaited before every attempt but
   * the first, and its rejection is the attempt's: what was true of the token may have changed while it waited.
   */
  revokeToken(request: {
    tokenId: string;
    bearer: Sensitive;
    deadline: number;
    beforeRetry?: () => Promise<void>;
  }): Promise<void>;
}

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
}

/** A version that has a value. */
export interface StoredVersion {
  versionId: string;
  stages: readonly string[];
  value: Sensitive;
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
  stage: "AWSCURRENT" | "AWSPENDING";
  toVersionId?: string;
  fromVersionId?: string;
}

/**
 * Secrets Manager, as far as the protocol needs it. Every method throws RetryableError (throttled, or a read that got
 * no answer), AmbiguousError (a write whose answer was lost) or PermanentError with one of the codes `store_denied`,
 * `store_limit`, `store_invalid`, `secret_not_found`, `version_conflict` (another value is stored under this version
 * id) and `stage_conflict` (the label is not where `fromVersionId` says, or the version is not there).
 */
export interface SecretStore {
  describe(secretId: string): Promise<SecretDescription>;
  /** By version id; undefined when there is no such version, or it has no value yet. */
  read(secretId: string, versionId: string): Promise<StoredVersion | undefined>;
  /** The version at AWSCURRENT, label and value in one call; undefined when nothing is current. */
  readCurrent(secretId: string): Promise<StoredVersion | undefined>;
  /** Every version, those without a label included. */
  listVersions(secretId: string): Promise<ListedVersion[]>;
  put(version: NewVersion): Promise<void>;
  moveStage(move: StageMove): Promise<void>;
}

/** What a step works with: the two ports, time, randomness, the log, and the settings of the secret at hand. */
export interface RotationContext {
  store: SecretStore;
  c2m: C2m;
  clock: Clock;
  log: RotationLog;
  settings: TokenSettings;
  /** A random UUID. */
  randomId(): string;
  /** Epoch ms at which the function is killed. */
  deadline: number;
}
