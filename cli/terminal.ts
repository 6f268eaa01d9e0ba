import { randomUUID } from "node:crypto";
import { styleText } from "node:util";

/** Something that takes text: a stream, or a test. */
export interface Sink {
  write(text: string): unknown;
}

export type Tone = "good" | "bad" | "warn" | "quiet" | "strong";

const styles = { good: "green", bad: "red", warn: "yellow", quiet: "gray", strong: "bold" } as const;

export interface TerminalOptions {
  stdout: Sink;
  stderr: Sink;
  /** Whether a person is at it: only then is anything asked. */
  isInteractive: boolean;
  /** Whether to use colours. */
  colours: boolean;
  /** Whether stdout is kept for the one JSON object. */
  json: boolean;
  /** Reads a line from the person. */
  ask: (question: string) => Promise<string>;
}

/**
 * Stands for a colour until the text is written. Nothing that is stored can hold it, so that all other control characters
 * can be told from ours.
 */
const mark = randomUUID();
const marks = new RegExp(`${mark}(\\w+)<|>${mark}`, "g");

/** What a terminal would obey or a reader not see: control characters, and those that turn text around or hide it. */
const unseen = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** Text with such characters as their escapes: `\u001b[31m` in place of red. */
export function harmless(text: string): string {
  return text.replace(unseen, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Where a command speaks. With `--json` everything but the object itself goes unsaid. */
export class Terminal {
  readonly isInteractive: boolean;
  readonly #options: TerminalOptions;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.isInteractive = options.isInteractive && !options.json;
  }

  /** One line. What it holds of others' text can't become more than that. */
  line(text = ""): void {
    if (!this.#options.json) this.#options.stdout.write(`${this.#shown(text)}\n`);
  }

  /** Text of our own, with its line breaks. */
  text(text: string): void {
    if (!this.#options.json) this.#options.stdout.write(text);
  }

  /** The result: the object with `--json`, else whatever `people` says. */
  result(object: object, people: () => void): void {
    if (this.#options.json) this.#options.stdout.write(`${asJson(object)}\n`);
    else people();
  }

  /** Said with `--json`, too: on stderr. */
  warn(text: string): void {
    this.#options.stderr.write(`${this.#shown(`${this.paint("warn", "warning")}: ${text}`)}\n`);
  }

  /** Why a command ends without success, and what to do about it. */
  fail({ message, remedy }: { message: string; remedy: string | undefined }): void {
    // What another program has said stays as it was broken into lines.
    const lines = `${this.paint("bad", "error")}: ${message}`.split(/\r?\n/);
    if (remedy !== undefined) lines.push(this.paint("strong", `→ ${remedy}`));
    for (const line of lines) this.#options.stderr.write(`${this.#shown(line)}\n`);
  }

  paint(tone: Tone, text: string): string {
    return `${mark}${tone}<${text}>${mark}`;
  }

  ask(question: string): Promise<string> {
    return this.#options.ask(question);
  }

  #shown(text: string): string {
    const style = (format: Parameters<typeof styleText>[0]) =>
      styleText(format, " ", { validateStream: false }).split(" ");
    const open: string[] = [];
    return harmless(text).replace(marks, (_, tone: Tone | undefined) => {
      // The decision whether to colour is made once, at the edge.
      if (!this.#options.colours) return "";
      if (tone === undefined) return open.pop() ?? "";
      const [before = "", after = ""] = style(styles[tone]);
      open.push(after);
      return before;
    });
  }
}

/** JSON escapes the control characters below 0x20 by itself. */
export function asJson(object: object): string {
  return harmless(JSON.stringify(object));
}

/** Lines of cells, each column as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const width = (text: string) => harmless(text).replace(marks, "").length;
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
      .join("  ")
      .trimEnd(),
  );
}
