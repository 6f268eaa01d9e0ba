import { randomUUID } from "node:crypto";
import { type EventName, type Events, formatLine, operatorStreams, type RotationLog } from "../src/formats/ledger.ts";
import type { Clock } from "../src/ports/clock.ts";
import type { Aws } from "./aws.ts";

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

  event<Name extends EventName>(name: Name, fields: Events[Name]): void {
    const timestamp = this.#clock.now();
    this.#lines.push({ timestamp, message: formatLine(name, fields, timestamp, { by: "operator" }) });
  }

  /** What an operator does is not counted. */
  metric(): void {}

  /** Sends the lines to a stream of their own, in the part of the log group that is the operators'. */
  async flush(aws: Aws, logGroup: string): Promise<void> {
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    const stream = `${operatorStreams}${new Date(this.#clock.now()).toISOString().slice(0, 10)}/${randomUUID()}`;
    await aws.writeLog(logGroup, stream, lines);
  }
}
