import * as v from "valibot";
import { AwsError } from "../aws/service.ts";
import { parseFilterPattern } from "./filter-pattern.ts";
import type { LogEvent, LogGroup } from "./log-group.ts";

/** What a reading operation works on. */
export interface Reading {
  groups: ReadonlyMap<string, LogGroup>;
  input: Record<string, unknown>;
  now: number;
  arnOf: (group: string) => string;
  /** The most events in a page, whatever limit was asked for. */
  maxPageEvents: number;
}

const epoch = v.pipe(v.number(), v.integer(), v.minValue(0));
const limit = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const range = { startTime: v.optional(epoch), endTime: v.optional(epoch), nextToken: v.optional(v.string()) };
const groupRef = { logGroupName: v.optional(v.string()), logGroupIdentifier: v.optional(v.string()) };

const filterLogEventsInput = v.object({
  ...groupRef,
  ...range,
  limit: v.optional(limit(10_000), 10_000),
  logStreamNames: v.optional(v.array(v.string())),
  logStreamNamePrefix: v.optional(v.string()),
  filterPattern: v.optional(v.string()),
  interleaved: v.optional(v.boolean()),
});

/** Events of all streams of a group in order of time, filtered and in pages. */
export function filterLogEvents({ groups, input, now, maxPageEvents }: Reading): Record<string, unknown> {
  const wanted = parse(filterLogEventsInput, input);
  const matches = wanted.filterPattern === undefined ? () => true : parseFilterPattern(wanted.filterPattern);
  const { logStreamNames: names, logStreamNamePrefix: prefix } = wanted;
  const found = find(groups, wanted)
    .events(now)
    .filter(within(wanted))
    .filter(({ stream }) => (names === undefined || names.includes(stream)) && stream.startsWith(prefix ?? ""))
    .filter(({ message }) => matches(message));
  const { items, nextToken } = page(found, wanted.nextToken, Math.min(wanted.limit, maxPageEvents));
  return {
    events: items.map(({ stream, ...event }) => ({ ...event, logStreamName: stream })),
    searchedLogStreams: [],
    ...(nextToken !== undefined && { nextToken }),
  };
}

const getLogEventsInput = v.object({
  ...groupRef,
  ...range,
  logStreamName: v.string(),
  limit: v.optional(limit(10_000), 10_000),
  startFromHead: v.optional(v.boolean(), false),
});

/** Events of one stream. From the head only: what AWS does with tokens from the tail is not copied. */
export function getLogEvents({ groups, input, now }: Reading): Record<string, unknown> {
  const wanted = parse(getLogEventsInput, input);
  const group = find(groups, wanted);
  if (!group.streams.has(wanted.logStreamName))
    throw new AwsError("ResourceNotFoundException", "The specified log stream does not exist.");
  // Unlike FilterLogEvents, this one leaves out an event exactly at endTime.
  const events = group
    .events(now)
    .filter(within({ ...wanted, endTime: wanted.endTime === undefined ? undefined : wanted.endTime - 1 }))
    .filter(({ stream }) => stream === wanted.logStreamName);
  const tail = wanted.nextToken === undefined && !wanted.startFromHead ? Math.max(0, events.length - wanted.limit) : 0;
  const start = wanted.nextToken === undefined ? tail : offsetOf(wanted.nextToken);
  const items = events.slice(start, start + wanted.limit);
  // At the end AWS gives the same forward token again; readers stop there.
  return {
    events: items.map(({ timestamp, ingestionTime, message }) => ({ timestamp, ingestionTime, message })),
    nextForwardToken: `f/${start + items.length}`,
    nextBackwardToken: `b/${Math.max(0, start - wanted.limit)}`,
  };
}

const describeLogGroupsInput = v.object({
  logGroupNamePrefix: v.optional(v.string()),
  logGroupNamePattern: v.optional(v.string()),
  nextToken: v.optional(v.string()),
  limit: v.optional(limit(50), 50),
});

export function describeLogGroups({ groups, input, arnOf }: Reading): Record<string, unknown> {
  const wanted = parse(describeLogGroupsInput, input);
  const found = [...groups.values()]
    .filter(({ name }) => name.startsWith(wanted.logGroupNamePrefix ?? ""))
    .filter(({ name }) => name.includes(wanted.logGroupNamePattern ?? ""))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const { items, nextToken } = page(found, wanted.nextToken, wanted.limit);
  return {
    logGroups: items.map((group) => ({
      logGroupName: group.name,
      creationTime: group.creationTime,
      ...(group.retentionInDays !== undefined && { retentionInDays: group.retentionInDays }),
      storedBytes: 0,
      deletionProtectionEnabled: group.deletionProtection,
      arn: `${arnOf(group.name)}:*`,
      logGroupArn: arnOf(group.name),
    })),
    ...(nextToken !== undefined && { nextToken }),
  };
}

const describeLogStreamsInput = v.object({
  ...groupRef,
  logStreamNamePrefix: v.optional(v.string()),
  nextToken: v.optional(v.string()),
  limit: v.optional(limit(50), 50),
  orderBy: v.optional(v.picklist(["LogStreamName", "LastEventTime"]), "LogStreamName"),
  descending: v.optional(v.boolean(), false),
});

export function describeLogStreams({ groups, input, now, arnOf }: Reading): Record<string, unknown> {
  const wanted = parse(describeLogStreamsInput, input);
  const group = find(groups, wanted);
  const events = group.events(now);
  const streams = [...group.streams.values()]
    .filter(({ name }) => name.startsWith(wanted.logStreamNamePrefix ?? ""))
    .map((stream) => {
      const times = events.filter((event) => event.stream === stream.name).map((event) => event.timestamp);
      return { ...stream, first: times[0], last: times.at(-1) };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  if (wanted.orderBy === "LastEventTime") streams.sort((one, other) => (one.last ?? 0) - (other.last ?? 0));
  if (wanted.descending) streams.reverse();
  const { items, nextToken } = page(streams, wanted.nextToken, wanted.limit);
  return {
    logStreams: items.map(({ name, creationTime, first, last }) => ({
      logStreamName: name,
      creationTime,
      ...(first !== undefined && { firstEventTimestamp: first, lastEventTimestamp: last }),
      arn: `${arnOf(group.name)}:log-stream:${name}`,
    })),
    ...(nextToken !== undefined && { nextToken }),
  };
}

function find(
  groups: ReadonlyMap<string, LogGroup>,
  { logGroupName, logGroupIdentifier }: { logGroupName?: string | undefined; logGroupIdentifier?: string | undefined },
): LogGroup {
  const identifier = logGroupName ?? logGroupIdentifier ?? "";
  const group = groups.get(identifier.startsWith("arn:") ? (identifier.split(":")[6] ?? "") : identifier);
  if (!group) throw new AwsError("ResourceNotFoundException", "The specified log group does not exist.");
  return group;
}

/** `startTime` is inclusive; an event later than `endTime` is left out. */
function within({
  startTime = 0,
  endTime = Infinity,
}: {
  startTime?: number | undefined;
  endTime?: number | undefined;
}) {
  return ({ timestamp }: LogEvent) => timestamp >= startTime && timestamp <= endTime;
}

function page<Item>(
  all: Item[],
  token: string | undefined,
  size: number,
): { items: Item[]; nextToken: string | undefined } {
  const start = token === undefined ? 0 : offsetOf(token);
  const end = start + size;
  return { items: all.slice(start, end), nextToken: end < all.length ? `f/${end}` : undefined };
}

function offsetOf(token: string): number {
  const offset = /^[fb]\/(\d+)$/.exec(token)?.[1];
  if (offset === undefined) throw new AwsError("InvalidParameterException", "The specified nextToken is invalid.");
  return Number(offset);
}

function parse<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? "input"}: ${issue.message}`);
  throw new AwsError("InvalidParameterException", problems.join("; "));
}
