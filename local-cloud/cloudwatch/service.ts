import * as v from "valibot";
import { AwsError, type AwsRequest, type AwsService, type PermissionNeeded } from "../aws/service.ts";
import type { CloudWatch, WatchedAlarm } from "./metrics.ts";

export interface CloudWatchKnobs {
  /** The most alarms, or entries of their history, in a page, whatever MaxRecords asks for. Default 100, AWS's own limit; smaller ones make readers page. */
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

/** AWS's limits: the model of the CloudWatch API, 2010-08-01. Without MaxRecords a page of alarms has 50. */
const alarmName = v.pipe(v.string(), v.minLength(1), v.maxLength(255));
const alarmTypes = v.optional(v.array(v.picklist(["MetricAlarm", "CompositeAlarm"])), ["MetricAlarm"]);
const maxRecords = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 50);
const stateValue = v.picklist(["OK", "ALARM", "INSUFFICIENT_DATA"]);
/** Epoch seconds, with a fraction. */
const timestamp = v.optional(v.number());

const describeAlarmsInput = v.strictObject({
  AlarmNames: v.optional(v.pipe(v.array(alarmName), v.maxLength(100))),
  AlarmNamePrefix: v.optional(alarmName),
  AlarmTypes: alarmTypes,
  ActionPrefix: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(1024))),
  StateValue: v.optional(stateValue),
  MaxRecords: maxRecords,
  NextToken: v.optional(v.string()),
});

const describeAlarmHistoryInput = v.strictObject({
  AlarmName: v.optional(alarmName),
  AlarmTypes: alarmTypes,
  HistoryItemType: v.optional(v.picklist(["ConfigurationUpdate", "StateUpdate", "Action"])),
  StartDate: timestamp,
  EndDate: timestamp,
  MaxRecords: maxRecords,
  NextToken: v.optional(v.string()),
  ScanBy: v.optional(v.picklist(["TimestampDescending", "TimestampAscending"]), "TimestampDescending"),
});

const setAlarmStateInput = v.strictObject({
  AlarmName: alarmName,
  StateValue: stateValue,
  StateReason: v.pipe(v.string(), v.maxLength(1023)),
  StateReasonData: v.optional(v.pipe(v.string(), v.maxLength(4000))),
});

const operations = ["DescribeAlarms", "DescribeAlarmHistory", "SetAlarmState"];

/**
 * CloudWatch behind the front door: what the local cloud's alarms are, how they stand and stood, and their state set. There are no composite alarms
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
    if (!operations.includes(operation)) return [];
    const { AlarmNames, AlarmName } = input;
    const named = Array.isArray(AlarmNames)
      ? AlarmNames.map(String)
      : AlarmName === undefined
        ? []
        : [String(AlarmName)];
    const names = named.length > 0 ? named : ["*"];
    return names.map((name) => ({ action: `cloudwatch:${operation}`, resource: this.#arn(name) }));
  }

  async handle({ operation, input }: AwsRequest): Promise<Record<string, unknown>> {
    switch (operation) {
      case "DescribeAlarms":
        return this.#describeAlarms(parse(describeAlarmsInput, input));
      case "DescribeAlarmHistory":
        return this.#describeAlarmHistory(parse(describeAlarmHistoryInput, input));
      case "SetAlarmState":
        return this.#setAlarmState(parse(setAlarmStateInput, input));
      default: {
        const message = `cloudwatch:${operation} is not there; there are: ${operations.join(", ")}.`;
        throw new AwsError("UnknownOperationException", message);
      }
    }
  }

  #describeAlarms(wanted: v.InferOutput<typeof describeAlarmsInput>): Record<string, unknown> {
    const { AlarmNames: names, AlarmNamePrefix: prefix = "", ActionPrefix, StateValue } = wanted;
    if (names && wanted.AlarmNamePrefix !== undefined)
      throw new AwsError("ValidationException", "AlarmNames and AlarmNamePrefix can't be given together.");
    const found = (wanted.AlarmTypes.includes("MetricAlarm") ? this.#options.metrics.alarms() : [])
      .filter(({ alarm }) => (names?.includes(alarm.name) ?? true) && alarm.name.startsWith(prefix))
      .filter(({ state }) => StateValue === undefined || state === StateValue)
      .filter(
        ({ alarm }) => ActionPrefix === undefined || alarm.actions.some((action) => action.startsWith(ActionPrefix)),
      );
    const { page, NextToken } = this.#page(found, wanted);
    return { MetricAlarms: page.map((watched) => this.#described(watched)), CompositeAlarms: [], ...NextToken };
  }

  #describeAlarmHistory(wanted: v.InferOutput<typeof describeAlarmHistoryInput>): Record<string, unknown> {
    const { AlarmName, HistoryItemType, StartDate = 0, EndDate = Number.POSITIVE_INFINITY, ScanBy } = wanted;
    const found = (wanted.AlarmTypes.includes("MetricAlarm") ? this.#options.metrics.history() : [])
      .filter(({ alarmName }) => AlarmName === undefined || alarmName === AlarmName)
      .filter(({ type }) => HistoryItemType === undefined || type === HistoryItemType)
      .filter(({ at }) => at >= StartDate * 1_000 && at <= EndDate * 1_000);
    const { page, NextToken } = this.#page(ScanBy === "TimestampAscending" ? found : found.reverse(), wanted);
    const AlarmHistoryItems = page.map(({ alarmName, at, type, summary, data }) => ({
      AlarmName: alarmName,
      AlarmType: "MetricAlarm",
      Timestamp: at / 1_000,
      HistoryItemType: type,
      HistorySummary: summary,
      HistoryData: data,
    }));
    return { AlarmHistoryItems, ...NextToken };
  }

  #setAlarmState(wanted: v.InferOutput<typeof setAlarmStateInput>): Record<string, unknown> {
    const { AlarmName, StateValue, StateReason, StateReasonData } = wanted;
    if (StateReasonData !== undefined && !isJson(StateReasonData))
      throw new AwsError("InvalidFormat", "StateReasonData was not syntactically valid JSON");
    this.#options.metrics.setAlarmState(AlarmName, StateValue, StateReason);
    return {};
  }

  #page<Item>(
    found: readonly Item[],
    { MaxRecords, NextToken }: { MaxRecords: number; NextToken?: string | undefined },
  ): { page: readonly Item[]; NextToken: { NextToken?: string } } {
    const start = NextToken === undefined ? 0 : offsetOf(NextToken);
    const end = start + Math.min(MaxRecords, this.#options.knobs?.maxPageAlarms ?? 100);
    return { page: found.slice(start, end), NextToken: end < found.length ? { NextToken: `alarms/${end}` } : {} };
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
function parse<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? "input"}: ${issue.message}`);
  throw new AwsError("ValidationException", problems.join("; "));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function offsetOf(token: string): number {
  const offset = /^alarms\/(\d+)$/.exec(token)?.[1];
  if (offset === undefined) throw new AwsError("InvalidNextToken", "The next token specified is invalid.");
  return Number(offset);
}
