import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RuntimeApi } from "../../../local-cloud/lambda/runtime-api.ts";

const ownRuntime = fileURLToPath(new URL("../../../local-cloud/lambda/runtime/bootstrap.mjs", import.meta.url));

/** AWS's own runtime client, where one is installed: the path of aws-lambda-ric's index.mjs. Default: the local cloud's. */
const runtimeClient = process.env.RUNTIME_CLIENT;

/** Time and CPU that a process has taken since it was started, in ms. */
export interface Effort {
  wall: number;
  /** NaN where the system does not tell. */
  cpu: number;
}

/** A function's process, driven step by step and measured from outside. */
export class FunctionUnderLoad {
  /** From the start of the process to its first request for work. */
  readonly ready: Promise<Effort>;
  readonly #started = performance.now();
  readonly #api: RuntimeApi;
  readonly #child: ChildProcess;
  #free: (effort: Effort) => void = () => {};
  #ended: (error: Error) => void = () => {};
  #failure: string | undefined;
  #logBytes = 0;

  static async start(options: {
    taskRoot: string;
    environment: Record<string, string>;
    /** A cgroup's `cgroup.procs`, which limits what the process has of the machine. */
    cgroup?: string | undefined;
    /** What the process is started by, in place of Node alone: a command whose last arguments are Node's. */
    under?: readonly string[] | undefined;
  }): Promise<FunctionUnderLoad> {
    return new FunctionUnderLoad(await RuntimeApi.start(), options);
  }

  private constructor(
    api: RuntimeApi,
    options: {
      taskRoot: string;
      environment: Record<string, string>;
      cgroup?: string | undefined;
      under?: readonly string[] | undefined;
    },
  ) {
    this.#api = api;
    this.ready = this.#nextFree();
    api.serve({
      onNext: async () => this.#free(this.effort()),
      onResponse: () => {},
      onError: (payload) => {
        this.#failure = payload;
      },
      onSleep: async () => {},
    });
    const command = runtimeClient ? [runtimeClient, "index.handler"] : [ownRuntime];
    const { cgroup, under = [] } = options;
    const [first = process.execPath, ...more] = [...under, process.execPath, ...command];
    // The shell joins the group itself, so that not one instruction of Node runs outside of it.
    const [file, args] = cgroup
      ? ["/bin/sh", ["-c", `echo $$ > ${cgroup}; exec "$@"`, "sh", first, ...more]]
      : [first, more];
    this.#child = spawn(file, args, {
      cwd: options.taskRoot,
      env: { ...options.environment, AWS_LAMBDA_RUNTIME_API: api.host, LAMBDA_TASK_ROOT: options.taskRoot },
      stdio: ["ignore", "pipe", "inherit", "ignore", "pipe"],
    });
    this.#child.stdout?.on("data", (bytes: Buffer) => {
      this.#logBytes += bytes.length;
    });
    this.#child.once("exit", () => this.#ended(new Error(this.#failure ?? "The function's process ended.")));
  }

  /** Runs one event to its end. Rejects when the function fails. */
  async invoke(event: unknown): Promise<Effort> {
    this.#failure = undefined;
    const done = this.#nextFree();
    this.#api.deliver({
      requestId: randomUUID(),
      payload: JSON.stringify(event),
      functionArn: "arn:aws:lambda:us-east-1:123456789012:function:rotator",
      deadline: Date.now() + 120_000,
    });
    const effort = await done;
    if (this.#failure !== undefined) throw new Error(this.#failure);
    return effort;
  }

  #nextFree(): Promise<Effort> {
    return new Promise((resolve, reject) => {
      this.#free = resolve;
      this.#ended = reject;
    });
  }

  effort(): Effort {
    return { wall: performance.now() - this.#started, cpu: cpuMs(this.#child.pid) };
  }

  /** The most memory that it ever held, in MB; NaN where the system does not tell. */
  peakMemoryMb(): number {
    return Number(/VmHWM:\s*(\d+)/.exec(textOf(`/proc/${this.#child.pid}/status`))?.[1] ?? Number.NaN) / 1_024;
  }

  /** What it has logged. */
  get logBytes(): number {
    return this.#logBytes;
  }

  /** Ends the process: at once, or as it ends by itself when nobody holds its pipe any more. */
  async stop({ atOnce = true } = {}): Promise<void> {
    const gone = once(this.#child, "exit");
    if (atOnce) this.#child.kill("SIGKILL");
    else this.#child.stdio[4]?.destroy();
    await gone;
    this.#api.close();
  }
}

// In nanoseconds, by thread: getrusage() of a running child is nowhere to be had, and /proc/PID/stat counts in 10 ms.
function cpuMs(pid: number | undefined): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const times = threads.map((thread) => Number(textOf(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0]));
    return times.reduce((sum, time) => sum + time, 0) / 1e6;
  } catch {
    return Number.NaN;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
