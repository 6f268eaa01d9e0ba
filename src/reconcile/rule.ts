import type { LedgerEntry } from "../formats/ledger.ts";
import type { ParsedValue } from "../formats/stored-token.ts";
import type { SecretDescription } from "../ports/secret-store.ts";
import { versionAt } from "../ports/secret-store.ts";
import type { Revocable } from "../rotation/same-token.ts";

/** A token that only the ledger knows may be on its way into a version for this long. In ms. */
const settlingMs = 3_600_000;

/** A version that has a value, as a run of the reconciler read it. */
export interface KnownVersion {
  versionId: string;
  parsed: ParsedValue;
}

/** All that the rule looks at. */
export interface Situation {
  /** Epoch ms. */
  now: number;
  secret: SecretDescription;
  versions: readonly KnownVersion[];
  /** The entries of this secret that are known: those since `ledgerFrom`. */
  ledger: readonly LedgerEntry[];
  /** Epoch ms; 0 when the whole ledger was read. */
  ledgerFrom: number;
  /** How long a superseded token stays alive, in ms. */
  graceMs: number;
  /** A pending version older than this belongs to no rotation that could still finish. In ms. */
  pendingMaxAgeMs: number;
  /** How long after a detachment a step may still be at work that saw the label. In ms. */
  stepMs: number;
}

/** A token that lives, or may live, and is not at AWSCURRENT. */
export interface Candidate extends Revocable {
  /** The version that it is in, or was issued for. */
  versionId: string;
  /** Whether a version that was read holds it; otherwise only the ledger knows of it. */
  stored: boolean;
}

/** An issue call without an outcome: a token that may live and whose id nobody knows. */
export interface Suspect {
  attemptId: string;
  versionId: string;
  /** ISO 8601: it does not live longer than this. */
  latestExpiresAt: string;
}

export interface Verdict {
  /** Dead weight: to be revoked now. */
  revoke: Candidate[];
  /** To be revoked later: in grace, on its way into a version, or with a replica that is behind. */
  waiting: Candidate[];
  /** Can't be revoked: no id, or C2M has just refused it. They live until they expire, or C2M changes its mind. */
  unrevocable: Candidate[];
  suspects: Suspect[];
  /** Versions whose AWSPENDING no rotation will ever move. */
  detach: { versionId: string; reason: string }[];
  /** Since when the pending version of an open rotation is pending, epoch ms. */
  pendingSince: number | undefined;
}

/**
 * What should be alive, and what is to be done about the rest:
 *
 * - wanted: the token at AWSCURRENT; at AWSPENDING of an open rotation; every superseded one until the grace is over
 * - candidates: the tokens of every version and every `token.issued` entry, less the revoked, less the expired
 * - revoke every candidate that is not wanted
 *
 * Pure and level-triggered: it looks at the state as it is, whatever step ran last.
 */
export function reconcileRule(situation: Situation): Verdict {
  const { now, secret, graceMs } = situation;
  const facts = factsOf(situation);
  const verdict: Verdict = {
    revoke: [],
    waiting: [],
    unrevocable: [],
    suspects: facts.suspects,
    detach: [],
    pendingSince: undefined,
  };
  const pendingId = versionAt(secret, "AWSPENDING", "AWSCURRENT");
  if (pendingId !== undefined) judgePending(situation, pendingId, verdict);

  const graceEnds = Math.max(secret.lastRotatedAt ?? 0, secret.lastChangedAt ?? 0, facts.lastPromotedAt) + graceMs;
  for (const { candidate, issuedAt } of facts.candidates) {
    if (candidate.tokenId !== undefined && facts.settled.has(candidate.tokenId)) continue;
    if (candidate.expiresAt !== undefined && Date.parse(candidate.expiresAt) <= now) continue;
    if (isCurrent(facts, candidate)) continue;
    // What became of it would stand in the part of the ledger that was not read: left to the run that reads it all.
    if (candidate.stored && candidate.versionId !== pendingId && graceEnds < situation.ledgerFrom) continue;
    // What C2M refused once it may grant later: the run that reads the whole ledger, once a day, asks again.
    const refused = facts.unrevocable.has(candidate.tokenId ?? "") && situation.ledgerFrom > 0;
    if (candidate.tokenId === undefined || refused) {
      if (!candidate.stored || candidate.versionId !== pendingId) verdict.unrevocable.push(candidate);
      continue;
    }
    const detachedAt = facts.detachedAt.get(candidate.versionId) ?? Number.NEGATIVE_INFINITY;
    const waits =
      (candidate.stored && candidate.versionId === pendingId) ||
      now < graceEnds ||
      now < detachedAt + 2 * situation.stepMs ||
      (issuedAt !== undefined && now < issuedAt + settlingMs) ||
      !secret.replicasInSync;
    (waits ? verdict.waiting : verdict.revoke).push(candidate);
  }
  return verdict;
}

interface Facts {
  current: KnownVersion | undefined;
  candidates: { candidate: Candidate; issuedAt: number | undefined }[];
  suspects: Suspect[];
  /** Ids that were revoked. */
  settled: Set<string>;
  unrevocable: Set<string>;
  /** Ids that are in a version. */
  stored: Set<string>;
  detachedAt: Map<string, number>;
  lastPromotedAt: number;
}

function factsOf({ now, secret, versions, ledger, stepMs }: Situation): Facts {
  const facts: Facts = {
    current: versions.find(({ versionId }) => secret.stages.get(versionId)?.includes("AWSCURRENT")),
    candidates: [],
    suspects: [],
    settled: new Set(),
    unrevocable: new Set(),
    stored: new Set(),
    detachedAt: new Map(),
    lastPromotedAt: 0,
  };
  const withoutId = new Set<string>();
  for (const { versionId, parsed } of versions) {
    if (parsed.kind === "foreign") continue;
    const { token } = parsed;
    if (token.tokenId === undefined) withoutId.add(`${versionId} ${token.expiresAt}`);
    else facts.stored.add(token.tokenId);
    facts.candidates.push({ candidate: { ...token, versionId, stored: true }, issuedAt: undefined });
  }
  const open = new Map<string, Suspect>();
  const promoting = new Map<string, number>();
  for (const { event, at, fields } of ledger) {
    switch (event) {
      case "token.issue.started":
        open.set(fields.attempt_id, {
          attemptId: fields.attempt_id,
          versionId: fields.version_id,
          latestExpiresAt: fields.latest_expires_at,
        });
        break;
      case "token.issue.refused":
        open.delete(fields.attempt_id);
        break;
      case "token.issued":
        open.delete(fields.attempt_id);
        // Without an id it is told by its version and its expiry, and each version accounts for one.
        if (
          fields.token_id === undefined
            ? !withoutId.delete(`${fields.version_id} ${fields.expires_at}`)
            : !facts.stored.has(fields.token_id)
        ) {
          facts.candidates.push({
            candidate: {
              tokenId: fields.token_id,
              expiresAt: fields.expires_at,
              headerTokenId: fields.header_token_id,
              clientId: fields.client_id,
              baseUrl: fields.base_url,
              versionId: fields.version_id,
              stored: false,
            },
            issuedAt: at,
          });
        }
        break;
      case "token.revoked":
        if (fields.token_id !== undefined) facts.settled.add(fields.token_id);
        break;
      case "token.unrevocable":
        if (fields.token_id !== undefined) facts.unrevocable.add(fields.token_id);
        break;
      case "token.promotion.started":
        promoting.set(fields.version_id, at);
        break;
      case "token.promoted":
        promoting.delete(fields.version_id);
        facts.lastPromotedAt = Math.max(facts.lastPromotedAt, at);
        break;
      case "pending.detached":
        facts.detachedAt.set(fields.version_id, at);
        break;
    }
  }
  // A step that was killed before it said so may have moved the label until its time was up.
  for (const at of promoting.values()) facts.lastPromotedAt = Math.max(facts.lastPromotedAt, at + stepMs);
  facts.suspects = [...open.values()].filter(({ latestExpiresAt }) => Date.parse(latestExpiresAt) > now);
  return facts;
}

function judgePending(situation: Situation, pendingId: string, verdict: Verdict): void {
  const { now, secret, versions, ledger } = situation;
  const parsed = versions.find(({ versionId }) => versionId === pendingId)?.parsed;
  const storedAt = parsed?.kind === "ours" ? Date.parse(parsed.token.issuedAt ?? "") : Number.NaN;
  const startedAt = ledger.find(
    ({ event, fields }) => event === "token.issue.started" && fields.version_id === pendingId,
  )?.at;
  const since = Number.isNaN(storedAt) ? (startedAt ?? secret.lastChangedAt ?? now) : storedAt;
  if (!secret.rotationEnabled) verdict.detach.push({ versionId: pendingId, reason: "rotation is not enabled" });
  else if (now - since > situation.pendingMaxAgeMs) {
    verdict.detach.push({ versionId: pendingId, reason: "its rotation window is over" });
  } else verdict.pendingSince = since;
}

function isCurrent({ current }: Facts, candidate: Candidate): boolean {
  if (!current) return false;
  if (current.versionId === candidate.versionId && candidate.accessToken !== undefined) return true;
  if (current.parsed.kind === "foreign") return false;
  const { token } = current.parsed;
  if (token.tokenId !== undefined && token.tokenId === candidate.tokenId) return true;
  return candidate.accessToken !== undefined && token.accessToken.equals(candidate.accessToken);
}
