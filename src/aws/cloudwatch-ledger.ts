import { type CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { EventName } from "../formats/ledger.ts";
import { isLedgerEvent, type Ledger, type LedgerEntry, ledgerEvents } from "../formats/ledger.ts";
import { causeOf } from "../ports/cause.ts";
import { RetryableError } from "../ports/errors.ts";

/** CloudWatch's JSON filter for the lines whose `message` is one of these events. */
export function eventsPattern(names: readonly EventName[]): string {
  return `{ ${names.map((name) => `$.message = "${name}"`).join(" || ")} }`;
}

const filterPattern = eventsPattern(ledgerEvents);

/** Pages read at the most: 10,000 lines each at their fullest. */
const mostPages = 1_000;

/**
 * The ledger in a CloudWatch log group. A line that was written may not be delivered yet, and CloudWatch promises no
 * delivery: what it loses is not in the ledger.
 */
export class CloudWatchLedger implements Ledger {
  readonly #client: CloudWatchLogsClient;
  readonly #logGroupName: string;

  constructor(client: CloudWatchLogsClient, logGroupName: string) {
    this.#client = client;
    this.#logGroupName = logGroupName;
  }

  /** @throws RetryableError `ledger_unavailable` */
  async read(from: number): Promise<LedgerEntry[]> {
    const entries: LedgerEntry[] = [];
    let nextToken: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const answer = await this.#page(from, nextToken);
      for (const { message, timestamp } of answer.events ?? []) {
        const entry = parseLine(message, timestamp);
        if (entry) entries.push(entry);
      }
      nextToken = answer.nextToken;
      if (nextToken === undefined) return entries.sort((one, other) => one.at - other.at);
    }
    throw new RetryableError("ledger_unavailable", "The log group is too large to be read in one run.");
  }

  async #page(from: number, nextToken: string | undefined) {
    const logGroupName = this.#logGroupName;
    try {
      return await this.#client.send(
        new FilterLogEventsCommand({ logGroupName, startTime: Math.max(0, from), filterPattern, nextToken }),
      );
    } catch (error) {
      const { said, remedy } = causeOf(error);
      throw new RetryableError("ledger_unavailable", `FilterLogEvents: the log could not be read. ${said} ${remedy}`);
    }
  }
}

function parseLine(message: string | undefined, timestamp: number | undefined): LedgerEntry | undefined {
  let line: { message?: unknown };
  try {
    line = JSON.parse(message ?? "") as typeof line;
  } catch {
    return undefined;
  }
  const { message: event, ...fields } = line;
  if (typeof event !== "string" || !isLedgerEvent(event) || timestamp === undefined) return undefined;
  return { event, at: timestamp, fields } as unknown as LedgerEntry;
}
