import { randomUUID } from "node:crypto";
import {
  type CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { RotationLog } from "../src/formats/ledger.ts";
import type { Clock } from "../src/ports/clock.ts";
import type { Call } from "./command.ts";

/**
 * Writes what an operator did into the functions' log, from which the reconciler follows which tokens live and since
 * when a label has moved. Unlike a function's, its events reach the log with `flush`.
 */
export class OperatorLog implements RotationLog {
  readonly #clock: Clock;
  #lines: { timestamp: number; message: string }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  event(name: string, fields: object): void {
    const timestamp = this.#clock.now();
    const line = {
      level: "INFO",
      message: name,
      timestamp: new Date(timestamp).toISOString(),
      by: "operator",
      ...fields,
    };
    this.#lines.push({ timestamp, message: JSON.stringify(line) });
  }

  /** What an operator does is not counted. */
  metric(): void {}

  /** Sends the lines to a stream of their own. */
  async flush(logs: CloudWatchLogsClient, logGroupName: string): Promise<void> {
    const logEvents = this.#lines;
    if (logEvents.length === 0) return;
    this.#lines = [];
    const logStreamName = `operator/${new Date(this.#clock.now()).toISOString().slice(0, 10)}/${randomUUID()}`;
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
  }
}

/** Sends the operator's lines; where that is not possible they are lost, and the person has to know what follows. */
export async function keepLog(call: Call, log: OperatorLog, logGroup: string): Promise<void> {
  try {
    await log.flush(call.aws().logs, logGroup);
  } catch (error) {
    const name = error instanceof Error ? error.name : "unknown";
    call.terminal.warn(`what was done could not be written to the functions' log (${name}); CloudTrail has it.`);
  }
}
