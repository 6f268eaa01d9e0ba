import {
  type EventName,
  type Events,
  formatLine,
  isLedgerEvent,
  type LedgerEntry,
  type LedgerPart,
  parseLine,
} from "../../../src/formats/ledger.ts";
import type { FunctionRun } from "./function-run.ts";
import type { LineFault } from "./moves.ts";

/** A line of the log group. */
export interface LogLine {
  /** Its timestamp, by the clock of whoever wrote it. */
  at: number;
  /** When it came, by CloudWatch's clock. */
  cameAt: number;
  /** When it can be read. */
  visibleFrom: number;
  stream: string;
  event: keyof Events;
  fields: Record<string, unknown>;
  /** As it stands in the log; undefined before anybody has read it. */
  text: string | undefined;
  /** As the product reads it; absent before anybody has. */
  entry?: LedgerEntry | "unreadable" | undefined;
}

/** All of a ledger at a moment in which nothing runs. */
export interface SavedLedger {
  lines: readonly LogLine[];
  delayMs: number;
  isMixed: boolean;
}

/** A line that `line-late` strikes can be read so much later, in ms. */
const lateMs = 3_600_000;

/** Lines that are no ledger's, or look like it and are not. */
const notOurs = ["null", "START RequestId: 7e2d", '{"message":"token.revoked"}', '["token.issued"]'];

/** The functions' log group, in memory: delivered late and with lines lost where the world is like that. */
export class InMemoryLedger {
  readonly lines: LogLine[] = [];
  /** How late lines can be read from now on, in ms. */
  delayMs: number;
  /** Whether lines are read in another order. */
  isMixed = false;
  readonly #byRun = new Map<FunctionRun, LogLine[]>();
  readonly #lostAtKill: number;

  constructor({ delayMs = 0, lostAtKill = 0 }: { delayMs?: number; lostAtKill?: number } = {}) {
    this.delayMs = delayMs;
    this.#lostAtKill = lostAtKill;
  }

  save(): SavedLedger {
    return { lines: [...this.lines], delayMs: this.delayMs, isMixed: this.isMixed };
  }

  restore({ lines, delayMs, isMixed }: SavedLedger): void {
    this.lines.push(...lines);
    this.delayMs = delayMs;
    this.isMixed = isMixed;
  }

  /** A line of a function. */
  write<Name extends EventName>(
    run: FunctionRun,
    now: number,
    event: Name,
    fields: Events[Name],
    fault?: LineFault,
  ): LogLine {
    const at = now + run.skewMs;
    // Texts, numbers and booleans: what JSON leaves out is what is undefined.
    const asRead: Record<string, unknown> = {};
    for (const name in fields) if (fields[name] !== undefined) asRead[name] = fields[name];
    const line = this.#line({ text: undefined, event, fields: asRead }, at, now, "functions");
    if (fault === "line-lost") return line;
    if (fault === "line-late") line.visibleFrom += lateMs;
    this.lines.push(line);
    if (fault === "line-twice") this.lines.push({ ...line });
    if (this.#lostAtKill > 0) this.#byRun.set(run, [...(this.#byRun.get(run) ?? []), line]);
    return line;
  }

  /** A line that came by PutLogEvents. */
  put(stream: string, at: number, text: string, now: number): LogLine {
    const { message, level: _, timestamp: __, ...fields } = JSON.parse(text) as Record<string, unknown>;
    const line = this.#line({ text, event: message as EventName, fields }, at, now, stream);
    this.lines.push(line);
    return line;
  }

  /** Loses what the killed function had not sent. */
  killed(run: FunctionRun): void {
    if (this.#lostAtKill === 0) return;
    for (const line of (this.#byRun.get(run) ?? []).slice(-this.#lostAtKill)) {
      const index = this.lines.indexOf(line);
      if (index >= 0) this.lines.splice(index, 1);
    }
  }

  /** The lines that can be read now, from a time on. */
  readable(from: number, now: number): LogLine[] {
    const lines = this.lines.filter(({ at, visibleFrom }) => at >= from && visibleFrom <= now);
    return this.isMixed ? lines.reverse() : lines;
  }

  /** The same as the product reads them. */
  read(from: number, now: number): LedgerPart {
    const found = this.readable(from, now).flatMap((line) => entryOf(line) ?? []);
    const entries = found.filter((entry) => entry !== "unreadable");
    // As the product sorts what it has read.
    entries.sort((one, other) => one.at - other.at);
    const foreign = this.isMixed ? notOurs.map((text) => parseLine({ text, at: now, logStreamName: "functions" })) : [];
    const unreadable = foreign.filter((entry) => entry === "unreadable").length;
    return { entries, unreadable: found.length - entries.length + unreadable };
  }

  #line(said: Pick<LogLine, "text" | "event" | "fields">, at: number, now: number, stream: string): LogLine {
    return { ...said, at, cameAt: now, visibleFrom: now + this.delayMs, stream };
  }
}

/** The line as it stands in the log. */
export function textOf(line: LogLine): string {
  line.text ??= formatLine(line.event, line.fields as never, line.at, { service: "c2m" });
  return line.text;
}

function entryOf(line: LogLine): LogLine["entry"] {
  const { event, at, stream } = line;
  if (!("entry" in line)) {
    line.entry = isLedgerEvent(event) ? parseLine({ text: textOf(line), at, logStreamName: stream }) : undefined;
  }
  return line.entry;
}
