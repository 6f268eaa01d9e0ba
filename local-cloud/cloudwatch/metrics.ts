import { AwsError } from "../aws/service.ts";
import type { Clock } from "../clock.ts";
import type { LogsService } from "../logs/service.ts";
import { quotas, wrongTags } from "../quotas.ts";
import { type AlarmDefinition, type AlarmState, alarmProblem, type Datapoint, stateAt } from "./alarm.ts";
import { AlarmHistory } from "./alarm-history.ts";

/** An alarm that changed its state. */
export interface Transition {
  name: string;
  state: AlarmState;
  /** Epoch ms. */
  at: number;
}

/** An alarm and how it stands. */
export interface WatchedAlarm {
  alarm: AlarmDefinition;
  state: AlarmState;
  /** Epoch ms; since when it is in this state. */
  since: number;
}

interface Watched extends WatchedAlarm {
  /** Epoch ms; it has been evaluated up to here. */
  evaluatedUntil: number;
  /** Epoch ms; when SetAlarmState has set its state, until it is evaluated again. */
  setAt?: number | undefined;
}

/** A state that was set lasts so long: metric alarms are evaluated every minute. In ms. */
const setStateMs = 60_000;

export interface CloudWatchOptions {
  clock: Clock;
  logs: LogsService;
  /** Publishes to a topic for an alarm; returns why it could not, or nothing. */
  notify: (topicArn: string, message: string) => string | undefined;
  /** How many periods beside its own an alarm looks at for real data; default 0. See `stateAt`. */
  extraPeriods?: number | undefined;
}

const minuteMs = 60_000;

/**
 * CloudWatch's metrics and alarms. Metrics come from the logs, in the embedded metric format, from the log service, which
 * counts each group's lines, and from Lambda, for its functions.
 * Alarms are evaluated when asked for, period by period since the last time, so that they cost nothing while the clock runs.
 */
export class CloudWatch {
  readonly #options: CloudWatchOptions;
  readonly #datapoints = new Map<string, Datapoint[]>();
  readonly #alarms = new Map<string, Watched>();
  readonly #history = new AlarmHistory();

  constructor(options: CloudWatchOptions) {
    this.#options = options;
    options.logs.onLine(({ message, group }) => {
      this.#count("AWS/Logs", "IncomingLogEvents", { LogGroupName: group });
      this.#read(message);
    });
  }

  /** Adds one value at the present time. */
  put(namespace: string, metricName: string, dimensions: Record<string, string>, value: number): void {
    const key = keyOf(namespace, metricName, dimensions);
    const known = this.#datapoints.get(key) ?? [];
    known.push({ at: this.#options.clock.now(), value });
    this.#datapoints.set(key, known);
  }

  /** Adds 1 to the value of the present minute. */
  #count(namespace: string, metricName: string, dimensions: Record<string, string>): void {
    const now = this.#options.clock.now();
    const last = this.#datapoints.get(keyOf(namespace, metricName, dimensions))?.at(-1);
    if (last && Math.floor(last.at / minuteMs) === Math.floor(now / minuteMs)) last.value += 1;
    else this.put(namespace, metricName, dimensions, 1);
  }

  /** The values of a metric so far. */
  datapoints(namespace: string, metricName: string, dimensions: Record<string, string>): readonly Datapoint[] {
    return this.#datapoints.get(keyOf(namespace, metricName, dimensions)) ?? [];
  }

  /**
   * Creates an alarm, or replaces the one of that name without a word: its state stays, and so do its tags.
   * @throws AwsError ValidationError, LimitExceeded
   */
  putAlarm(alarm: AlarmDefinition): void {
    const problem = alarmProblem(alarm) ?? wrongTags(alarm.tags);
    if (problem) throw new AwsError("ValidationError", problem);
    this.evaluate();
    const existing = this.#alarms.get(alarm.name);
    if (existing) {
      existing.alarm = { ...alarm, tags: existing.alarm.tags };
      return;
    }
    if (this.#alarms.size >= quotas.alarmsPerRegion.most)
      throw new AwsError("LimitExceeded", `The quota of ${quotas.alarmsPerRegion.most} alarms is reached.`);
    const now = this.#options.clock.now();
    this.#alarms.set(alarm.name, { alarm, evaluatedUntil: now, state: "INSUFFICIENT_DATA", since: now });
  }

  /** TagResource and UntagResource: the alarm has these tags from now on. @throws AwsError ValidationError, ResourceNotFound */
  setTags(name: string, tags: Record<string, string>): void {
    const problem = wrongTags(tags);
    if (problem) throw new AwsError("ValidationError", problem);
    const watched = this.#find(name);
    watched.alarm = { ...watched.alarm, tags };
  }

  /** The alarm as it is defined now; undefined where there is none. */
  alarm(name: string): AlarmDefinition | undefined {
    return this.#alarms.get(name)?.alarm;
  }

  deleteAlarm(name: string): void {
    this.#alarms.delete(name);
  }

  /** EnableAlarmActions and DisableAlarmActions: an alarm without goes on to be evaluated, and tells nobody. */
  setActionsEnabled(name: string, actionsEnabled: boolean): void {
    const watched = this.#find(name);
    watched.alarm = { ...watched.alarm, actionsEnabled };
  }

  /**
   * SetAlarmState: the alarm is in this state until it is evaluated again, a minute later.
   * @throws AwsError ResourceNotFound
   */
  setAlarmState(name: string, state: AlarmState, reason: string): void {
    this.evaluate();
    const watched = this.#find(name);
    const now = this.#options.clock.now();
    if (state !== watched.state) this.#enter(watched, state, now, reason);
    watched.setAt = now;
  }

  /** What happened to the alarms up to now, oldest first. */
  history(): ReturnType<AlarmHistory["items"]> {
    this.evaluate();
    return this.#history.items();
  }

  /** All alarms as they stand now, by name. */
  alarms(): WatchedAlarm[] {
    this.evaluate();
    return [...this.#alarms.values()].sort((one, other) => (one.alarm.name < other.alarm.name ? -1 : 1));
  }

  /** Evaluates all alarms up to now; those that go into ALARM notify their topics. In order of time. */
  evaluate(): Transition[] {
    const transitions = [...this.#alarms.values()].flatMap((watched) => this.#evaluate(watched));
    return transitions.sort((one, other) => one.at - other.at);
  }

  /** The alarms that are in ALARM now, by name. */
  alarming(): string[] {
    return this.alarms().flatMap(({ alarm, state }) => (state === "ALARM" ? [alarm.name] : []));
  }

  #find(name: string): Watched {
    const watched = this.#alarms.get(name);
    if (!watched) throw new AwsError("ResourceNotFound", `There is no alarm ${name}.`, 404);
    return watched;
  }

  #evaluate(watched: Watched): Transition[] {
    const { alarm } = watched;
    const { clock, extraPeriods } = this.#options;
    const datapoints = this.datapoints(alarm.namespace, alarm.metricName, alarm.dimensions);
    const transitions: Transition[] = [];
    const judge = (end: number, at: number) => {
      const state = stateAt(alarm, datapoints, end, watched.state, extraPeriods);
      if (state === watched.state) return;
      this.#enter(watched, state, at, "Evaluated by its datapoints.");
      transitions.push({ name: alarm.name, state, at });
    };
    const returnsAt = watched.setAt === undefined ? Number.POSITIVE_INFINITY : watched.setAt + setStateMs;
    if (returnsAt <= clock.now()) {
      watched.setAt = undefined;
      judge(watched.evaluatedUntil, returnsAt);
    }
    for (let end = watched.evaluatedUntil + alarm.periodMs; end <= clock.now(); end += alarm.periodMs) {
      watched.evaluatedUntil = end;
      judge(end, end);
    }
    return transitions;
  }

  /** Changes an alarm's state, and tells its topics where it goes into ALARM. */
  #enter(watched: Watched, to: AlarmState, at: number, reason: string): void {
    const { alarm, state: from } = watched;
    watched.state = to;
    watched.since = at;
    this.#history.stateUpdate(alarm.name, at, { from, to, reason });
    if (to !== "ALARM" || alarm.actionsEnabled === false) return;
    for (const arn of alarm.actions) {
      const message = JSON.stringify({ AlarmName: alarm.name, NewStateValue: to });
      this.#history.action(alarm.name, at, { arn, message, problem: this.#options.notify(arn, message) });
    }
  }

  /** What Lambda measures of an invocation. */
  putInvocation(functionName: string, isSuccess: boolean, durationMs: number): void {
    const dimensions = { FunctionName: functionName };
    this.put("AWS/Lambda", "Invocations", dimensions, 1);
    this.put("AWS/Lambda", "Errors", dimensions, isSuccess ? 0 : 1);
    this.put("AWS/Lambda", "Duration", dimensions, durationMs);
  }

  #read(message: string): void {
    const line = parsed(message);
    for (const { Namespace, Dimensions, Metrics } of line._aws?.CloudWatchMetrics ?? []) {
      for (const names of Dimensions) {
        const dimensions = Object.fromEntries(names.map((name) => [name, String(line[name])]));
        for (const { Name } of Metrics) {
          for (const value of [line[Name]].flat()) this.put(Namespace, Name, dimensions, Number(value));
        }
      }
    }
  }
}

interface LogLine {
  [name: string]: unknown;
  /** The embedded metric format. */
  _aws?: { CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[] };
}

// What is no JSON holds no metric.
function parsed(message: string): LogLine {
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === "object" && value !== null ? (value as LogLine) : {};
  } catch {
    return {};
  }
}

function keyOf(namespace: string, metricName: string, dimensions: Record<string, string>): string {
  return JSON.stringify([namespace, metricName, Object.entries(dimensions).sort()]);
}
