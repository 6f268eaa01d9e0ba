import { type EventName, type Events, isOperatorStream } from "../src/formats/ledger.ts";
import type { Aws, LogPage } from "./aws.ts";
import { failed } from "./failure.ts";

/** A line of the functions' log that is one of the protocol's events. */
export type LogLine = {
  [Name in EventName]: {
    event: Name;
    at: number;
    /** When CloudWatch had it, by its own clock. */
    cameAt?: number | undefined;
    fields: Events[Name];
  };
}[EventName];

/** CloudWatch gives up to 1 MB a page, and often none of it: more than this is no log that ends. */
const mostPages = 1_000;

/** Which lines of a log group. */
interface Asked {
  /** Epoch ms; those that were logged then or later. */
  from: number;
  names: readonly EventName[];
}

/**
 * The lines with these events as they stand in the log, oldest first. CloudWatch delivers lines seconds late and promises
 * nothing: what is not there may still come.
 *
 * @returns `isCut`: whether the log goes on after all that is read of one
 */
export async function readLines(
  aws: Aws,
  logGroup: string,
  { from, names }: Asked,
): Promise<{ lines: LogPage["events"]; isCut: boolean }> {
  const lines: LogPage["events"] = [];
  let nextToken: string | undefined;
  const asked = new Set<string>();
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await aws.logEvents({ logGroup, names, from, nextToken });
    lines.push(...answer.events);
    nextToken = answer.nextToken;
    // A token that was sent leads nowhere.
    if (!nextToken || asked.has(nextToken)) break;
    asked.add(nextToken);
  }
  return { lines: lines.sort((one, other) => one.timestamp - other.timestamp), isCut: Boolean(nextToken) };
}

/**
 * All lines, as `readLines` has them.
 *
 * @throws Failure where the log does not end: what was read would look like all there is
 */
export async function readAllLines(aws: Aws, logGroup: string, asked: Asked): Promise<LogPage["events"]> {
  const { lines, isCut } = await readLines(aws, logGroup, asked);
  if (isCut)
    throw failed(
      `CloudWatch does not give the end of the log group ${logGroup}: it says again and again that the log goes on.`,
    );
  return lines;
}

/**
 * The events of these names that the functions wrote, oldest first; throws as `readAllLines`. What stands in operators' streams
 * is an operator's word: it says nothing of what the functions do.
 */
export async function readEvents(aws: Aws, logGroup: string, asked: Asked): Promise<LogLine[]> {
  const lines = await readAllLines(aws, logGroup, asked);
  const own = lines.filter(({ logStreamName }) => !isOperatorStream(logStreamName));
  return own.flatMap(({ message, timestamp, ingestionTime }) => parseLine(message, timestamp, ingestionTime) ?? []);
}

function parseLine(message: string, at: number, cameAt: number | undefined): LogLine | undefined {
  try {
    const { message: event, ...fields } = JSON.parse(message) as { message: EventName };
    // Written by our own functions, whose types these are; the pattern has chosen the names.
    return { event, at, cameAt, fields } as unknown as LogLine;
  } catch {
    return undefined;
  }
}
