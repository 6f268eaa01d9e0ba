import { stripVTControlCharacters, styleText } from "node:util";

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

/** Where a command speaks. With `--json` everything but the object itself goes unsaid. */
export class Terminal {
  readonly isInteractive: boolean;
  readonly #options: TerminalOptions;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.isInteractive = options.isInteractive && !options.json;
  }

  line(text = ""): void {
    if (!this.#options.json) this.#options.stdout.write(`${text}\n`);
  }

  /** The result: the object with `--json`, else whatever `people` says. */
  result(object: object, people: () => void): void {
    if (this.#options.json) this.#options.stdout.write(`${JSON.stringify(object)}\n`);
    else people();
  }

  /** Said with `--json`, too: on stderr. */
  warn(text: string): void {
    this.#options.stderr.write(`${this.paint("warn", "warning")}: ${text}\n`);
  }

  paint(tone: Tone, text: string): string {
    // The decision whether to colour is made once, at the edge.
    return this.#options.colours ? styleText(styles[tone], text, { validateStream: false }) : text;
  }

  ask(question: string): Promise<string> {
    return this.#options.ask(question);
  }
}

/** Lines of cells, each column as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const width = (text: string) => stripVTControlCharacters(text).length;
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
      .join("  ")
      .trimEnd(),
  );
}
