import type { EventName, Events } from "../src/formats/ledger.ts";
import type { Aws } from "./aws.ts";
import { failed } from "./failure.ts";

/** A line of the functions' log that is one of the protocol's events. */
export type LogLine = { [Name in EventName]: { event: Name; at: number; fields: Events[Name] } }[EventName];

/** CloudWatch gives up to 1 MB a page, and often none of it: more than this is no log that ends. */
const mostPages = 1_000;

/**
 * The events of these names that were logged at or after `from` (epoch ms), oldest first. CloudWatch delivers lines
 * seconds late and promises nothing: what is not there may still come.
 *
 * @throws Failure where the log does not end: what was read would look like all there is
 */
export async function readEvents(
  aws: Aws,
  logGroup: string,
  { from, names }: { from: number; names: readonly EventName[] },
): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const { events, nextToken: next } = await aws.logEvents({ logGroup, names, from, nextToken });
    for (const { message, timestamp } of events) {
      const line = parseLine(message, timestamp);
      if (line) lines.push(line);
    }
    nextToken = next;
    if (!nextToken) return lines.sort((one, other) => one.at - other.at);
  }
  throw failed(`CloudWatch says after ${mostPages} pages that the log group ${logGroup} goes on.`);
}

function parseLine(message: string, at: number): LogLine | undefined {
  try {
    const { message: event, ...fields } = JSON.parse(message) as { message: EventName };
    // Written by our own functions, whose types these are; the pattern has chosen the names.
    return { event, at, fields } as unknown as LogLine;
  } catch {
    return undefined;
  }
}
