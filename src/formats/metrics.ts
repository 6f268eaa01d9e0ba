/** The CloudWatch namespace of every metric here. */
export const metricsNamespace = "C2mTokenRotation";

/**
 * A current token that expires within so many seconds is told of every hour, and else once a day: CloudWatch charges a metric
 * by the hours in which it is sent. No alarm warns earlier.
 */
export const expiryToldSeconds = 7 * 86_400;

/**
 * Every metric that a function emits, by the name that alarms and the dashboard use. Their only dimension is `service`,
 * the name of the rotation: a metric per secret would cost more than the secret. Which secret it was stands in the log.
 * None is sent where it would be zero: no value means that nothing of its kind was found.
 */
export const metricNames = {
  /** A step or the bootstrap failed. */
  stepFailed: "RotationStepFailed",
  /** An issue call was sent and not answered: a token may live whose id nobody knows. */
  issueAmbiguous: "TokenIssueAmbiguous",
  /** C2M granted a shorter lifetime than was asked for. */
  lifetimeClamped: "TokenLifetimeClamped",
  /** Seconds that C2M granted where it clamped. */
  lifetimeGranted: "TokenLifetimeGranted",
  promoted: "TokenPromoted",
  revoked: "TokenRevoked",
  /** A revocation failed and will be tried again. */
  revocationFailed: "TokenRevocationFailed",

  // One value per run of the reconciler that finds some, over all secrets:
  /** Secrets that could not be looked at, or not to the end. */
  secretsFailed: "SecretsNotReconciled",
  /** Current tokens that C2M rejected. */
  currentRejected: "CurrentTokenRejected",
  /** Seconds until the first current token expires; negative when one has. */
  secondsToExpiry: "SecondsToExpiry",
  /** Secrets whose next rotation comes after their token has expired. */
  rotationTooLate: "RotationTooLate",
  /** Superseded tokens whose grace runs. */
  waiting: "TokensInGrace",
  /** Tokens that should be dead and are not. */
  backlog: "RevocationBacklog",
  /** Tokens of no version that were found and revoked. */
  orphansRevoked: "OrphansRevoked",
  /** Tokens that C2M lets nobody revoke; the log has their expiry. */
  unrevocable: "UnrevocableTokens",
  /** Due tokens that are held back on purpose: by a change freeze, a replica, or since C2M rejects the current one. */
  held: "TokensHeldBack",
  /** A token that C2M was seen to let in after it had been revoked. */
  revokedAlive: "RevokedTokenAlive",
  /** Revoked tokens of which nobody could see whether they are dead. */
  unseen: "RevokedTokensUnseen",
  /** C2M refused the client's credentials; those before them were used. */
  credentialsFallback: "CredentialsFallback",
  /** Issue calls without an outcome: tokens that may live. */
  suspects: "SuspectedTokens",
  /** Seconds that the oldest pending version has been pending. */
  pendingAge: "PendingVersionAge",
} as const;

export type MetricName = (typeof metricNames)[keyof typeof metricNames];

/** Every alarm, by its name after the rotation's; the runbook has a section of each name. */
export const alarmNames = [
  "rotator-errors",
  "reconciler-errors",
  "reconciler-silent",
  "log-silent",
  "secrets-not-reconciled",
  "current-token-rejected",
  "token-expiry-near",
  "rotation-too-late",
  "revocation-backlog",
  "orphan-suspected",
  "revoked-token-alive",
  "credentials-fallback",
  "unrevocable-token",
  "pending-version-stuck",
] as const;

export type AlarmName = (typeof alarmNames)[number];

/** What an alarm is called in CloudWatch. */
export function deployedAlarmName(rotation: string, name: string): string {
  return `${rotation}-${name}`;
}
