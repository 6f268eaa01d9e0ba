import { AwsError, type AwsRequest, type AwsService, type Caller, type PermissionNeeded } from "../aws/service.ts";
import type { Clock } from "../clock.ts";
import type { Iam } from "../iam/iam.ts";
import { brokenConstraint, tooLong, wrongTags } from "../quotas.ts";
import { type LogEvent, LogGroup } from "./log-group.ts";
import { LogWriter } from "./log-writer.ts";
import { describeLogGroups, describeLogStreams, filterLogEvents, getLogEvents } from "./reading.ts";
import { createLogStream, putLogEvents } from "./writing.ts";

export interface LogsKnobs {
  /** How long after it was written a line can be read, in ms. Default 0; on AWS it is seconds, and nothing is promised. */
  deliveryDelayMs: number;
  /** How many of the last lines of a killed or crashed environment never arrive. Default 0. */
  linesLostAtKill: number;
  /** The most events in a page of FilterLogEvents. Default 10,000, AWS's own limit; smaller ones make readers page. */
  maxPageEvents: number;
}

export interface LogsServiceOptions {
  clock: Clock;
  iam: Iam;
  accountId: string;
  region: string;
  knobs?: Partial<LogsKnobs>;
  /** Where another service left off, from its `save`. */
  state?: SavedLogGroup[];
}

/** A log group as JSON holds it. */
export interface SavedLogGroup {
  name: string;
  creationTime: number;
  /** Absent: for ever. */
  retentionInDays?: number;
  /** Absent: none. */
  deletionProtection?: boolean;
  tags?: Record<string, string>;
  kmsKeyId?: string;
  events: Omit<LogEvent, "eventId">[];
}

/** What can be set of a log group, beside its name. */
export interface LogGroupSettings {
  /** Default: for ever. */
  retentionInDays?: number | undefined;
  /** Default false. */
  deletionProtection?: boolean | undefined;
  tags?: Record<string, string> | undefined;
  kmsKeyId?: string | undefined;
}

/** The days that a retention may have. Source: PutRetentionPolicy, API reference. */
export const retentions: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export interface LogLine extends LogEvent {
  group: string;
}

const readings = {
  FilterLogEvents: filterLogEvents,
  GetLogEvents: getLogEvents,
  DescribeLogGroups: describeLogGroups,
  DescribeLogStreams: describeLogStreams,
};

const writings = ["CreateLogStream", "PutLogEvents"];

function isReading(operation: string): operation is keyof typeof readings {
  return Object.hasOwn(readings, operation);
}

function isKnown(operation: string): boolean {
  return isReading(operation) || writings.includes(operation);
}

/** CloudWatch Logs: groups, streams and events in memory, written by functions and read over the wire. */
export class LogsService implements AwsService {
  readonly name = "logs";
  /** May be changed at any time. */
  readonly knobs: LogsKnobs;
  readonly #options: LogsServiceOptions;
  readonly #groups = new Map<string, LogGroup>();
  readonly #listeners = new Set<(line: LogLine) => void>();

  constructor(options: LogsServiceOptions) {
    this.#options = options;
    this.knobs = { deliveryDelayMs: 0, linesLostAtKill: 0, maxPageEvents: 10_000, ...options.knobs };
    for (const { name, creationTime, events, ...settings } of options.state ?? []) {
      const group = new LogGroup(name, creationTime);
      set(group, settings);
      for (const event of events) {
        group.stream(event.stream, event.timestamp);
        group.add(event);
      }
      this.#groups.set(name, group);
    }
  }

  /** For `state` of a service to come; can be written as JSON. */
  save(): SavedLogGroup[] {
    return [...this.#groups.values()].map((group) => ({
      name: group.name,
      creationTime: group.creationTime,
      ...(group.retentionInDays === undefined ? {} : { retentionInDays: group.retentionInDays }),
      ...(group.deletionProtection ? { deletionProtection: true } : {}),
      ...(Object.keys(group.tags).length > 0 ? { tags: group.tags } : {}),
      ...(group.kmsKeyId === undefined ? {} : { kmsKeyId: group.kmsKeyId }),
      events: group.allEvents().map(({ eventId: _, ...event }) => event),
    }));
  }

  /** @throws AwsError ResourceAlreadyExistsException, InvalidParameterException */
  createGroup(name: string, settings: LogGroupSettings = {}): void {
    const problem = tooLong("logGroupName", "logGroupName", name);
    if (problem || !/^[.\-_/#A-Za-z0-9]+$/.test(name)) {
      const message = problem ?? brokenConstraint("logGroupName", "characters of [.-_/#A-Za-z0-9]");
      throw new AwsError("InvalidParameterException", message);
    }
    if (this.#groups.has(name))
      throw new AwsError("ResourceAlreadyExistsException", "The specified log group already exists");
    const group = new LogGroup(name, this.#options.clock.now());
    set(group, settings);
    this.#groups.set(name, group);
  }

  /** Its settings from now on. @throws AwsError ResourceNotFoundException, InvalidParameterException */
  updateGroup(name: string, settings: LogGroupSettings): void {
    set(this.#group(name), settings);
  }

  /** The group's settings as they are now; undefined where there is no group. */
  group(name: string): LogGroupSettings | undefined {
    const group = this.#groups.get(name);
    if (!group) return undefined;
    const { retentionInDays, deletionProtection, tags, kmsKeyId } = group;
    return { retentionInDays, deletionProtection, tags, kmsKeyId };
  }

  /** @throws AwsError ResourceNotFoundException; ValidationException while its deletion protection is on */
  deleteGroup(name: string): void {
    if (this.#group(name).deletionProtection) {
      // The code is in the API model's list of errors; the text is not on record.
      throw new AwsError("ValidationException", "Cannot delete log group with deletion protection enabled.");
    }
    this.#groups.delete(name);
  }

  /**
   * For an execution environment. Lines are stored only while the caller may `logs:CreateLogStream` and
   * `logs:PutLogEvents` on the stream; a group that isn't there is created where the caller may `logs:CreateLogGroup`, else lines are lost.
   */
  openWriter(
    groupName: string,
    stream: string,
    caller: Caller,
  ): { write(message: string): void; flush(): void; killed(): void } {
    if (!this.#groups.has(groupName) && this.#may(caller, "logs:CreateLogGroup", groupName, ""))
      this.createGroup(groupName);
    const group = this.#groups.get(groupName);
    if (!group) return { write: () => undefined, flush: () => undefined, killed: () => undefined };
    return new LogWriter({
      group,
      stream,
      isPermitted: () =>
        ["logs:CreateLogStream", "logs:PutLogEvents"].every((action) => this.#may(caller, action, groupName, stream)),
      append: (event) => this.#store(group, event),
      now: () => this.#options.clock.now(),
      linesLostAtKill: () => this.knobs.linesLostAtKill,
    });
  }

  /** Puts a line into a group as if it had been written there; creates group and stream as needed. No permission is asked for. */
  append(groupName: string, stream: string, message: string, timestamp = this.#options.clock.now()): void {
    const group = this.#groups.get(groupName) ?? new LogGroup(groupName, timestamp);
    this.#groups.set(groupName, group);
    group.stream(stream, timestamp);
    this.#store(group, { stream, timestamp, message });
  }

  /** The messages of a group that can be read now, in order of time. */
  lines(groupName: string): string[] {
    return (this.#groups.get(groupName)?.events(this.#options.clock.now()) ?? []).map((event) => event.message);
  }

  /** Hears every stored line as it is written, before any delivery delay. */
  onLine(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  permissionsFor({ operation, input }: AwsRequest): PermissionNeeded[] {
    if (!isKnown(operation)) return [];
    // As AWS's refusals show it: the resource of a reading call is the group with an empty stream name.
    const group = operation === "DescribeLogGroups" ? "" : groupNameOf(input);
    const ofStream = operation === "GetLogEvents" || writings.includes(operation);
    const stream = ofStream ? String(input.logStreamName ?? "") : "";
    return [{ action: `logs:${operation}`, resource: this.#arn(group, stream) }];
  }

  async handle({ operation, input }: AwsRequest): Promise<Record<string, unknown>> {
    const now = this.#options.clock.now();
    if (operation === "CreateLogStream") return createLogStream(this.#groups, input, now);
    if (operation === "PutLogEvents") {
      return putLogEvents(this.#groups, input, now, (group, event) => void this.#store(group, event, now));
    }
    if (!isReading(operation)) {
      const known = [...Object.keys(readings), ...writings].join(", ");
      throw new AwsError("UnknownOperationException", `logs:${operation} is not there; there are: ${known}.`);
    }
    const { maxPageEvents } = this.knobs;
    return readings[operation]({
      groups: this.#groups,
      input,
      now,
      maxPageEvents,
      arnOf: (group) => this.#groupArn(group),
    });
  }

  #store(group: LogGroup, event: Omit<LogEvent, "eventId" | "ingestionTime">, cameAt = event.timestamp): LogEvent {
    const stored = group.add({ ...event, ingestionTime: cameAt + this.knobs.deliveryDelayMs });
    for (const listener of this.#listeners) listener({ ...stored, group: group.name });
    return stored;
  }

  #may(caller: Caller, action: string, group: string, stream: string): boolean {
    return this.#options.iam.isAllowed(caller, { action, resource: this.#arn(group, stream) });
  }

  #group(name: string): LogGroup {
    const group = this.#groups.get(name);
    if (!group) throw new AwsError("ResourceNotFoundException", "The specified log group does not exist.");
    return group;
  }

  #groupArn(group: string): string {
    return `arn:aws:logs:${this.#options.region}:${this.#options.accountId}:log-group:${group}`;
  }

  #arn(group: string, stream: string): string {
    return `${this.#groupArn(group)}:log-stream:${stream}`;
  }
}

function set(
  group: LogGroup,
  { retentionInDays, deletionProtection = false, tags = {}, kmsKeyId }: LogGroupSettings,
): void {
  const problem =
    wrongTags(tags) ??
    (retentionInDays === undefined || retentions.includes(retentionInDays)
      ? undefined
      : brokenConstraint("retentionInDays", `value out of ${retentions.join(", ")}`));
  if (problem) throw new AwsError("InvalidParameterException", problem);
  Object.assign(group, { retentionInDays, deletionProtection, tags, kmsKeyId });
}

function groupNameOf(input: Record<string, unknown>): string {
  const identifier = input.logGroupName ?? input.logGroupIdentifier;
  if (typeof identifier !== "string") {
    throw new AwsError("InvalidParameterException", "Either logGroupName or logGroupIdentifier must be given.");
  }
  // An identifier may be the group's ARN, with or without ":*".
  return identifier.startsWith("arn:") ? (identifier.split(":")[6] ?? "") : identifier;
}
