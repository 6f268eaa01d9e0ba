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

/** Stores lines that a client wrote; the stream must be there. They can be read `deliveryDelayMs` after they came. */
export function putLogEvents(
  groups: ReadonlyMap<string, LogGroup>,
  input: Record<string, unknown>,
  store: (group: LogGroup, event: { stream: string; timestamp: number; message: string }) => void,
): Record<string, unknown> {
  const { logGroupName, logStreamName, logEvents } = parse(putLogEventsInput, input);
  const group = find(groups, logGroupName);
  if (!group.streams.has(logStreamName)) {
    throw new AwsError("ResourceNotFoundException", "The specified log stream does not exist.");
  }
  for (const event of logEvents) store(group, { ...event, stream: logStreamName });
  return { nextSequenceToken: "0" };
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
