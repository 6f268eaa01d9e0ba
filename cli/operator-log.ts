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
  #lines: { at: number; format: (at: number, callerArn: string | undefined) => string }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  event<Name extends EventName>(name: Name, fields: Events[Name]): void {
    this.#lines.push({
      at: this.#clock.now(),
      format: (at, callerArn) => formatLine(name, fields, at, { by: "operator", caller_arn: callerArn }),
    });
  }

  /** What an operator does is not counted. */
  metric(): void {}

  /**
   * Sends the lines to a stream of their own, in the part of the log group that is the operators', with whose credentials
   * they were written, where AWS tells that. Where the clock was
   * set back meanwhile, as when it follows AWS's, the later reading is believed: CloudWatch refuses lines out of order,
   * and they would be lost.
   */
  async flush(aws: Pick<Aws, "writeLog" | "callerArn">, logGroup: string): Promise<void> {
    if (this.#lines.length === 0) return;
    const callerArn = await aws.callerArn();
    const now = this.#clock.now();
    let latest = now;
    const lines = this.#lines.reverse().map(({ at, format }) => {
      latest = Math.min(latest, at);
      return { timestamp: latest, message: format(latest, callerArn) };
    });
    this.#lines = [];
    const stream = `${operatorStreams}${new Date(now).toISOString().slice(0, 10)}/${randomUUID()}`;
    await aws.writeLog(logGroup, stream, lines.reverse());
  }
}
