import type { RotationLog } from "../formats/ledger.ts";
import { expiryToldSeconds, type MetricName, metricNames } from "../formats/metrics.ts";
import type { Acted } from "./act.ts";
import type { Failure } from "./run.ts";
import { type Candidate, emptyVerdict } from "./situation.ts";
import type { Scope, Survey } from "./survey.ts";

/** What a run did and found for one secret. Holds no secret. */
export interface SecretReport {
  name: string;
  /** The ids of the tokens that were revoked. */
  revoked: string[];
  /** The ids of those that are in a version and were revoked before; absent where there are none. */
  revokedBefore?: string[];
  waiting: number;
  /** Due to be revoked, and alive. */
  backlog: number;
  unrevocable: { tokenId: string | undefined; expiresAt: string | undefined }[];
  /** Due, and held back on purpose, with their expiry. */
  held: { tokenId: string | undefined; expiresAt: string | undefined; reason: "paused" | "kept" | "replica" }[];
  /** Revoked tokens that C2M was seen to reject, or to let in; and how many were seen neither way. */
  seenDead: string[];
  seenAlive: string[];
  unseen: number;
  /**
   * Nothing is left to do but to wait for the next rotation, as far as this run has looked. Of a token that is retired only a
   * run over everything says so: then nothing of it lives but the current one.
   */
  quiet: boolean;
  suspects: { attemptId: string; latestExpiresAt: string }[];
  detached: string[];
  pendingForSeconds?: number;
  secondsToExpiry?: number;
  secondsSinceRotation?: number;
  /** Whether the next rotation comes before the current token expires; absent while one is under way. */
  rotatesInTime?: boolean;
  /** Absent when this run did not ask C2M. */
  currentWorks?: boolean;
  /** Why this run could not look at the secret, or not to the end. */
  error?: Failure;
}

export interface ReconcileReport {
  scope: Scope;
  c2mCalls: number;
  /** Lines of the ledger that could not be read. */
  unreadable: number;
  /** A change freeze: nothing was revoked. */
  paused: boolean;
  secrets: SecretReport[];
}

/** What a run has seen and done, told secret by secret. */
export function reportOf(
  scope: Scope,
  acted: readonly Acted[],
  { now, ...run }: Pick<ReconcileReport, "c2mCalls" | "unreadable" | "paused"> & { now: number },
): ReconcileReport {
  return { scope, ...run, secrets: acted.map((one) => secretReport(one, scope, now)) };
}

function secretReport(acted: Acted, scope: Scope, now: number): SecretReport {
  const { surveyed, detached, currentWorks } = acted;
  const survey = "survey" in surveyed ? surveyed.survey : undefined;
  const verdict = survey?.verdict ?? emptyVerdict();
  const of = (outcome: string) =>
    acted.revocations.filter((done) => done.outcome === outcome).map(({ candidate }) => candidate);
  const [error] = acted.failures;
  const named = ({ tokenId, expiresAt }: Candidate) => ({ tokenId, expiresAt });
  const seen = (how: string) => acted.deaths.filter((death) => death.seen === how).map(({ candidate }) => candidate);
  const held = [
    ...of("paused").map((one) => ({ ...named(one), reason: "paused" as const })),
    ...of("kept").map((one) => ({ ...named(one), reason: "kept" as const })),
    ...verdict.blocked.map((one) => ({ ...named(one), reason: "replica" as const })),
  ];
  const backlog = of("later").length + verdict.blocked.length;
  const unrevocable = [...verdict.unrevocable, ...of("unrevocable")];
  const before = idsIn(verdict.revokedBefore);
  const doubtful = [...verdict.doubtful, ...of("claimed"), ...of("unseen"), ...seen("alive")];
  const { waiting, suspects, detach } = verdict;
  const isOpen = [waiting, suspects, detach, unrevocable, held, doubtful].some((list) => list.length > 0);
  return {
    name: surveyed.settings.secretName,
    revoked: idsIn(revokedIn(acted)),
    ...(before.length === 0 ? {} : { revokedBefore: before }),
    waiting: waiting.length,
    // What a replica holds back for a day rings, too.
    backlog,
    unrevocable: unrevocable.map(named),
    held,
    seenDead: idsIn(seen("dead")),
    seenAlive: idsIn(seen("alive")),
    unseen: seen("neither").length + of("unseen").length,
    quiet: backlog === 0 && !isOpen && error === undefined && (scope === "all" || !surveyed.settings.retire),
    suspects: suspects.map(({ attemptId, latestExpiresAt }) => ({ attemptId, latestExpiresAt })),
    detached,
    ...(survey ? agesOf(survey, now) : {}),
    ...(currentWorks === undefined ? {} : { currentWorks }),
    ...(error === undefined ? {} : { error }),
  };
}

function idsIn(candidates: readonly Candidate[]): string[] {
  return candidates.map(({ tokenId }) => tokenId).filter((id) => id !== undefined);
}

function agesOf({ secret, current, verdict }: Survey, now: number): Partial<SecretReport> {
  const ages: Partial<SecretReport> = {};
  if (verdict.pendingSince !== undefined) ages.pendingForSeconds = seconds(now - verdict.pendingSince);
  if (secret.lastRotatedAt !== undefined) ages.secondsSinceRotation = seconds(now - secret.lastRotatedAt);
  if (current?.parsed.kind !== "ours") return ages;
  const expiresAt = Date.parse(current.parsed.token.expiresAt);
  ages.secondsToExpiry = seconds(expiresAt - now);
  // While a rotation is under way, the next one may be named before its token is current.
  const isUnderWay = verdict.pendingSince !== undefined;
  if (secret.nextRotationAt !== undefined && !isUnderWay) ages.rotatesInTime = secret.nextRotationAt < expiresAt;
  return ages;
}

/** Writes the run's suspects, its summary and its metrics. */
export function logReport(
  log: RotationLog,
  { scope, secrets, c2mCalls, unreadable, paused }: ReconcileReport,
  acted: readonly Acted[],
): void {
  const sum = (count: (report: SecretReport) => number) => secrets.reduce((total, one) => total + count(one), 0);
  const figures = {
    scope,
    secrets: secrets.length,
    failed: sum(({ error }) => (error ? 1 : 0)),
    revoked: sum(({ revoked }) => revoked.length),
    waiting: sum(({ waiting }) => waiting),
    backlog: sum(({ backlog }) => backlog),
    unrevocable: sum(({ unrevocable }) => unrevocable.length),
    suspects: sum(({ suspects }) => suspects.length),
    detached: sum(({ detached }) => detached.length),
    proven: sum(({ currentWorks }) => (currentWorks === true ? 1 : 0)),
    rejected: sum(({ currentWorks }) => (currentWorks === false ? 1 : 0)),
    c2m_calls: c2mCalls,
    held: sum(({ held }) => held.length),
    seen_dead: sum(({ seenDead }) => seenDead.length),
    seen_alive: sum(({ seenAlive }) => seenAlive.length),
    unseen: sum(({ unseen }) => unseen),
    unreadable,
    paused,
  };
  for (const { surveyed } of acted) {
    if (!("survey" in surveyed)) continue;
    for (const { attemptId, versionId, latestExpiresAt, baseUrl, clientId } of surveyed.survey.verdict.suspects) {
      const fields = { secret: surveyed.context.arn, version_id: versionId, attempt_id: attemptId };
      const c2m = { base_url: baseUrl, client_id: clientId };
      log.event("token.suspected", { ...fields, ...c2m, latest_expires_at: latestExpiresAt });
    }
  }
  log.event("reconcile.completed", figures);
  const metrics: [MetricName, number][] = [
    [metricNames.secretsFailed, figures.failed],
    [metricNames.currentRejected, figures.rejected],
    [metricNames.rotationTooLate, sum(({ rotatesInTime }) => (rotatesInTime === false ? 1 : 0))],
    [metricNames.waiting, figures.waiting],
    [metricNames.backlog, figures.backlog],
    [metricNames.orphansRevoked, orphansRevoked(acted)],
    [metricNames.held, figures.held],
    [metricNames.unseen, figures.unseen],
    [metricNames.unrevocable, figures.unrevocable],
    [metricNames.suspects, figures.suspects],
    [metricNames.pendingAge, Math.max(0, ...secrets.map((one) => one.pendingForSeconds ?? 0))],
  ];
  for (const [name, value] of metrics) if (value > 0) log.metric(name, value);
  const toExpiry = Math.min(...secrets.flatMap(({ secondsToExpiry }) => secondsToExpiry ?? []));
  if (toExpiry < expiryToldSeconds || (scope === "all" && Number.isFinite(toExpiry))) {
    log.metric(metricNames.secondsToExpiry, toExpiry);
  }
}

function orphansRevoked(acted: readonly Acted[]): number {
  return acted.flatMap(revokedIn).filter(({ stored }) => !stored).length;
}

/** Also those of which something that need not be C2M said so. */
function revokedIn({ revocations }: Acted): Candidate[] {
  const revoked = revocations.filter(({ outcome }) => outcome === "revoked" || outcome === "claimed");
  return revoked.map(({ candidate }) => candidate);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
