import type { EventName } from "../../src/formats/ledger.ts";
import type { Aws } from "../aws.ts";
import { readAllLines } from "../function-log.ts";
import type { Answers } from "./questions.ts";

/** What a rehearsal reads of the log. */
const names = [
  "step.started",
  "step.failed",
  "token.issue.started",
  "token.issue.refused",
  "token.issued",
  "token.stored",
  "token.proven",
  "token.promotion.started",
  "token.promoted",
  "token.revoked",
  "reconcile.completed",
] as const satisfies EventName[];

export type WatchedEvent = (typeof names)[number];

export interface WatchedLine {
  event: WatchedEvent;
  /** Epoch ms at which it was written. */
  at: number;
  stream: string | undefined;
  /** As they stand in the line: whoever reads one looks first whether it is there. */
  fields: Readonly<Record<string, unknown>>;
}

/** AWS's time is known to the second or two, so that a delay within this is none. In ms. */
const toleranceMs = 3_000;

/** The functions' log since the rehearsal began, read again and again: how late each line comes is noted. */
export class LogWatch {
  readonly #aws: Aws;
  readonly #logGroup: string;
  readonly #from: number;
  readonly #answers: Answers;
  readonly #seen = new Set<string>();
  #lookedAt: number;

  constructor(aws: Aws, logGroup: string, from: number, answers: Answers) {
    this.#aws = aws;
    this.#logGroup = logGroup;
    // What is older than the rehearsal is about other versions.
    this.#from = from - 60_000;
    this.#lookedAt = from;
    this.#answers = answers;
  }

  /** All lines so far, oldest first. */
  async read(now: () => number): Promise<WatchedLine[]> {
    const before = this.#lookedAt;
    const logged = await readAllLines(this.#aws, this.#logGroup, { from: this.#from, names });
    this.#lookedAt = now();
    return logged.flatMap(({ message, timestamp, logStreamName }) => {
      const line = lineOf(message, timestamp, logStreamName);
      const key = `${logStreamName} ${timestamp} ${message}`;
      // Written before the last look and not seen then: it was late, by so much at least.
      if (line && !this.#seen.has(key)) {
        this.#answers.delay("logs.deliveryDelayMs", Math.max(0, before - line.at), toleranceMs);
      }
      this.#seen.add(key);
      return line ?? [];
    });
  }
}

function lineOf(message: string, at: number, stream: string | undefined): WatchedLine | undefined {
  try {
    const { message: event, ...fields } = JSON.parse(message) as { message: WatchedEvent };
    return names.includes(event) ? { event, at, stream, fields } : undefined;
  } catch {
    return undefined;
  }
}
