import { type CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { EventName } from "../formats/ledger.ts";
import { type Ledger, type LedgerEntry, type LedgerPart, ledgerEvents, parseLine } from "../formats/ledger.ts";
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
  async read(from: number): Promise<LedgerPart> {
    const entries: LedgerEntry[] = [];
    let unreadable = 0;
    let nextToken: string | undefined;
    const asked = new Set<string>();
    for (let page = 0; page < mostPages; page += 1) {
      const answer = await this.#page(from, nextToken);
      for (const { message = "", timestamp, logStreamName } of answer.events ?? []) {
        const entry =
          timestamp === undefined ? "unreadable" : parseLine({ text: message, at: timestamp, logStreamName });
        if (entry === "unreadable") unreadable += 1;
        else if (entry) entries.push(entry);
      }
      nextToken = answer.nextToken;
      // A token that was sent leads nowhere: what may follow can't be read, and the rest has to do.
      const isStuck = nextToken !== undefined && asked.has(nextToken);
      if (nextToken) asked.add(nextToken);
      if (!nextToken || isStuck) {
        const sorted = entries.sort((one, other) => one.at - other.at);
        return { entries: sorted, unreadable: unreadable + (isStuck ? 1 : 0) };
      }
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
