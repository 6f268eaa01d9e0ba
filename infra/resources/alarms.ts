import { formatDuration } from "../../src/formats/duration.ts";
import {
  type AlarmName,
  alarmNames,
  expiryToldSeconds,
  type MetricName,
  metricNames,
  metricsNamespace,
} from "../../src/formats/metrics.ts";

const hour = 3_600;

/** Hours that span two daily runs of the reconciler, however late one of them is. */
const aDay = 26;

/** Hours that span three of them. */
const twoDays = 50;

/** A rotation takes minutes; one that has been pending for so long is stuck. In seconds. */
const stuckAfter = 2 * hour;

/** Whose figure an alarm watches. */
export type AlarmSource =
  /** Our own, of the whole rotation. */
  | { metric: MetricName }
  /** Lambda's, of one function. */
  | { lambdaMetric: "Errors" | "Invocations"; of: "rotator" | "reconciler" }
  /** CloudWatch's, of the functions' log group. */
  | { logMetric: "IncomingLogEvents" };

/** One alarm, but for the rotation that it belongs to. */
export interface AlarmSpec {
  /** Its name after the rotation's, and its anchor in the runbook. */
  name: AlarmName;
  source: AlarmSource;
  statistic: "Sum" | "Maximum" | "Minimum";
  comparison: "GreaterThanOrEqualToThreshold" | "LessThanThreshold";
  threshold: number;
  /** In seconds. */
  period: number;
  /** Breaching periods among the last so many. */
  breaching: number;
  among: number;
  /** What a period without data means, and why. */
  missing: "breaching" | "notBreaching";
  /** What has happened, and the first thing to do. */
  says: string;
}

/**
 * Nothing was found: the functions send a figure only where there is something to tell. That nobody looked, or that what
 * was found reaches nobody, has alarms of its own: those of the reconciler and of the log.
 */
const quiet = "notBreaching";

/** What AWS counts for every run, and every line of the log, has not been counted. */
const noneIn3Hours = {
  statistic: "Sum",
  comparison: "LessThanThreshold",
  threshold: 1,
  period: hour,
  breaching: 3,
  among: 3,
  missing: "breaching",
} as const;

/**
 * All alarms of a rotation. Figures of the reconciler that only its daily run knows in whole are looked for over more
 * than a day, hour by hour, so that an alarm comes with the hour and stays until a later daily run has found nothing.
 *
 * @param leastSpareSeconds what is left of a token's life when its successor comes as late as the schedule allows; the
 *   least of all tokens
 */
export function alarmSpecs(leastSpareSeconds: number): AlarmSpec[] {
  // Half of it: late enough that no rotation in time raises the alarm, early enough to do something.
  const warnBefore = Math.floor(Math.min(expiryToldSeconds, leastSpareSeconds / 2));
  const specs: Record<AlarmName, Omit<AlarmSpec, "name">> = {
    "rotator-errors": {
      source: { lambdaMetric: "Errors", of: "rotator" },
      ...atLeastOnce("Sum", 300),
      says: "A rotation step failed; Secrets Manager tries it again. Read the step.failed line in the log: its reason says what to do.",
    },
    "reconciler-errors": {
      source: { lambdaMetric: "Errors", of: "reconciler" },
      ...atLeastOnce("Sum", hour),
      // Lambda repeats a failed run twice, and the next one comes within the hour.
      breaching: 2,
      among: 3,
      says: "The reconciler fails, so superseded tokens stay alive. Read its reconcile.failed lines.",
    },
    "reconciler-silent": {
      source: { lambdaMetric: "Invocations", of: "reconciler" },
      ...noneIn3Hours,
      // Also before the first run: a reconciler that never ran would not be noticed otherwise.
      says: "The reconciler has not run for three hours: nothing is revoked and nothing measured. Right after the first deployment wait for its first run, an hour at most; else check its schedule.",
    },
    "log-silent": {
      source: { logMetric: "IncomingLogEvents" },
      ...noneIn3Hours,
      says: "Nothing has reached the functions' log for three hours: no ledger is kept, and no figure of ours reaches an alarm. Check that the functions run, and that their roles may write to the log group.",
    },
    "secrets-not-reconciled": {
      source: { metric: metricNames.secretsFailed },
      ...atLeastOnce("Maximum", hour),
      breaching: 3,
      among: 4,
      says: "The reconciler could not look at a secret to the end for three hours. Read its reconcile.failed lines.",
    },
    "current-token-rejected": {
      source: { metric: metricNames.currentRejected },
      ...atLeastOnce("Maximum", hour),
      // Each token is proven once a day.
      among: aDay,
      says: "C2M rejects a token that apps use now: they fail. Rotate now, then find out who revoked it.",
    },
    "token-expiry-near": {
      source: { metric: metricNames.secondsToExpiry },
      statistic: "Minimum",
      comparison: "LessThanThreshold",
      threshold: warnBefore,
      period: hour,
      breaching: 1,
      // A token of which C2M granted less than was asked for is read twice a day.
      among: aDay,
      missing: quiet,
      says: `A current token expires in less than ${formatDuration(warnBefore)} and was not rotated. Find out why from the step.failed lines, and rotate now.`,
    },
    "rotation-too-late": {
      source: { metric: metricNames.rotationTooLate },
      ...atLeastOnce("Maximum", hour),
      // Read each hour after a rotation, and then twice a day, by the proof of life and by the daily run.
      breaching: 2,
      among: twoDays,
      says: "A token expires before its next rotation. Rotate now; if C2M grants a shorter lifetime than is asked for, configure that one and a schedule that fits it.",
    },
    "revocation-backlog": {
      source: { metric: metricNames.backlog },
      ...atLeastOnce("Maximum", hour),
      // One failed revocation is made good by the next run that sees it: the next hour's, or the next day's.
      breaching: 2,
      among: twoDays,
      says: "Tokens that should be dead are alive, and revoking them failed twice. Read the token.revocation.failed lines.",
    },
    "orphan-suspected": {
      source: { metric: metricNames.suspects },
      ...atLeastOnce("Maximum", hour),
      among: aDay,
      says: "An issue call got no answer: a token may live whose id nobody knows. The token.suspected line says until when; C2M can look it up.",
    },
    "revoked-token-alive": {
      source: { metric: metricNames.revokedAlive },
      ...atLeastOnce("Sum", hour),
      says: "C2M lets in a token that it said was revoked. The reconciler revokes it again; the token.alive line says which. Ask Click2Mail if it happens twice.",
    },
    "credentials-fallback": {
      source: { metric: metricNames.credentialsFallback },
      ...atLeastOnce("Sum", hour),
      // One rotation a day, or in days: it rings until the credentials are mended or a day has passed.
      among: aDay,
      says: "C2M refuses the client's credentials, and a rotation went on with those before them. Store the right ones with pulumi up before they are changed again.",
    },
    "unrevocable-token": {
      source: { metric: metricNames.unrevocable },
      ...atLeastOnce("Maximum", hour),
      among: aDay,
      says: "A superseded token can't be revoked and lives until it expires. Read the token.unrevocable line; ask C2M for the scope tokens:revoke, or to revoke it.",
    },
    "pending-version-stuck": {
      source: { metric: metricNames.pendingAge },
      ...atLeastOnce("Maximum", hour),
      threshold: stuckAfter,
      says: `A rotation has not ended for ${formatDuration(stuckAfter)}, and the next can't begin. Read the step.failed lines; where there are none, Lambda refused to run the rotator; the reconciler detaches it when its window is over.`,
    },
  };
  return alarmNames.map((name) => ({ name, ...specs[name] }));
}

/** The namespace of a source's metric, and its name there. */
export function metricOf(source: AlarmSource): { namespace: string; metricName: string } {
  if ("metric" in source) return { namespace: metricsNamespace, metricName: source.metric };
  if ("logMetric" in source) return { namespace: "AWS/Logs", metricName: source.logMetric };
  return { namespace: "AWS/Lambda", metricName: source.lambdaMetric };
}

function atLeastOnce(statistic: "Sum" | "Maximum", period: number) {
  return {
    statistic,
    comparison: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    period,
    breaching: 1,
    among: 1,
    missing: quiet,
  } as const;
}
