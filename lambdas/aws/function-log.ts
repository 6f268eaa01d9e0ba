import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { RotationLog } from "../rotation/events.ts";
import { metricNames, metricsNamespace, serviceName } from "../rotation/metrics.ts";

/** A log that also holds metrics until they are published. */
export interface FunctionLog extends RotationLog {
  /** Writes the metrics counted since the last time, with the secret's name as dimension. */
  publishMetrics(): void;
}

// The ledger is written at INFO: a level set in the environment must not be able to silence it.
const logger = new Logger({ serviceName, logLevel: "INFO" });
logger.setLogLevel("INFO");

/** The log of one invocation for one secret: JSON lines on stdout, and metrics in CloudWatch's embedded format. */
export function functionLog(secretName: string): FunctionLog {
  const metrics = new Metrics({ namespace: metricsNamespace, serviceName });
  metrics.addDimension("SecretName", secretName);
  return {
    event: (name, fields) => logger.info(name, { ...fields }),
    metric: (name, value = 1) =>
      metrics.addMetric(name, seconds.has(name) ? MetricUnit.Seconds : MetricUnit.Count, value),
    // Publishing nothing makes Powertools warn.
    publishMetrics: () => metrics.hasStoredMetrics() && metrics.publishStoredMetrics(),
  };
}

const seconds = new Set<string>([metricNames.lifetimeGranted]);
