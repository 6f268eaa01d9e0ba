import type { Clock } from "../clock.ts";
import type { LogsService } from "../logs/service.ts";
import { type AlarmDefinition, type AlarmState, type Datapoint, stateAt } from "./alarm.ts";

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
}

export interface CloudWatchOptions {
  clock: Clock;
  logs: LogsService;
  /** Publishes to a topic for an alarm. */
  notify: (topicArn: string, message: string) => void;
}

/**
 * CloudWatch's metrics and alarms. Metrics come from the logs: those in the embedded metric format, and Lambda's Errors.
 * Alarms are evaluated when asked for, period by period since the last time, so that they cost nothing while the clock runs.
 */
export class CloudWatch {
  readonly #options: CloudWatchOptions;
  readonly #datapoints = new Map<string, Datapoint[]>();
  readonly #alarms = new Map<string, Watched>();

  constructor(options: CloudWatchOptions) {
    this.#options = options;
    options.logs.onLine(({ message, stream }) => this.#read(message, stream));
  }

  /** Adds one value at the present time. */
  put(namespace: string, metricName: string, dimensions: Record<string, string>, value: number): void {
    const key = keyOf(namespace, metricName, dimensions);
    const known = this.#datapoints.get(key) ?? [];
    known.push({ at: this.#options.clock.now(), value });
    this.#datapoints.set(key, known);
  }

  /** The values of a metric so far. */
  datapoints(namespace: string, metricName: string, dimensions: Record<string, string>): readonly Datapoint[] {
    return this.#datapoints.get(keyOf(namespace, metricName, dimensions)) ?? [];
  }

  putAlarm(alarm: AlarmDefinition): void {
    const { clock } = this.#options;
    const now = clock.now();
    this.#alarms.set(alarm.name, { alarm, evaluatedUntil: now, state: "INSUFFICIENT_DATA", since: now });
  }

  deleteAlarm(name: string): void {
    this.#alarms.delete(name);
  }

  /** EnableAlarmActions and DisableAlarmActions: an alarm without goes on to be evaluated, and tells nobody. */
  setActionsEnabled(name: string, actionsEnabled: boolean): void {
    const watched = this.#alarms.get(name);
    if (!watched) throw new Error(`There is no alarm ${name}.`);
    watched.alarm = { ...watched.alarm, actionsEnabled };
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

  #evaluate(watched: Watched): Transition[] {
    const { alarm } = watched;
    const { clock, notify } = this.#options;
    const datapoints = this.datapoints(alarm.namespace, alarm.metricName, alarm.dimensions);
    const transitions: Transition[] = [];
    for (let end = watched.evaluatedUntil + alarm.periodMs; end <= clock.now(); end += alarm.periodMs) {
      const state = stateAt(alarm, datapoints, end, watched.state);
      watched.evaluatedUntil = end;
      if (state === watched.state) continue;
      watched.state = state;
      watched.since = end;
      transitions.push({ name: alarm.name, state, at: end });
      if (state !== "ALARM" || alarm.actionsEnabled === false) continue;
      for (const topic of alarm.actions) notify(topic, JSON.stringify({ AlarmName: alarm.name, NewStateValue: state }));
    }
    return transitions;
  }

  #read(message: string, stream: string): void {
    const line = parsed(message);
    for (const { Namespace, Dimensions, Metrics } of line._aws?.CloudWatchMetrics ?? []) {
      for (const names of Dimensions) {
        const dimensions = Object.fromEntries(names.map((name) => [name, String(line[name])]));
        for (const { Name } of Metrics) {
          for (const value of [line[Name]].flat()) this.put(Namespace, Name, dimensions, Number(value));
        }
      }
    }
    if (line.type === "platform.report") {
      const [, FunctionName = ""] = /\/([^/]+)\[\$LATEST\]/.exec(stream) ?? [];
      this.put("AWS/Lambda", "Errors", { FunctionName }, line.record?.status === "success" ? 0 : 1);
    }
  }
}

interface LogLine {
  [name: string]: unknown;
  type?: string;
  record?: { status?: string };
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
