import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Clock } from "../clock.ts";
import type { FunctionRuntime, Invocation, RuntimeOptions, RuntimeOutcome } from "./function-runtime.ts";
import { LineReader } from "./line-reader.ts";
import { RuntimeApi } from "./runtime-api.ts";
import type { TimeFile } from "./time-file.ts";

const bootstrap = fileURLToPath(new URL("./runtime/bootstrap.mjs", import.meta.url));
const virtualTime = new URL("./runtime/virtual-time.mjs", import.meta.url).href;

// A process that loops does not see its life line; so that it can't outlive a killed harness for long, the system ends it.
const maxCpuSeconds = 600;

export interface ProcessOptions extends RuntimeOptions {
  clock: Clock;
  /** Where the process reads the time from; undefined when the cloud's clock is the machine's. */
  timeFile: TimeFile | undefined;
}

/** A function's code in a process of its own, driven through the Runtime API as AWS drives it. */
export class FunctionProcess implements FunctionRuntime {
  readonly init: Promise<RuntimeOutcome>;
  readonly #child: ChildProcess;
  readonly #api: RuntimeApi;
  readonly #readers: LineReader[];
  readonly #gone: Promise<void>;
  #current: { settle: (outcome: RuntimeOutcome) => void; reported: RuntimeOutcome | undefined; deadline: number };
  #isAlive = true;
  #peakMemoryKb: number | undefined;

  static async start(options: ProcessOptions): Promise<FunctionProcess> {
    return new FunctionProcess(await RuntimeApi.start(), options);
  }

  private constructor(
    api: RuntimeApi,
    { clock, environment, memorySizeMb, onLine, taskRoot, timeFile }: ProcessOptions,
  ) {
    this.#api = api;
    api.serve({
      onNext: () => this.#free(),
      onResponse: (payload) => this.#report({ kind: "response", payload }),
      onError: (payload) => this.#report({ kind: "error", payload }),
      onSleep: (ms) => this.#sleep(ms, clock),
    });
    const young = memorySizeMb / 10;
    const limits = [
      `--max-semi-space-size=${Math.ceil(young / 2)}`,
      `--max-old-space-size=${Math.floor(memorySizeMb - young)}`,
    ];
    const preload = timeFile ? ["--import", virtualTime] : [];
    const command = [process.execPath, ...limits, ...preload, bootstrap];
    this.#child = spawn("/bin/sh", ["-c", `ulimit -t ${maxCpuSeconds}; exec "$@"`, "sh", ...command], {
      cwd: taskRoot,
      env: { ...environment, AWS_LAMBDA_RUNTIME_API: api.host },
      // Descriptor 4 is the process's life line: it ends when this process does, however that happens.
      stdio: ["ignore", "pipe", "pipe", timeFile?.descriptor ?? "ignore", "pipe"],
    });
    this.#readers = [this.#child.stdout, this.#child.stderr].map((stream) => {
      const reader = new LineReader(onLine);
      stream?.on("data", (bytes: Buffer) => reader.push(bytes));
      return reader;
    });
    const { promise, resolve: settle } = Promise.withResolvers<RuntimeOutcome>();
    this.init = promise;
    this.#current = { settle, reported: undefined, deadline: Number.POSITIVE_INFINITY };
    this.#gone = new Promise((resolve) => {
      // `close` and not `exit`: by then all output has been read.
      this.#child.once("close", (code, signal) => {
        this.#isAlive = false;
        this.#api.close();
        this.#flush();
        this.#current.settle(this.#current.reported ?? { kind: "exit", code, signal });
        resolve();
      });
    });
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  invoke(invocation: Invocation): Promise<RuntimeOutcome> {
    const { promise, resolve: settle } = Promise.withResolvers<RuntimeOutcome>();
    this.#current = { settle, reported: undefined, deadline: invocation.deadline };
    this.#api.deliver(invocation);
    return promise;
  }

  async kill(): Promise<void> {
    this.#readPeakMemory();
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  peakMemoryMb(): number | undefined {
    this.#readPeakMemory();
    return this.#peakMemoryKb === undefined ? undefined : Math.round(this.#peakMemoryKb / 1024);
  }

  /** The runtime told the outcome. It counts once the process asks for more work or has ended: until then it isn't free. */
  #report(outcome: RuntimeOutcome): void {
    this.#current.reported ??= outcome;
  }

  async #free(): Promise<void> {
    await drained();
    this.#flush();
    this.#current.deadline = Number.POSITIVE_INFINITY;
    this.#current.settle(this.#current.reported ?? { kind: "response", payload: "null" });
  }

  async #sleep(ms: number, clock: Clock): Promise<void> {
    await drained();
    // Who is killed at the deadline can't make time pass beyond it.
    await clock.sleep(Math.min(ms, this.#current.deadline - clock.now()));
  }

  #flush(): void {
    for (const reader of this.#readers) reader.flush();
  }

  #readPeakMemory(): void {
    if (!this.#isAlive) return;
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      this.#peakMemoryKb = Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? this.#peakMemoryKb);
    } catch {
      // No /proc on this system, or the process has just ended: the figure stays as it was.
    }
  }
}

/**
 * A process writes its output before it talks to the Runtime API, so by the time that we hear from it the output is in
 * our sockets; one turn of the event loop reads it.
 */
async function drained(): Promise<void> {
  await nextTurn();
}
