import type { NamedToken } from "../formats/ledger.ts";
import { listedBaseUrl } from "../formats/settings.ts";
import { biteMs } from "../ports/c2m.ts";
import { versionAt } from "../ports/secret-store.ts";
import { compareToken, idsOf, isSameToken } from "../rotation/same-token.ts";
import { type LedgerFacts, readFacts } from "./facts.ts";
import { type Candidate, emptyVerdict, type Situation, type Suspect, type Verdict } from "./situation.ts";

const hourMs = 3_600_000;

/** A token that only the ledger knows may be on its way into a version for this long. In ms. */
const settlingMs = hourMs;

/** A line may reach the ledger so late. In ms. */
export const logDelayMs = 15 * 60_000;

/** A replica that is behind holds a revocation back for so long; then a person has to decide. In ms. */
const replicaCeilingMs = 24 * hourMs;

/** C2M grants no token for longer: an older version holds none that lives. In ms. */
export const longestLifetimeMs = 90 * 24 * hourMs;

/** Nobody looks for a revocation's effect after two days. In ms. */
const lookedForMs = 48 * hourMs;

/**
 * What should be alive, and what is to be done about the rest:
 *
 * - wanted: the token at AWSCURRENT, here and in every other listed secret; at AWSPENDING of an open rotation; every
 *   superseded one until the grace is over
 * - candidates: the tokens of every version and every `token.issued` entry, less the revoked, less the expired
 * - revoke every candidate that is not wanted
 *
 * Pure and level-triggered: it looks at the state as it is, whatever step ran last.
 */
export function reconcileRule(situation: Situation): Verdict {
  const { now, secret, versions, stepMs } = situation;
  const facts = readFacts(situation.ledger, versions, situation.settings, stepMs);
  const verdict: Verdict = {
    ...emptyVerdict(),
    unrevocable: unnamedTokens(situation, facts),
    suspects: suspectsOf(situation, facts),
  };
  const pendingId = versionAt(secret, "AWSPENDING", "AWSCURRENT");
  if (pendingId !== undefined) judgePending(situation, pendingId, verdict);
  const pending = versions.find(({ versionId }) => versionId === pendingId)?.parsed;
  const graceEnds = graceEndOf(situation, facts);
  for (const found of candidatesOf(situation, facts, graceEnds)) {
    if (found.expiresAt !== undefined && Date.parse(found.expiresAt) <= now) continue;
    if (situation.ledgerFrom === 0 && found.stored && isUnnamed(found, facts)) verdict.found.push(found);
    if (isWanted(situation, found)) continue;
    // What became of it would stand in the part of the ledger that was not read: left to the run that reads it all.
    // C2M may have given the pending token before: then an older version holds it, too.
    const isPending = found.stored && pending !== undefined && compareToken(found, pending) === "same";
    if (found.stored && !isPending && graceEnds < situation.ledgerFrom) continue;
    judge(situation, facts, { found, isPending }, verdict);
  }
  verdict.superseded = supersededTokens(situation, verdict);
  return verdict;
}

function judge(
  situation: Situation,
  facts: LedgerFacts,
  { found, isPending }: { found: Candidate; isPending: boolean },
  verdict: Verdict,
): void {
  const { now, secret } = situation;
  const fates = idsOf(found).map((id) => ({ id, fate: facts.fateOf(found.baseUrl, id) }));
  const canLook = found.accessToken !== undefined && listedBaseUrl(situation.settings, found.baseUrl) !== undefined;
  const living = fates.filter(({ fate }) => {
    if (fate?.closed) return false;
    // Said dead by who knows what: asked again, where nobody can look for himself.
    return fate?.revokedAt === undefined || (fate.isDoubtful && !canLook);
  });
  const isDoubtful = fates.some(({ fate }) => fate?.isDoubtful);
  if (fates.length > 0 && living.length === 0) {
    if (found.stored) verdict.revokedBefore.push(found);
    if (isDoubtful) verdict.doubtful.push(found);
    const revokedAt = Math.max(...fates.map(({ fate }) => fate?.revokedAt ?? 0));
    const isLookedFor = now >= revokedAt + biteMs && now <= revokedAt + lookedForMs;
    if (found.accessToken && fates.some(({ fate }) => !fate?.closed) && isLookedFor) verdict.deaths.push(found);
    return;
  }
  const [tokenId, headerTokenId] = living.map(({ id }) => id);
  const notFoundSince = living[0]?.fate?.notFoundSince;
  const isLost = !found.stored && situation.ledgerFrom === 0;
  const candidate: Candidate = { ...found, tokenId, headerTokenId, notFoundSince, isDoubtful, isLost };
  // What C2M refused once it may grant later: the run that reads the whole ledger, once a day, asks again.
  const refused = living.some(({ fate }) => fate?.unrevocable) && situation.ledgerFrom > 0;
  if (tokenId === undefined || refused || (!found.stored && found.baseUrl === undefined)) {
    const isKnownDead = tokenId === undefined && situation.settings.deadVersions?.includes(found.versionId);
    if (!isPending && !isKnownDead) verdict.unrevocable.push(candidate);
    return;
  }
  const detachedAt = facts.detachedAt.get(found.versionId) ?? Number.NEGATIVE_INFINITY;
  const unlabelled = found.stored && !secret.stages.has(found.versionId);
  // By a replica: a run over the recent does not read every version, and one that is purged here may stand there.
  const mayBeShown = !isLost || facts.promoted.has(found.versionId);
  const waits =
    isPending ||
    now < found.dueAt ||
    now < detachedAt + 2 * situation.stepMs ||
    // Also where the line of a detachment was lost: a step that saw the label may still be at work. No step works on a
    // version that was current and is no more.
    (unlabelled && !facts.promoted.has(found.versionId) && now < (secret.lastChangedAt ?? 0) + 2 * situation.stepMs);
  if (waits) verdict.waiting.push(candidate);
  else if (!secret.replicasInSync && mayBeShown) {
    (now < found.dueAt + replicaCeilingMs ? verdict.waiting : verdict.blocked).push(candidate);
  } else verdict.revoke.push(candidate);
}

/** The tokens of all versions, and those that only the ledger knows. */
function candidatesOf({ versions }: Situation, { issued }: LedgerFacts, graceEnds: number): Candidate[] {
  const candidates: Candidate[] = [];
  const stored: NamedToken[] = [];
  const withoutId = new Set<string>();
  const lastIssuedAt = new Map<string, number>();
  for (const { versionId, parsed } of versions) {
    if (parsed.kind === "foreign") continue;
    const { token } = parsed;
    if (idsOf(token).length > 0) stored.push(token);
    if (token.tokenId === undefined) withoutId.add(`${versionId} ${token.expiresAt}`);
    candidates.push({ ...token, versionId, stored: true, dueAt: graceEnds });
  }
  for (const { entry } of issued) {
    const { token_id: tokenId, header_token_id: headerTokenId } = entry.fields;
    for (const id of idsOf({ tokenId, headerTokenId })) {
      lastIssuedAt.set(id, Math.max(lastIssuedAt.get(id) ?? 0, entry.at));
    }
  }
  for (const { entry, baseUrl } of issued) {
    const { at, fields } = entry;
    const token = {
      tokenId: fields.token_id,
      headerTokenId: fields.header_token_id,
      expiresAt: fields.expires_at,
      clientId: fields.client_id,
      baseUrl,
    };
    // Without an id it is told by its version and its expiry, and each version accounts for one.
    const isStored =
      fields.token_id === undefined
        ? withoutId.delete(`${fields.version_id} ${fields.expires_at}`)
        : stored.some((one) => isSameToken(one, { ...token, clientId: undefined }));
    if (isStored) continue;
    candidates.push({
      ...token,
      versionId: fields.version_id,
      stored: false,
      // A token that only the ledger knows may be on its way into a version, whatever an older line of it says.
      dueAt: Math.max(
        graceEnds,
        ...[at, ...idsOf(token).map((id) => lastIssuedAt.get(id) ?? 0)].map((one) => one + settlingMs),
      ),
    });
  }
  return candidates;
}

function isUnnamed(stored: Candidate, { issued }: LedgerFacts): boolean {
  const isNamed = issued.some(({ entry: { byOperator, fields }, baseUrl }) => {
    // It could name another expiry, and the token would be forgotten with its version.
    if (byOperator) return false;
    const { token_id: tokenId, header_token_id: headerTokenId, expires_at: expiresAt } = fields;
    return isSameToken(stored, { tokenId, headerTokenId, expiresAt, baseUrl });
  });
  return idsOf(stored).length > 0 && !isNamed;
}

/** Whether a secret holds it at AWSCURRENT: this one, or another one that is listed. */
function isWanted({ secret, versions, currentElsewhere }: Situation, candidate: Candidate): boolean {
  const current = versions.find(({ versionId }) => secret.stages.get(versionId)?.includes("AWSCURRENT"))?.parsed;
  return [current, ...currentElsewhere].some((held) => held && compareToken(candidate, held) === "same");
}

/**
 * Epoch ms. From the promotion, where the ledger's last one is of the version that is current, and superseded the one at
 * AWSPREVIOUS; else somebody has moved labels since, and it counts from the secret's own dates, which other changes move,
 * too. What an operator's command logged can only lengthen it.
 */
function graceEndOf({ secret, settings, graceSeconds }: Situation, facts: LedgerFacts): number {
  const { promotion, operatorPromotedAt } = facts;
  const previousId = versionAt(secret, "AWSPREVIOUS");
  const isKnown =
    promotion !== undefined &&
    promotion.at >= operatorPromotedAt &&
    promotion.versionId === versionAt(secret, "AWSCURRENT") &&
    (previousId === undefined || previousId === promotion.supersededId);
  const dates = Math.max(secret.lastRotatedAt ?? 0, secret.lastChangedAt ?? 0, promotion?.at ?? 0);
  return Math.max(isKnown ? promotion.at : dates, operatorPromotedAt) + (graceSeconds ?? settings.graceSeconds) * 1_000;
}

/**
 * Superseded values that were there before us: nobody can revoke them, and nobody knows when they end, but for the longest
 * that C2M grants. Secrets Manager may have removed the version since.
 */
function unnamedTokens(situation: Situation, { adoptedAt, promoted }: LedgerFacts): Candidate[] {
  const { now, secret, versions, outlived = new Set<string>(), settings, ledgerFrom } = situation;
  const known = new Set([...versions.map(({ versionId }) => versionId), ...outlived]);
  const stored = versions.filter(({ versionId, parsed, createdAt = now }) => {
    const stages = secret.stages.get(versionId) ?? [];
    const isHeld = stages.includes("AWSCURRENT") || stages.includes("AWSPENDING");
    return parsed.kind === "foreign" && !isHeld && now < createdAt + longestLifetimeMs;
  });
  // A run over the recent reads neither every version nor every line.
  const removed = [...adoptedAt].filter(
    ([versionId, at]) =>
      ledgerFrom === 0 && !known.has(versionId) && promoted.has(versionId) && now < at + longestLifetimeMs,
  );
  return [...stored.map(({ versionId }) => versionId), ...removed.map(([versionId]) => versionId)]
    .filter((versionId) => !settings.deadVersions?.includes(versionId))
    .map((versionId) => ({ tokenId: undefined, expiresAt: undefined, versionId, stored: true, dueAt: 0 }));
}

function suspectsOf({ now, stepMs }: Situation, { open }: LedgerFacts): Suspect[] {
  return open.flatMap(({ at, fields }): Suspect[] => {
    // The call may still be under way, or its outcome on its way into the ledger.
    if (now < at + stepMs + logDelayMs || Date.parse(fields.latest_expires_at) <= now) return [];
    return [
      {
        attemptId: fields.attempt_id,
        versionId: fields.version_id,
        baseUrl: fields.base_url,
        clientId: fields.client_id,
        latestExpiresAt: fields.latest_expires_at,
      },
    ];
  });
}

function judgePending(situation: Situation, pendingId: string, verdict: Verdict): void {
  const { now, secret, versions, ledger, settings } = situation;
  const parsed = versions.find(({ versionId }) => versionId === pendingId)?.parsed;
  const storedAt = parsed?.kind === "ours" ? Date.parse(parsed.token.issuedAt ?? "") : Number.NaN;
  const startedAt = ledger.find(
    ({ event, byOperator, fields }) =>
      event === "token.issue.started" && !byOperator && fields.version_id === pendingId,
  )?.at;
  const since = Number.isNaN(storedAt) ? (startedAt ?? secret.lastChangedAt ?? now) : storedAt;
  if (!secret.rotationEnabled) verdict.detach.push({ versionId: pendingId, reason: "rotation is not enabled" });
  else if (now - since > settings.pendingMaxAgeSeconds * 1_000) {
    verdict.detach.push({ versionId: pendingId, reason: "its rotation window is over" });
  } else verdict.pendingSince = since;
}

/**
 * Those that may be kept in place of the current one: none by hand, and none for longer than a day. The version that was
 * current last comes first, since after a rollback it is the older one.
 */
function supersededTokens({ secret, graceSeconds, now }: Situation, { revoke, waiting }: Verdict): Candidate[] {
  if (graceSeconds !== undefined) return [];
  const previousId = versionAt(secret, "AWSPREVIOUS");
  const rank = (one: Candidate) => (one.versionId === previousId ? Number.POSITIVE_INFINITY : expiryOf(one));
  return [...revoke, ...waiting]
    .filter(({ stored, versionId }) => stored && !secret.stages.get(versionId)?.includes("AWSPENDING"))
    .filter(({ dueAt }) => now < dueAt + 24 * hourMs)
    .sort((one, other) => rank(other) - rank(one));
}

/** Epoch ms. Tokens of one secret live equally long, so the first to expire is the oldest. */
export function expiryOf({ expiresAt }: Candidate): number {
  return expiresAt === undefined ? 0 : Date.parse(expiresAt);
}
