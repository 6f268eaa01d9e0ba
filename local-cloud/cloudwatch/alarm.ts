/** A metric alarm, as CloudWatch takes it. */
export interface AlarmDefinition {
  name: string;
  description?: string | undefined;
  namespace: string;
  metricName: string;
  dimensions: Record<string, string>;
  statistic: "Sum" | "Maximum" | "Minimum";
  comparison: "GreaterThanOrEqualToThreshold" | "LessThanThreshold";
  threshold: number;
  periodMs: number;
  datapointsToAlarm: number;
  evaluationPeriods: number;
  missing: "breaching" | "notBreaching" | "ignore";
  /** ARNs of the topics that are told when it goes into ALARM. */
  actions: string[];
  /** Whether they are told; default true. */
  actionsEnabled?: boolean | undefined;
}

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";

/** One value of a metric. */
export interface Datapoint {
  /** Epoch ms. */
  at: number;
  value: number;
}

/**
 * The state of an alarm at the end of a period. Source: CloudWatch user guide, "configuring how CloudWatch alarms treat
 * missing data". AWS looks at some more periods than the alarm has; that is not played here.
 *
 * @param end epoch ms, the end of the last period
 */
export function stateAt(
  alarm: AlarmDefinition,
  datapoints: readonly Datapoint[],
  end: number,
  before: AlarmState,
): AlarmState {
  const { periodMs, evaluationPeriods, datapointsToAlarm, missing } = alarm;
  const periods = Array.from({ length: evaluationPeriods }, (_, index) => {
    const until = end - index * periodMs;
    return breaches(
      alarm,
      datapoints.filter(({ at }) => at >= until - periodMs && at < until),
    );
  });
  const absent = periods.filter((period) => period === undefined).length;
  const breaching = periods.filter((period) => period === true).length;
  if (breaching + (missing === "breaching" ? absent : 0) >= datapointsToAlarm) return "ALARM";
  if (missing !== "ignore" || periods.includes(false)) return "OK";
  return before;
}

/** Undefined for a period without data. */
function breaches({ statistic, comparison, threshold }: AlarmDefinition, period: Datapoint[]): boolean | undefined {
  if (period.length === 0) return undefined;
  const values = period.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  const figure = { Sum: sum, Maximum: Math.max(...values), Minimum: Math.min(...values) }[statistic];
  return comparison === "LessThanThreshold" ? figure < threshold : figure >= threshold;
}
