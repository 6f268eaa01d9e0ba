import type { RotationLog } from "../formats/ledger.ts";
import { metricNames } from "../formats/metrics.ts";
import type { Scope, Survey } from "./survey.ts";

/** What a run did and found for one secret. Holds no secret. */
export interface SecretReport {
  name: string;
  revoked: string[];
  waiting: number;
  /** Due to be revoked, and alive. */
  backlog: number;
  unrevocable: { tokenId: string | undefined; expiresAt: string | undefined }[];
  suspects: { attemptId: string; latestExpiresAt: string }[];
  detached: string[];
  pendingForSeconds?: number;
  secondsToExpiry?: number;
  secondsSinceRotation?: number;
  /** Whether the next rotation comes before the current token expires. */
  rotatesInTime?: boolean;
  /** Absent when this run did not ask C2M. */
  currentWorks?: boolean;
  /** Why this run could not look at the secret, or not to the end. */
  error?: { code: string; reason: string };
}

export interface ReconcileReport {
  scope: Scope;
  c2mCalls: number;
  secrets: SecretReport[];
}

/** The report of a secret that was not looked at yet. */
export function emptyReport(name: string): SecretReport {
  return {
    name,
    revoked: [],
    waiting: 0,
    backlog: 0,
    unrevocable: [],
    suspects: [],
    detached: [],
  };
}

/** A secret's report and what it rests on; without a survey where that failed. */
interface Surveyed {
  report: SecretReport;
  survey?: Survey;
}

/** Puts what a run saw of a secret into its report. */
export function describeSurvey(report: SecretReport, { secret, current, verdict }: Survey, now: number): void {
  report.waiting = verdict.waiting.length;
  report.unrevocable = verdict.unrevocable.map(({ tokenId, expiresAt }) => ({ tokenId, expiresAt }));
  report.suspects = verdict.suspects.map(({ attemptId, latestExpiresAt }) => ({ attemptId, latestExpiresAt }));
  if (verdict.pendingSince !== undefined) report.pendingForSeconds = seconds(now - verdict.pendingSince);
  if (secret.lastRotatedAt !== undefined) report.secondsSinceRotation = seconds(now - secret.lastRotatedAt);
  if (current?.parsed.kind !== "ours") return;
  const expiresAt = Date.parse(current.parsed.token.expiresAt);
  report.secondsToExpiry = seconds(expiresAt - now);
  if (secret.nextRotationAt !== undefined) report.rotatesInTime = secret.nextRotationAt < expiresAt;
}

/** Writes the run's summary, its suspects and its metrics. */
export function sayCompleted(
  log: RotationLog,
  { scope, secrets, c2mCalls }: ReconcileReport,
  works: readonly Surveyed[],
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
  };
  for (const { survey } of works) {
    for (const { attemptId, versionId, latestExpiresAt } of survey?.verdict.suspects ?? []) {
      const fields = { secret: survey?.secret.arn ?? "", version_id: versionId, attempt_id: attemptId };
      log.event("token.suspected", { ...fields, latest_expires_at: latestExpiresAt });
    }
  }
  log.event("reconcile.completed", figures);
  log.metric(metricNames.heartbeat);
  log.metric(metricNames.secretsFailed, figures.failed);
  log.metric(metricNames.currentRejected, figures.rejected);
  log.metric(
    metricNames.rotationTooLate,
    sum(({ rotatesInTime }) => (rotatesInTime === false ? 1 : 0)),
  );
  log.metric(metricNames.waiting, figures.waiting);
  log.metric(metricNames.backlog, figures.backlog);
  log.metric(metricNames.orphansRevoked, orphansRevoked(works));
  log.metric(metricNames.unrevocable, figures.unrevocable);
  log.metric(metricNames.suspects, figures.suspects);
  log.metric(metricNames.pendingAge, Math.max(0, ...secrets.map((one) => one.pendingForSeconds ?? 0)));
  const expiries = secrets.flatMap(({ secondsToExpiry }) => secondsToExpiry ?? []);
  if (expiries.length > 0) log.metric(metricNames.secondsToExpiry, Math.min(...expiries));
}

function orphansRevoked(works: readonly Surveyed[]): number {
  return works.reduce((total, { survey, report }) => {
    const orphans = survey?.verdict.revoke.filter(({ stored }) => !stored) ?? [];
    return total + orphans.filter(({ tokenId }) => tokenId !== undefined && report.revoked.includes(tokenId)).length;
  }, 0);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
