import { type EventName, isLedgerEvent, isOperatorStream, parseLine } from "../../src/formats/ledger.ts";
import type { Aws } from "../aws.ts";
import { readLines } from "../function-log.ts";

/** The events that tell a token's life. */
export const lifeEvents = [
  "token.issue.started",
  "token.issue.refused",
  "token.issue.ambiguous",
  "token.issued",
  "token.stored",
  "token.proven",
  "token.promoted",
  "token.revoked",
  "token.dead",
  "token.alive",
  "token.death.unseen",
  "token.unrevocable",
  "token.revocation.failed",
  "token.kept",
  "token.rejected",
] as const satisfies EventName[];

export type LifeEventName = (typeof lifeEvents)[number];

const names = new Set<string>(lifeEvents);

/** A line of the log that tells something of a token's life. */
export interface Line {
  event: LifeEventName;
  /** Epoch ms at which the log took it. */
  at: number;
  /** The log stream: one run environment of a function, or one operator's command. */
  stream: string | undefined;
  /** As they stand in the line: whoever reads one looks first whether it is there. */
  fields: Readonly<Record<string, unknown>>;
}

/** What was read of a log group. */
export interface Log {
  /** Oldest first. */
  lines: Line[];
  /** Lines that name one of these events and can't be read as one. */
  unreadable: number;
  /** Whether the log is larger than is read. */
  isCut: boolean;
}

/** Reads all lines that were written at or after `from` (epoch ms). */
export async function readLog(aws: Aws, logGroup: string, from: number): Promise<Log> {
  const { lines, isCut } = await readLines(aws, logGroup, { from, names: lifeEvents });
  const read = lines.map(({ message, timestamp, logStreamName }) => readLine(message, timestamp, logStreamName));
  return {
    lines: read.flatMap((line) => (line === "unreadable" ? [] : (line ?? []))),
    unreadable: read.filter((line) => line === "unreadable").length,
    isCut,
  };
}

/** One line of the log; undefined for one that tells nothing of a token. */
export function readLine(text: string, at: number, stream: string | undefined): Line | "unreadable" | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "unreadable";
  }
  if (typeof json !== "object" || json === null || !("message" in json)) return "unreadable";
  const { message, ...rest } = json;
  if (typeof message !== "string" || !names.has(message)) return undefined;
  if (isLedgerEvent(message)) {
    const entry = parseLine({ text, at, logStreamName: stream });
    if (entry === "unreadable" || entry === undefined) return "unreadable";
    return { event: message as LifeEventName, at, stream, fields: { ...entry.fields } };
  }
  const fields: Record<string, unknown> = rest;
  if (typeof fields.secret !== "string") return "unreadable";
  return { event: message as LifeEventName, at, stream, fields };
}

/** Who wrote a line, as its stream tells. */
export interface Writer {
  kind: "function" | "operator" | "unknown";
  /** The function's name; empty where the stream does not tell it. */
  name: string;
}

/** Streams of Lambda begin with the day, and hold the function's name where the log group is not its own. */
export function writerOf(stream: string | undefined): Writer {
  if (isOperatorStream(stream)) return { kind: "operator", name: "" };
  const [, name] = /^\d{4}\/\d\d\/\d\d\/([^[\]]*)\[[^\]]*\]/.exec(stream ?? "") ?? [];
  return name === undefined ? { kind: "unknown", name: "" } : { kind: "function", name };
}
