import { formatLine, type LedgerFault, ledgerGroup, type RotationLog } from "../formats/ledger.ts";
import { metricNames, metricsNamespace } from "../formats/metrics.ts";

/** A log that also holds metrics until they are published. */
export interface FunctionLog extends RotationLog {
  /** Writes the metrics counted since the last time, in CloudWatch's embedded metric format. */
  publishMetrics(): void;
}

const seconds = new Set<string>([metricNames.lifetimeGranted, metricNames.secondsToExpiry, metricNames.pendingAge]);

/**
 * The log of one invocation: JSON lines on stdout, which is written synchronously where it is a pipe, as in Lambda, and
 * metrics in CloudWatch's embedded metric format. Both carry `service`, which ROTATION_NAME names. No logging library and
 * no environment variable can reshape or silence the lines: they are the ledger.
 */
export function functionLog(): FunctionLog {
  const service = process.env.ROTATION_NAME;
  const metrics = new Map<string, number[]>();
  return {
    event: (name, fields) => write(formatLine(name, fields, Date.now(), { service })),
    metric: (name, value = 1) => {
      const counted = metrics.get(name) ?? [];
      // Counts add up; each number of seconds is a value of its own.
      metrics.set(name, seconds.has(name) ? [...counted, value] : [(counted[0] ?? 0) + value]);
    },
    publishMetrics: () => {
      if (metrics.size === 0) return;
      write(embeddedMetrics(metrics, service));
      metrics.clear();
    },
  };
}

/**
 * Why the function's lines don't reach the ledger, as Lambda's variables tell; undefined where they do. They are of level
 * INFO: with logs in JSON Lambda drops what is below the application log level. And a ledger is in one log group, which has
 * the rotation's name.
 */
export function ledgerFault(env: NodeJS.ProcessEnv): LedgerFault | undefined {
  const isFiltered =
    env.AWS_LAMBDA_LOG_FORMAT !== "Text" && /^(WARN|ERROR|FATAL)$/i.test(env.AWS_LAMBDA_LOG_LEVEL ?? "");
  if (isFiltered) {
    return {
      what: "AWS_LAMBDA_LOG_LEVEL: Lambda drops the function's lines",
      remedy: "Set the function's application log level to INFO or lower.",
    };
  }
  const { ROTATION_NAME: name, AWS_LAMBDA_LOG_GROUP_NAME: group } = env;
  if (!name || !group || group === ledgerGroup(name)) return undefined;
  return {
    what: "AWS_LAMBDA_LOG_GROUP_NAME: the function's lines go to another log group than the ledger's",
    remedy: `Set the function's log group to ${ledgerGroup(name)}: pulumi up --refresh`,
  };
}

function embeddedMetrics(metrics: ReadonlyMap<string, readonly number[]>, service: string | undefined): string {
  const names = [...metrics.keys()];
  return JSON.stringify({
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: metricsNamespace,
          Dimensions: [["service"]],
          Metrics: names.map((Name) => ({ Name, Unit: seconds.has(Name) ? "Seconds" : "Count" })),
        },
      ],
    },
    service,
    ...Object.fromEntries([...metrics].map(([name, values]) => [name, values.length === 1 ? values[0] : values])),
  });
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
