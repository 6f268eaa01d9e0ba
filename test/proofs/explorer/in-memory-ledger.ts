import type { Events } from "../../../src/formats/ledger.ts";
import { isLedgerEvent, type LedgerEntry } from "../../../src/formats/ledger.ts";
import type { FunctionRun } from "./function-run.ts";

/** A line of a function's log. */
export interface LogLine {
  at: number;
  event: keyof Events;
  fields: Record<string, unknown>;
  /** As it stands in the log. */
  text: string;
}

/** The functions' log group, in memory: delivered late and with lines lost where the scenario says so. */
export class InMemoryLedger {
  readonly lines: LogLine[] = [];
  readonly #entries: LedgerEntry[] = [];
  readonly #byRun = new Map<FunctionRun, LogLine[]>();
  readonly #delayMs: number;
  readonly #lostAtKill: number;

  constructor({ delayMs = 0, lostAtKill = 0 }: { delayMs?: number; lostAtKill?: number } = {}) {
    this.#delayMs = delayMs;
    this.#lostAtKill = lostAtKill;
  }

  write(run: FunctionRun, at: number, event: keyof Events, fields: object): LogLine {
    const text = JSON.stringify({ message: event, ...fields });
    const { message: _, ...asRead } = JSON.parse(text) as Record<string, unknown>;
    const line = { at, event, fields: asRead, text };
    this.lines.push(line);
    if (isLedgerEvent(event)) this.#entries.push({ event, at, fields: asRead } as unknown as LedgerEntry);
    if (this.#lostAtKill > 0) this.#byRun.set(run, [...(this.#byRun.get(run) ?? []), line]);
    return line;
  }

  /** Loses what the killed function had not sent. */
  killed(run: FunctionRun): void {
    for (const line of (this.#byRun.get(run) ?? []).slice(-this.#lostAtKill)) {
      this.lines.splice(this.lines.indexOf(line), 1);
      const index = this.#entries.findIndex((entry) => entry.fields === (line.fields as object));
      if (index >= 0) this.#entries.splice(index, 1);
    }
  }

  read(from: number, now: number): LedgerEntry[] {
    return this.#entries.filter(({ at }) => at >= from && at + this.#delayMs <= now);
  }
}
