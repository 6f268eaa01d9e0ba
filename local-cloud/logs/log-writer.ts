import type { LogEvent, LogGroup } from "./log-group.ts";

export interface LogWriterOptions {
  group: LogGroup;
  stream: string;
  /** Asked at each line, as a policy may be taken away meanwhile: without both permissions lines are lost without a word. */
  isPermitted: () => boolean;
  append: (event: Omit<LogEvent, "eventId" | "ingestionTime">) => LogEvent;
  now: () => number;
  linesLostAtKill: () => number;
}

/** Where one execution environment writes its lines: the way from a function's output to its log stream. */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #unsent: LogEvent[] = [];

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  write(message: string): void {
    const { append, group, isPermitted, now, stream } = this.#options;
    if (!isPermitted()) return;
    group.stream(stream, now());
    this.#unsent.push(append({ stream, timestamp: now(), message }));
  }

  /** Everything so far has left the environment: a kill can't lose it any more. */
  flush(): void {
    this.#unsent = [];
  }

  /** The environment was killed: as many of its last lines as the knob says are lost. */
  killed(): void {
    const lost = this.#options.linesLostAtKill();
    if (lost > 0) this.#options.group.lose(new Set(this.#unsent.slice(-lost)));
    this.#unsent = [];
  }
}
