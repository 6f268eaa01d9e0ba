import { Logger, LogLevelThreshold } from "@aws-lambda-powertools/logger";
import type { LogAttributes } from "@aws-lambda-powertools/logger/types";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { RotationLog } from "../formats/ledger.ts";
import { metricNames, metricsNamespace } from "../formats/metrics.ts";

/** A log that also holds metrics until they are published. */
export interface FunctionLog extends RotationLog {
  /** Writes the metrics counted since the last time, in CloudWatch's embedded metric format. */
  publishMetrics(): void;
}

/**
 * Writes at INFO whatever level the environment sets: the lines are the ledger, and AWS_LAMBDA_LOG_LEVEL, which Powertools
 * puts above a level set in code, must not be able to silence it.
 */
class LedgerLogger extends Logger {
  write(message: string, fields: LogAttributes): void {
    this.printLog(LogLevelThreshold.INFO, this.createAndPopulateLogItem(LogLevelThreshold.INFO, message, [fields]));
  }
}

const logger = new LedgerLogger();

const seconds = new Set<string>([metricNames.lifetimeGranted, metricNames.secondsToExpiry, metricNames.pendingAge]);

/**
 * The log of one invocation: JSON lines on stdout, and metrics in CloudWatch's embedded metric format. Both carry the
 * `service` that POWERTOOLS_SERVICE_NAME names.
 */
export function functionLog(): FunctionLog {
  const metrics = new Metrics({ namespace: metricsNamespace });
  return {
    event: (name, fields) => logger.write(name, { ...fields }),
    metric: (name, value = 1) =>
      metrics.addMetric(name, seconds.has(name) ? MetricUnit.Seconds : MetricUnit.Count, value),
    // Publishing nothing makes Powertools warn.
    publishMetrics: () => metrics.hasStoredMetrics() && metrics.publishStoredMetrics(),
  };
}
