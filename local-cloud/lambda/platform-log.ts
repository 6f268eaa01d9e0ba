import type { FunctionDefinition } from "./function-definition.ts";

export interface Report {
  durationMs: number;
  initDurationMs: number | undefined;
  maxMemoryUsedMb: number | undefined;
  status: "success" | "error" | "failure" | "timeout";
}

/** The lines that the platform itself adds to a function's log, in the function's format, at log level INFO. */
export class PlatformLog {
  readonly #definition: FunctionDefinition;
  readonly #write: (line: string) => void;
  readonly #now: () => number;

  constructor(definition: FunctionDefinition, write: (line: string) => void, now: () => number) {
    this.#definition = definition;
    this.#write = write;
    this.#now = now;
  }

  start(requestId: string): void {
    if (this.#isJson) this.#record("platform.start", { requestId, version: "$LATEST" });
    else this.#write(`START RequestId: ${requestId} Version: $LATEST`);
  }

  /** A line of its own where the process ended or ran out of time; the runtime reports other errors by itself. */
  failed(requestId: string, message: string): void {
    if (!this.#isJson) this.#write(`${new Date(this.#now()).toISOString()} ${requestId} ${message}`);
  }

  report(requestId: string, report: Report): void {
    const { durationMs, initDurationMs, maxMemoryUsedMb, status } = report;
    const billedDurationMs = Math.ceil(durationMs + (initDurationMs ?? 0));
    const { memorySizeMb } = this.#definition;
    if (this.#isJson) {
      // At level INFO a successful end is not logged; another one is a warning.
      if (status !== "success") this.#record("platform.runtimeDone", { requestId, status, metrics: { durationMs } });
      const metrics = {
        durationMs,
        billedDurationMs,
        memorySizeMB: memorySizeMb,
        ...(maxMemoryUsedMb !== undefined && { maxMemoryUsedMB: maxMemoryUsedMb }),
        ...(initDurationMs !== undefined && { initDurationMs }),
      };
      this.#record("platform.report", { requestId, metrics, status });
      return;
    }
    this.#write(`END RequestId: ${requestId}`);
    const figures = [
      `REPORT RequestId: ${requestId}`,
      `Duration: ${durationMs.toFixed(2)} ms`,
      `Billed Duration: ${billedDurationMs} ms`,
      `Memory Size: ${memorySizeMb} MB`,
      ...(maxMemoryUsedMb === undefined ? [] : [`Max Memory Used: ${maxMemoryUsedMb} MB`]),
      ...(initDurationMs === undefined ? [] : [`Init Duration: ${initDurationMs.toFixed(2)} ms`]),
      ...(status === "success" ? [] : [`Status: ${status}`]),
    ];
    this.#write(`${figures.join("\t")}\t`);
  }

  get #isJson(): boolean {
    return this.#definition.logFormat === "JSON";
  }

  #record(type: string, record: Record<string, unknown>): void {
    // At level WARN the platform tells of what went wrong only. Source: Lambda developer guide, "system log level event mapping".
    const isWarning = type === "platform.runtimeDone";
    if (this.#definition.systemLogLevel === "WARN" && !isWarning) return;
    this.#write(JSON.stringify({ time: new Date(this.#now()).toISOString(), type, record }));
  }
}
