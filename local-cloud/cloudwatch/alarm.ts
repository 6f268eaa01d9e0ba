import { brokenConstraint, quotas, tooLong } from "../quotas.ts";

/** A metric alarm, as CloudWatch takes it. */
export interface AlarmDefinition {
  name: string;
  description?: string | undefined;
  namespace: string;
  metricName: string;
  dimensions: Record<string, string>;
  statistic: "Sum" | "Maximum" | "Minimum" | "Average" | "SampleCount";
  comparison:
    | "GreaterThanOrEqualToThreshold"
    | "GreaterThanThreshold"
    | "LessThanOrEqualToThreshold"
    | "LessThanThreshold";
  threshold: number;
  periodMs: number;
  datapointsToAlarm: number;
  evaluationPeriods: number;
  missing: "breaching" | "notBreaching" | "ignore" | "missing";
  /** ARNs of the topics that are told when it goes into ALARM. */
  actions: string[];
  /** Whether they are told; default true. */
  actionsEnabled?: boolean | undefined;
  /** Set when it is created; PutMetricAlarm ignores those for an alarm that is there. */
  tags?: Record<string, string> | undefined;
}

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";

/** One value of a metric. */
export interface Datapoint {
  /** Epoch ms. */
  at: number;
  value: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What CloudWatch refuses an alarm for; undefined where it takes it. */
export function alarmProblem(alarm: AlarmDefinition): string | undefined {
  const { name, description, periodMs, evaluationPeriods, datapointsToAlarm, actions, dimensions } = alarm;
  const period = periodMs / 1_000;
  const longest = periodMs < hourMs ? dayMs : 7 * dayMs;
  return (
    tooLong("alarmName", "alarmName", name) ??
    (name === "" ? brokenConstraint("alarmName", "length greater than or equal to 1") : undefined) ??
    tooLong("alarmDescription", "alarmDescription", description) ??
    (actions.length > quotas.alarmActions.most
      ? brokenConstraint("alarmActions", `length less than or equal to ${quotas.alarmActions.most}`)
      : undefined) ??
    (Object.keys(dimensions).length > 30
      ? brokenConstraint("dimensions", "length less than or equal to 30")
      : undefined) ??
    ([10, 20, 30].includes(period) || (period > 0 && period % 60 === 0)
      ? undefined
      : "The parameter Period must be 10, 20, 30 or a multiple of 60") ??
    (evaluationPeriods * periodMs > longest
      ? // The first sentence is well known; that the limit is a week from hourly periods on is in the user guide.
        `Metrics cannot be checked across more than ${periodMs < hourMs ? "a day" : "a week"} (EvaluationPeriods * Period must be <= ${longest / 1_000}).`
      : undefined) ??
    (datapointsToAlarm > evaluationPeriods || datapointsToAlarm < 1
      ? "DatapointsToAlarm must be between 1 and EvaluationPeriods."
      : undefined)
  );
}

/**
 * The state of an alarm at the end of a period. Source: CloudWatch user guide, "configuring how CloudWatch alarms treat
 * missing data".
 *
 * AWS looks at some periods more than the alarm has ("evaluation range"), and at the most recent real data in them before
 * it fills what is missing. It does not tell how many: the examples of its guide have two.
 *
 * @param end epoch ms, the end of the last period
 * @param extraPeriods how many more it looks at
 */
export function stateAt(
  alarm: AlarmDefinition,
  datapoints: readonly Datapoint[],
  end: number,
  before: AlarmState,
  extraPeriods = 0,
): AlarmState {
  const { periodMs, evaluationPeriods, datapointsToAlarm, missing } = alarm;
  // The last period first; undefined where it has no data.
  const range = Array.from({ length: evaluationPeriods + extraPeriods }, (_, index) => {
    const until = end - index * periodMs;
    return breaches(
      alarm,
      datapoints.filter(({ at }) => at >= until - periodMs && at < until),
    );
  });
  const real = range.filter((period) => period !== undefined).slice(0, evaluationPeriods);
  const absent = evaluationPeriods - real.length;
  const breaching = real.filter(Boolean).length;
  if (breaching + (missing === "breaching" ? absent : 0) >= datapointsToAlarm) return "ALARM";
  if (absent === 0 || missing === "breaching" || missing === "notBreaching") return "OK";
  if (missing === "ignore") return real.includes(false) ? "OK" : before;
  if (real.length === 0) return "INSUFFICIENT_DATA";
  // It goes into ALARM early: the oldest breaching period is old enough, and all others breach or are missing.
  const oldestBreach = range.slice(0, evaluationPeriods).lastIndexOf(true);
  return !real.includes(false) && oldestBreach + 1 >= datapointsToAlarm ? "ALARM" : "OK";
}

/** Undefined for a period without data. */
function breaches({ statistic, comparison, threshold }: AlarmDefinition, period: Datapoint[]): boolean | undefined {
  if (period.length === 0) return undefined;
  const values = period.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  const figure = {
    Sum: sum,
    Maximum: Math.max(...values),
    Minimum: Math.min(...values),
    Average: sum / values.length,
    SampleCount: values.length,
  }[statistic];
  return {
    GreaterThanOrEqualToThreshold: figure >= threshold,
    GreaterThanThreshold: figure > threshold,
    LessThanOrEqualToThreshold: figure <= threshold,
    LessThanThreshold: figure < threshold,
  }[comparison];
}
