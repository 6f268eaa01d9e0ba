import * as v from "valibot";
import { AwsError } from "../aws/service.ts";
import type { LogGroup } from "./log-group.ts";

const streamInput = v.object({ logGroupName: v.string(), logStreamName: v.string() });

const putLogEventsInput = v.object({
  ...streamInput.entries,
  logEvents: v.pipe(
    v.array(v.object({ timestamp: v.number(), message: v.string() })),
    v.minLength(1),
    v.maxLength(10_000),
  ),
});

export function createLogStream(
  groups: ReadonlyMap<string, LogGroup>,
  input: Record<string, unknown>,
  now: number,
): Record<string, unknown> {
  const { logGroupName, logStreamName } = parse(streamInput, input);
  const group = find(groups, logGroupName);
  if (group.streams.has(logStreamName)) {
    throw new AwsError("ResourceAlreadyExistsException", "The specified log stream already exists");
  }
  group.stream(logStreamName, now);
  return {};
}

const hour = 3_600_000;
const day = 24 * hour;

/** Sizes in bytes, as PutLogEvents counts them. Source: the operation's text in the API model. */
const limits = { event: 1_048_576, batch: 1_048_576, perEvent: 26 };

/**
 * Stores lines that a client wrote; the stream must be there. They can be read `deliveryDelayMs` after they came. Lines
 * older than 14 days or than the group's retention, and lines more than two hours ahead, are left out, and the answer,
 * which is no error, says which. Source: the operation's text in the API model.
 * @throws AwsError ResourceNotFoundException; InvalidParameterException for a batch that is too big, out of order, or
 * longer than a day
 */
export function putLogEvents(
  groups: ReadonlyMap<string, LogGroup>,
  input: Record<string, unknown>,
  now: number,
  store: (group: LogGroup, event: { stream: string; timestamp: number; message: string }) => void,
): Record<string, unknown> {
  const { logGroupName, logStreamName, logEvents } = parse(putLogEventsInput, input);
  const group = find(groups, logGroupName);
  if (!group.streams.has(logStreamName)) {
    throw new AwsError("ResourceNotFoundException", "The specified log stream does not exist.");
  }
  const sizes = logEvents.map(({ message }) => Buffer.byteLength(message));
  if (sizes.some((size) => size > limits.event)) throw refused(`Log event too large: more than ${limits.event} bytes`);
  if (sizes.reduce((total, size) => total + size + limits.perEvent, 0) > limits.batch) {
    throw refused(`Upload too large: more than ${limits.batch} bytes`);
  }
  const times = logEvents.map(({ timestamp }) => timestamp);
  if (times.some((time, index) => time < (times[index - 1] ?? time))) {
    throw refused("Log events in a single PutLogEvents request must be in chronological order.");
  }
  const expired = group.retentionInDays === undefined ? -Infinity : now - group.retentionInDays * day;
  // They are in order: the first so many are too old, and from some place on they are too new.
  const oldEnd = times.filter((time) => time < now - 14 * day).length;
  const expiredEnd = times.filter((time) => time < expired).length;
  const newStart = times.filter((time) => time <= now + 2 * hour).length;
  const accepted = logEvents.slice(Math.max(oldEnd, expiredEnd), newStart);
  if ((accepted.at(-1)?.timestamp ?? 0) - (accepted[0]?.timestamp ?? 0) > day) {
    throw refused("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  }
  for (const event of accepted) store(group, { ...event, stream: logStreamName });
  const rejected = {
    ...(newStart < times.length && { tooNewLogEventStartIndex: newStart }),
    ...(oldEnd > 0 && { tooOldLogEventEndIndex: oldEnd }),
    ...(expiredEnd > 0 && { expiredLogEventEndIndex: expiredEnd }),
  };
  return { nextSequenceToken: "0", ...(Object.keys(rejected).length > 0 && { rejectedLogEventsInfo: rejected }) };
}

function refused(message: string): AwsError {
  return new AwsError("InvalidParameterException", message);
}

function find(groups: ReadonlyMap<string, LogGroup>, name: string): LogGroup {
  const group = groups.get(name);
  if (!group) throw new AwsError("ResourceNotFoundException", "The specified log group does not exist.");
  return group;
}

function parse<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  throw new AwsError("InvalidParameterException", result.issues.map(({ message }) => message).join("; "));
}
