import { type Clock, VirtualClock } from "../clock.ts";
import type { FunctionDefinition, InvokeResult } from "./function-definition.ts";
import type { FunctionRuntime, RuntimeOutcome } from "./function-runtime.ts";
import { describeOutcome } from "./invocation-outcome.ts";
import { reachesLog } from "./log-level.ts";
import { PlatformLog } from "./platform-log.ts";

export interface ExecutionEnvironmentOptions {
  definition: FunctionDefinition;
  clock: Clock;
  log: { write(line: string): void; flush(): void; killed(): void };
  /** Told of every invocation's end, as Lambda's metrics are. */
  onEnd: (isSuccess: boolean, durationMs: number) => void;
  startRuntime: (onLine: (line: string) => void) => Promise<FunctionRuntime>;
  /** How long, in ms of real time, a function may do nothing visible while a virtual clock stands still. */
  realTimeGuardMs: number;
}

/** One execution environment: a runtime, its log stream and its deadlines. It serves one invocation at a time. */
export class ExecutionEnvironment {
  readonly #options: ExecutionEnvironmentOptions;
  readonly #platform: PlatformLog;
  #runtime: FunctionRuntime | undefined;
  #initMs: number | undefined;
  #tail: string[] = [];

  constructor(options: ExecutionEnvironmentOptions) {
    this.#options = options;
    this.#platform = new PlatformLog(
      options.definition,
      (line) => this.#write(line),
      () => options.clock.now(),
    );
  }

  get isAlive(): boolean {
    return this.#runtime?.isAlive ?? false;
  }

  peakMemoryMb(): number | undefined {
    return this.#runtime?.peakMemoryMb();
  }

  async kill(): Promise<void> {
    await this.#runtime?.kill();
  }

  async invoke(requestId: string, payload: string): Promise<InvokeResult> {
    const { clock, definition, log, onEnd } = this.#options;
    this.#tail = [];
    const initOutcome = this.#runtime ? undefined : await this.#start();
    const startedAt = clock.now();
    this.#platform.start(requestId);
    log.flush();
    const { outcome, timedOut } = initOutcome ?? (await this.#run(requestId, payload, startedAt));
    // What the environment still held when it was killed may be lost; what the platform adds afterwards is not.
    if (outcome.kind === "exit") log.killed();
    const { result, status, logLine } = describeOutcome(
      outcome,
      requestId,
      timedOut ? definition.timeoutSeconds : undefined,
    );
    if (logLine !== undefined) this.#platform.failed(requestId, logLine);
    this.#platform.report(requestId, {
      durationMs: clock.now() - startedAt,
      initDurationMs: this.#initMs,
      maxMemoryUsedMb: this.peakMemoryMb(),
      status,
    });
    onEnd(status === "success", clock.now() - startedAt);
    this.#initMs = undefined;
    log.flush();
    const logTail = Buffer.from(this.#tail.map((line) => `${line}\n`).join(""))
      .subarray(-4096)
      .toString();
    return { requestId, logTail, ...result };
  }

  /** Cold start. Returns undefined when the function is ready, else what init came to. */
  async #start(): Promise<Ended | undefined> {
    const { clock, definition, realTimeGuardMs, startRuntime } = this.#options;
    const startedAt = clock.now();
    const runtime = await startRuntime((line) => {
      if (reachesLog(definition, line)) this.#write(line);
    });
    this.#runtime = runtime;
    let timedOut = false;
    const guard = setTimeout(() => {
      timedOut = true;
      void runtime.kill();
    }, realTimeGuardMs);
    const outcome = await runtime.init;
    clearTimeout(guard);
    this.#initMs = clock.now() - startedAt;
    return outcome.kind === "response" ? undefined : { outcome, timedOut };
  }

  async #run(requestId: string, payload: string, startedAt: number): Promise<Ended> {
    const { clock, definition, realTimeGuardMs } = this.#options;
    const runtime = this.#runtime;
    if (!runtime) throw new Error("The environment was not started.");
    const deadline = startedAt + definition.timeoutSeconds * 1000;
    let timedOut = false;
    const expire = async () => {
      timedOut = true;
      await runtime.kill();
    };
    const timer = clock.at(deadline, expire);
    // A virtual clock stands still while a process hangs: when nothing has happened for long, the deadline is made to come.
    const guard =
      clock instanceof VirtualClock
        ? setTimeout(() => clock.advanceTo(deadline).catch(expire), realTimeGuardMs)
        : undefined;
    const outcome = await runtime.invoke({ requestId, payload, functionArn: definition.arn, deadline });
    clearTimeout(guard);
    timer.cancel();
    return { outcome, timedOut };
  }

  #write(line: string): void {
    this.#tail.push(line);
    this.#options.log.write(line);
  }
}

interface Ended {
  outcome: RuntimeOutcome;
  timedOut: boolean;
}
