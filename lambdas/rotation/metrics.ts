/** The CloudWatch namespace of every metric here. */
export const metricsNamespace = "C2mTokenRotation";

/** The `service` of log lines and the dimension of that name of every metric. */
export const serviceName = "c2m-token-rotation";

/**
 * Every metric that a function emits, by the name that alarms and the dashboard use. All have the dimensions
 * `service` and `SecretName`.
 */
export const metricNames = {
  /** A step or the bootstrap failed. */
  stepFailed: "RotationStepFailed",
  /** An issue call was sent and not answered: a token may live whose id nobody knows. */
  issueAmbiguous: "TokenIssueAmbiguous",
  /** C2M granted a shorter lifetime than was asked for. */
  lifetimeClamped: "TokenLifetimeClamped",
  /** Seconds. */
  lifetimeGranted: "TokenLifetimeGranted",
  promoted: "TokenPromoted",
  revoked: "TokenRevoked",
  /** A revocation failed and will be tried again. */
  revocationFailed: "TokenRevocationFailed",
} as const;

export type MetricName = (typeof metricNames)[keyof typeof metricNames];
