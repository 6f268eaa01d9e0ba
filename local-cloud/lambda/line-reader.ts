import { StringDecoder } from "node:string_decoder";

/** Takes a stream of bytes apart into lines. */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(bytes)).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line);
  }

  /** What was written without an end of line is a line all the same. */
  flush(): void {
    if (this.#rest) this.#onLine(this.#rest);
    this.#rest = "";
  }
}
