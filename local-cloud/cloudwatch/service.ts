import * as v from "valibot";
import { AwsError, type AwsRequest, type AwsService, type PermissionNeeded } from "../aws/service.ts";
import type { CloudWatch, WatchedAlarm } from "./metrics.ts";

export interface CloudWatchKnobs {
  /** The most alarms in a page, whatever MaxRecords asks for. Default 100, AWS's own limit; smaller ones make readers page. */
  maxPageAlarms: number;
  /**
   * How many periods beside its own an alarm looks at for real data before it fills what is missing. Default 0, the
   * plainest; AWS looks at some more and does not tell how many, so its alarms may come and go some periods later.
   */
  extraPeriods: number;
}

export interface CloudWatchServiceOptions {
  metrics: CloudWatch;
  accountId: string;
  region: string;
  knobs?: Partial<CloudWatchKnobs>;
}

/** AWS's limits: the model of the CloudWatch API, 2010-08-01. Without MaxRecords a page has 50. */
const alarmName = v.pipe(v.string(), v.minLength(1), v.maxLength(255));
const describeAlarmsInput = v.strictObject({
  AlarmNames: v.optional(v.pipe(v.array(alarmName), v.maxLength(100))),
  AlarmNamePrefix: v.optional(alarmName),
  AlarmTypes: v.optional(v.array(v.picklist(["MetricAlarm", "CompositeAlarm"])), ["MetricAlarm"]),
  ActionPrefix: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(1024))),
  StateValue: v.optional(v.picklist(["OK", "ALARM", "INSUFFICIENT_DATA"])),
  MaxRecords: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 50),
  NextToken: v.optional(v.string()),
});

/**
 * CloudWatch behind the front door: what the local cloud's alarms are and how they stand. There are no composite alarms
 * here, so neither parents nor children of any.
 */
export class CloudWatchService implements AwsService {
  readonly name = "cloudwatch";
  readonly signingName = "monitoring";
  readonly #options: CloudWatchServiceOptions;

  constructor(options: CloudWatchServiceOptions) {
    this.#options = options;
  }

  /**
   * AWS's service authorization reference has `alarm` for the resource. The refusal of a call that names no alarms was seen
   * to show `alarm:*`. That one which names some is checked for each is an inference: AWS's sample policies grant
   * DescribeAlarms on single alarms.
   */
  permissionsFor({ operation, input }: AwsRequest): PermissionNeeded[] {
    if (operation !== "DescribeAlarms") return [];
    const { AlarmNames } = input;
    const names = Array.isArray(AlarmNames) && AlarmNames.length > 0 ? AlarmNames.map(String) : ["*"];
    return names.map((name) => ({ action: "cloudwatch:DescribeAlarms", resource: this.#arn(name) }));
  }

  async handle({ operation, input }: AwsRequest): Promise<Record<string, unknown>> {
    if (operation !== "DescribeAlarms") {
      const message = `cloudwatch:${operation} is not there; there is: DescribeAlarms.`;
      throw new AwsError("UnknownOperationException", message);
    }
    const wanted = parse(input);
    const { AlarmNames: names, AlarmNamePrefix: prefix = "", ActionPrefix, StateValue } = wanted;
    const found = (wanted.AlarmTypes.includes("MetricAlarm") ? this.#options.metrics.alarms() : [])
      .filter(({ alarm }) => (names?.includes(alarm.name) ?? true) && alarm.name.startsWith(prefix))
      .filter(({ state }) => StateValue === undefined || state === StateValue)
      .filter(
        ({ alarm }) => ActionPrefix === undefined || alarm.actions.some((action) => action.startsWith(ActionPrefix)),
      );
    const start = wanted.NextToken === undefined ? 0 : offsetOf(wanted.NextToken);
    const end = start + Math.min(wanted.MaxRecords, this.#options.knobs?.maxPageAlarms ?? 100);
    return {
      MetricAlarms: found.slice(start, end).map((watched) => this.#described(watched)),
      CompositeAlarms: [],
      ...(end < found.length && { NextToken: `alarms/${end}` }),
    };
  }

  #described({ alarm, state, since }: WatchedAlarm): Record<string, unknown> {
    return {
      AlarmName: alarm.name,
      AlarmArn: this.#arn(alarm.name),
      ...(alarm.description !== undefined && { AlarmDescription: alarm.description }),
      ActionsEnabled: alarm.actionsEnabled ?? true,
      AlarmActions: alarm.actions,
      StateValue: state,
      StateUpdatedTimestamp: since / 1_000,
      StateTransitionedTimestamp: since / 1_000,
      Namespace: alarm.namespace,
      MetricName: alarm.metricName,
      Dimensions: Object.entries(alarm.dimensions).map(([Name, Value]) => ({ Name, Value })),
      Statistic: alarm.statistic,
      Period: alarm.periodMs / 1_000,
      EvaluationPeriods: alarm.evaluationPeriods,
      DatapointsToAlarm: alarm.datapointsToAlarm,
      Threshold: alarm.threshold,
      ComparisonOperator: alarm.comparison,
      TreatMissingData: alarm.missing,
    };
  }

  #arn(alarm: string): string {
    const { region, accountId } = this.#options;
    return `arn:aws:cloudwatch:${region}:${accountId}:alarm:${alarm}`;
  }
}

// The model's ValidationException; in the query protocol the same is called ValidationError.
function parse(input: unknown): v.InferOutput<typeof describeAlarmsInput> {
  const result = v.safeParse(describeAlarmsInput, input);
  if (!result.success) {
    const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? "input"}: ${issue.message}`);
    throw new AwsError("ValidationException", problems.join("; "));
  }
  if (result.output.AlarmNames && result.output.AlarmNamePrefix !== undefined)
    throw new AwsError("ValidationException", "AlarmNames and AlarmNamePrefix can't be given together.");
  return result.output;
}

function offsetOf(token: string): number {
  const offset = /^alarms\/(\d+)$/.exec(token)?.[1];
  if (offset === undefined) throw new AwsError("InvalidNextToken", "The next token specified is invalid.");
  return Number(offset);
}
