import type { LedgerEntry } from "../formats/ledger.ts";
import type { TokenSettings } from "../formats/settings.ts";
import type { ParsedValue } from "../formats/stored-token.ts";
import type { SecretDescription } from "../ports/secret-store.ts";
import type { Revocable } from "../rotation/same-token.ts";

/** A version that has a value, as a run of the reconciler read it. */
export interface KnownVersion {
  versionId: string;
  parsed: ParsedValue;
  /** Epoch ms; absent where nothing tells it. */
  createdAt?: number | undefined;
}

/** What of a secret's settings the rule looks at. */
export type RuleSettings = Pick<
  TokenSettings,
  "baseUrl" | "formerBaseUrls" | "deadVersions" | "graceSeconds" | "pendingMaxAgeSeconds"
>;

/** All that the rule looks at. */
export interface Situation {
  /** Epoch ms. */
  now: number;
  settings: RuleSettings;
  secret: SecretDescription;
  versions: readonly KnownVersion[];
  /** Ids of the versions that are older than any token lives, and were not read. Default: none. */
  outlived?: ReadonlySet<string>;
  /** The entries of this secret that are known: those since `ledgerFrom`. */
  ledger: readonly LedgerEntry[];
  /** Epoch ms; 0 when the whole ledger was read. */
  ledgerFrom: number;
  /** In place of the settings' grace, by hand: nothing is kept then for a current token that is rejected. */
  graceSeconds?: number | undefined;
  /** What is at AWSCURRENT of the listed secrets, as far as it could be read: it is spared here, too. */
  currentElsewhere: readonly ParsedValue[];
  /** How long after a detachment a step may still be at work that saw the label. In ms. */
  stepMs: number;
}

/** A token that lives, or may live, and is not at AWSCURRENT. */
export interface Candidate extends Revocable {
  /** The version that it is in, or was issued for. */
  versionId: string;
  /** Whether a version that was read holds it; otherwise only the ledger knows of it. */
  stored: boolean;
  /** ISO 8601; known at the most of a stored one. */
  issuedAt?: string | undefined;
  /** Epoch ms from which it should be dead. */
  dueAt: number;
  /** Since when its revocation has been answered 404 without C2M's code, epoch ms. */
  notFoundSince?: number | undefined;
  /** Whether only something that need not be C2M has called it dead, and this run can't look. */
  isDoubtful?: boolean;
  /** Whether no version holds its text, as a run over everything tells. */
  isLost?: boolean;
}

/** An issue call without an outcome: a token that may live and whose id nobody knows. */
export interface Suspect {
  attemptId: string;
  versionId: string;
  baseUrl: string | undefined;
  clientId: string | undefined;
  /** ISO 8601: it does not live longer than this. */
  latestExpiresAt: string;
}

export interface Verdict {
  /** Dead weight: to be revoked now. */
  revoke: Candidate[];
  /** The superseded tokens, the newest first: where C2M rejects the current one, the first that it accepts is kept. */
  superseded: Candidate[];
  /** To be revoked later: in grace, on its way into a version, or with a replica that is behind. */
  waiting: Candidate[];
  /** Held back by a replica for so long that a person has to decide. */
  blocked: Candidate[];
  /** Can't be revoked: no id, or C2M has just refused it. They live until they expire, or C2M changes its mind. */
  unrevocable: Candidate[];
  /** Revoked, and the text is at hand: C2M should reject them by now. */
  deaths: Candidate[];
  /** In a version, and revoked by an earlier run or a step. */
  revokedBefore: Candidate[];
  /** Called dead by what need not be C2M, or nobody could tell; and nobody has seen them dead since. */
  doubtful: Candidate[];
  suspects: Suspect[];
  /** Held by a version, and the whole ledger does not name them: somebody has stored them. */
  found: Candidate[];
  /** Versions whose AWSPENDING no rotation will ever move. */
  detach: { versionId: string; reason: string }[];
  /** Since when the pending version of an open rotation is pending, epoch ms. */
  pendingSince: number | undefined;
}

/** Nothing is known, and nothing is to be done. */
export function emptyVerdict(): Verdict {
  return {
    revoke: [],
    superseded: [],
    waiting: [],
    blocked: [],
    unrevocable: [],
    deaths: [],
    revokedBefore: [],
    doubtful: [],
    suspects: [],
    found: [],
    detach: [],
    pendingSince: undefined,
  };
}
