import { hash } from "node:crypto";
import { decisionLabel } from "../formats/labels.ts";
import type { LedgerEntry } from "../formats/ledger.ts";
import { expiryToldSeconds } from "../formats/metrics.ts";
import type { TokenSettings } from "../formats/settings.ts";
import { type ParsedValue, parseValue } from "../formats/stored-token.ts";
import type { SecretDescription } from "../ports/secret-store.ts";
import { versionAt } from "../ports/secret-store.ts";
import type { SecretContext } from "../rotation/context.ts";
import { longestLifetimeMs, reconcileRule } from "./revocation-rule.ts";
import type { KnownVersion, RuleSettings, Verdict } from "./situation.ts";

/** How much of a secret a run looks at. */
export type Scope =
  /** The versions that AWS's own labels are on. */
  | "recent"
  /** Every version that may hold a token that lives. */
  | "all";

/** What a run has read of one secret. */
export interface Look {
  /** Described before the ledger was read, so that no label moved that the ledger says nothing of. */
  secret: SecretDescription;
  versions: readonly KnownVersion[];
  /** Ids of the versions that are older than any token lives: they were not read. */
  outlived: ReadonlySet<string>;
  current: KnownVersion | undefined;
  /** Nothing has happened to it, so no value was read. */
  isUnread?: boolean;
}

/** What a run found out about one secret. */
export interface Survey extends Look {
  verdict: Verdict;
}

/** Reads the versions of a secret. Changes nothing. */
export async function lookAt(
  { store, clock }: Pick<SecretContext, "store" | "clock">,
  secret: SecretDescription,
  scope: Scope,
): Promise<Look> {
  const ids = new Set(
    [...secret.stages]
      // A label of anybody's own stays on a token that has long been revoked, and the last hours' ledger does not say so.
      .filter(([, stages]) => scope === "all" || stages.some((stage) => stage.startsWith("AWS")))
      .map(([versionId]) => versionId),
  );
  const outlived = new Set<string>();
  if (scope === "all") {
    for (const { versionId, stages, createdAt } of await store.listVersions(secret.arn)) {
      // A label that the description does not show has come since: the version is of a rotation that has just begun.
      if (stages.length > 0 && !secret.stages.has(versionId)) continue;
      if (createdAt === undefined || createdAt > clock.now() - longestLifetimeMs) ids.add(versionId);
      else if (!ids.has(versionId)) outlived.add(versionId);
    }
  }
  const versions: KnownVersion[] = [];
  for (const versionId of ids) {
    const version = await store.read(secret.arn, versionId);
    if (version) versions.push({ versionId, parsed: parseValue(version.value), createdAt: version.createdAt });
  }
  const currentId = versionAt(secret, "AWSCURRENT");
  return { secret, versions, outlived, current: versions.find(({ versionId }) => versionId === currentId) };
}

/** Labels of a secret of which no rotation and no command is under way; the last one stays where it decided. */
const settledLabels = ["AWSCURRENT", "AWSPREVIOUS", decisionLabel];

/**
 * Whether a secret's description and the ledger say alone that a run over the recent has nothing to do for it: no label but
 * that of the current token and of the one before it, which was due, and left to the daily run, before the part of the ledger
 * that is read; no line there; and a rotation to come while the token has a week to live. What C2M granted is not among
 * it: the run that proves the current token, and the daily one, read the values.
 */
export function nothingHappened(
  secret: SecretDescription,
  run: { settings: TokenSettings; now: number; ledgerFrom: number; hasEntries: boolean },
): boolean {
  const { settings, now, ledgerFrom } = run;
  const { lastRotatedAt, lastChangedAt, nextRotationAt } = secret;
  if (run.hasEntries || settings.retire || !secret.rotationEnabled) return false;
  if (lastChangedAt === undefined || nextRotationAt === undefined) return false;
  const labels = [...secret.stages.values()].flat().filter((label) => /^(AWS|C2M)/.test(label));
  if (!labels.includes("AWSCURRENT") || labels.some((label) => !settledLabels.includes(label))) return false;
  if (Math.max(lastRotatedAt ?? 0, lastChangedAt) + settings.graceSeconds * 1_000 >= ledgerFrom) return false;
  // A first token is as old as the last change at least.
  const expiresAt = (lastRotatedAt ?? lastChangedAt) + settings.lifetimeSeconds * 1_000;
  const isInTime = now < nextRotationAt && nextRotationAt < expiresAt && now < expiresAt - expiryToldSeconds * 1_000;
  return isInTime && !isProofDue(settings.secretName, now);
}

/** The hour of the day (UTC) in which a secret's token is proven: spread, so that C2M is not called by all at once. */
export function hourOfProof(secretName: string): number {
  return Number.parseInt(hash("sha256", secretName).slice(0, 2), 16) % 24;
}

/** A run may come so much later within its hour than the one before it. In ms. */
const mostLateMs = 3 * 60_000;

/**
 * Whether a secret's token is proven by a run at this time: in its hour, and just before it, since the next run may come after
 * its end.
 *
 * @param now epoch ms
 */
export function isProofDue(secretName: string, now: number): boolean {
  const hour = hourOfProof(secretName);
  return [now, now + mostLateMs].some((time) => new Date(time).getUTCHours() === hour);
}

/** Applies the rule to what was read of one secret. */
export function surveyOf(
  look: Look,
  rest: {
    now: number;
    settings: RuleSettings;
    /** The secret's own entries. */
    ledger: readonly LedgerEntry[];
    ledgerFrom: number;
    graceSeconds?: number | undefined;
    currentElsewhere: readonly ParsedValue[];
    stepMs: number;
  },
): Survey {
  const { secret, versions, outlived } = look;
  return { ...look, verdict: reconcileRule({ secret, versions, outlived, ...rest }) };
}
