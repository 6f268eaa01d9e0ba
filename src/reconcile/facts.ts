import type { LedgerEntry } from "../formats/ledger.ts";
import { isSameBaseUrl, normalBaseUrl, type TokenSettings } from "../formats/settings.ts";
import type { ParsedValue } from "../formats/stored-token.ts";

/** What the ledger says became of one token id at one C2M. */
export interface Fate {
  /** Epoch ms of the last `token.revoked`; undefined when it is to be revoked (again). */
  revokedAt: number | undefined;
  /** Whether C2M itself has not said that it is dead, but something before it has, or nobody could tell. */
  isDoubtful: boolean;
  /** C2M was seen to reject it, or nobody can tell any more: it is not looked at again. */
  closed: boolean;
  /** C2M refused to revoke it, or nobody could ask. */
  unrevocable: boolean;
  /** Since when a revocation has been answered 404 without C2M's code, epoch ms. */
  notFoundSince: number | undefined;
}

/** A token that the ledger knows as issued, or as found in a version. */
export interface Issued {
  entry: Extract<LedgerEntry, { event: "token.issued" | "token.found" }>;
  /** Undefined where the line does not say it and nothing tells which was in force. */
  baseUrl: string | undefined;
}

/** What follows from one secret's entries of the ledger. */
export interface LedgerFacts {
  issued: Issued[];
  fateOf(baseUrl: string | undefined, tokenId: string): Fate | undefined;
  /** Issue calls without an outcome. */
  open: Extract<LedgerEntry, { event: "token.issue.started" }>[];
  /** When AWSPENDING was taken off a version, by its id, epoch ms. */
  detachedAt: ReadonlyMap<string, number>;
  /** When a function last said of a version that its value was there before us, by its id, epoch ms. */
  adoptedAt: ReadonlyMap<string, number>;
  /** The last promotion that a function logged; one without an end may have happened until the function's time was up. */
  promotion: { versionId: string; supersededId: string | undefined; at: number } | undefined;
  /** The versions that are known to have been current. */
  promoted: ReadonlySet<string>;
  /** The last one that an operator's command logged, epoch ms: it lengthens a grace and proves nothing. */
  operatorPromotedAt: number;
}

type C2mSettings = Pick<TokenSettings, "baseUrl" | "formerBaseUrls">;

/**
 * Reads one secret's entries. Those that operators' commands wrote add tokens and lengthen waits; they settle nothing.
 *
 * @param entries oldest first
 * @param stepMs how long a step may go on after its last line
 */
export function readFacts(
  entries: readonly LedgerEntry[],
  versions: readonly { parsed: ParsedValue }[],
  settings: C2mSettings,
  stepMs: number,
): LedgerFacts {
  const inForce = baseUrlsInForce(entries, versions, settings);
  const fates = new Map<string, Fate>();
  const fate = (baseUrl: string | undefined, tokenId: string): Fate => {
    const key = keyOf(baseUrl, tokenId);
    const known = fates.get(key) ?? {
      revokedAt: undefined,
      isDoubtful: false,
      closed: false,
      unrevocable: false,
      notFoundSince: undefined,
    };
    fates.set(key, known);
    return known;
  };
  const issued: Issued[] = [];
  // The log may deliver a line twice.
  const told = new Set<string>();
  const started = new Map<string, Extract<LedgerEntry, { event: "token.issue.started" }>>();
  const ended = new Set<string>();
  const detachedAt = new Map<string, number>();
  const adoptedAt = new Map<string, number>();
  const promotions = new Map<string, NonNullable<LedgerFacts["promotion"]> & { ended: boolean }>();
  const promoted = new Set<string>();
  let operatorPromotedAt = 0;
  for (const entry of entries) {
    const { at, byOperator } = entry;
    switch (entry.event) {
      case "token.issue.started": {
        const known = started.get(entry.fields.attempt_id);
        // What an operator says of a function's attempt changes nothing.
        if (!known || (known.byOperator && !byOperator)) started.set(entry.fields.attempt_id, entry);
        break;
      }
      case "token.issue.refused":
        if (!byOperator) ended.add(entry.fields.attempt_id);
        break;
      case "token.issued":
        if (!byOperator) ended.add(entry.fields.attempt_id);
        if (told.has(sameLine(entry))) break;
        told.add(sameLine(entry));
        issued.push({ entry, baseUrl: entry.fields.base_url ?? inForce(at) });
        break;
      case "token.found":
        issued.push({ entry, baseUrl: entry.fields.base_url ?? inForce(at) });
        break;
      case "token.promotion.started":
      case "token.promoted":
        if (byOperator) operatorPromotedAt = Math.max(operatorPromotedAt, at);
        else {
          const { version_id: versionId, superseded_version_id: supersededId } = entry.fields;
          promotions.set(versionId, { versionId, supersededId, at, ended: entry.event === "token.promoted" });
          if (entry.event === "token.promoted") promoted.add(versionId);
          if (supersededId !== undefined) promoted.add(supersededId);
        }
        break;
      case "pending.detached":
        detachedAt.set(entry.fields.version_id, Math.max(detachedAt.get(entry.fields.version_id) ?? 0, at));
        break;
      case "token.adopted":
        if (!byOperator) adoptedAt.set(entry.fields.version_id, at);
        break;
      default:
        if (entry.fields.token_id !== undefined && (!byOperator || entry.event === "token.alive")) {
          settle(fate(entry.fields.base_url ?? inForce(at), entry.fields.token_id), entry);
        }
    }
  }
  const last = [...promotions.values()]
    .map(({ ended, at, ...ids }) => ({ ...ids, at: ended ? at : at + stepMs }))
    .reduce<LedgerFacts["promotion"]>((latest, one) => (latest && latest.at > one.at ? latest : one), undefined);
  return {
    issued,
    fateOf: (baseUrl, tokenId) => fates.get(keyOf(baseUrl, tokenId)),
    open: [...started.values()].filter(({ fields }) => !ended.has(fields.attempt_id)),
    detachedAt,
    adoptedAt,
    promotion: last,
    promoted,
    operatorPromotedAt,
  };
}

function settle(fate: Fate, entry: LedgerEntry): void {
  switch (entry.event) {
    case "token.revoked":
      // C2M's own word stands, whatever is said later.
      fate.isDoubtful = entry.fields.claimed === true && (fate.revokedAt === undefined || fate.isDoubtful);
      fate.revokedAt = entry.at;
      break;
    case "token.dead":
      Object.assign(fate, { closed: true, isDoubtful: false });
      break;
    case "token.death.unseen":
      Object.assign(fate, { closed: true, isDoubtful: true });
      break;
    case "token.alive":
      Object.assign(fate, { revokedAt: undefined, isDoubtful: false, closed: false, unrevocable: false });
      break;
    case "token.unrevocable":
      fate.unrevocable = true;
      break;
    case "token.revocation.failed":
      // Another answer in between: it does not last.
      fate.notFoundSince = entry.fields.code === "not_found" ? (fate.notFoundSince ?? entry.at) : undefined;
      break;
  }
}

/** The same for a line that the log delivers twice. */
function sameLine({ at, fields }: Extract<LedgerEntry, { event: "token.issued" }>): string {
  return `${at} ${fields.attempt_id} ${fields.token_id}`;
}

function keyOf(baseUrl: string | undefined, tokenId: string): string {
  return JSON.stringify([baseUrl === undefined ? "" : normalBaseUrl(baseUrl), tokenId]);
}

/**
 * Which base URL was in force when a line was written that does not say it, as far as it can be known: where only one was
 * ever used, that; else the one that was used both before and after.
 */
function baseUrlsInForce(
  entries: readonly LedgerEntry[],
  versions: readonly { parsed: ParsedValue }[],
  { baseUrl, formerBaseUrls = [] }: C2mSettings,
): (at: number) => string | undefined {
  const seen: { at: number; baseUrl: string }[] = [];
  for (const { parsed } of versions) {
    if (parsed.kind !== "ours" || parsed.token.baseUrl === undefined) continue;
    seen.push({ at: Date.parse(parsed.token.issuedAt ?? "") || 0, baseUrl: parsed.token.baseUrl });
  }
  for (const { at, byOperator, fields } of entries) {
    if (byOperator) continue;
    // Of tokens that live at a former C2M lines are written long afterwards: only issuing tells what is in force.
    if ("attempt_id" in fields && fields.base_url !== undefined) seen.push({ at, baseUrl: fields.base_url });
  }
  seen.sort((one, other) => one.at - other.at);
  const distinct = [...seen.map((one) => one.baseUrl), ...formerBaseUrls].some((one) => !isSameBaseUrl(one, baseUrl));
  if (!distinct) return () => baseUrl;
  return (at) => {
    const before = seen.findLast((one) => one.at <= at)?.baseUrl;
    const after = seen.find((one) => one.at >= at)?.baseUrl ?? baseUrl;
    return before !== undefined && isSameBaseUrl(before, after) ? before : undefined;
  };
}
