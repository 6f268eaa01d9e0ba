import { type ChildProcess, fork } from "node:child_process";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { resolve } from "node:path";
import type { Program } from "./program.ts";

/** One resource as the Pulumi program registered it. */
export interface PlannedResource {
  urn: string;
  /** `aws:secretsmanager/secret:Secret`. */
  type: string;
  /** The name within the program. */
  name: string;
  /** False for components. */
  custom: boolean;
  parent: string;
  /** As the provider would get them, secrets unwrapped; an archive stands as `{ files: { path: text } }`. */
  inputs: Record<string, unknown>;
  /** The inputs that are secret, and so are encrypted in the state. */
  secretInputs: string[];
  /** URNs of all that it depends on, by `dependsOn` or by an input. */
  dependencies: string[];
  protect: boolean;
  ignoreChanges: string[];
  /** Whether the engine forgets it where it would delete it. */
  retainOnDelete: boolean;
  /** What the provider would have answered, ARNs and ids among it. */
  id: string;
  outputs: Record<string, unknown>;
}

/** What the program declares, in the order of registration. */
export interface Plan {
  resources: PlannedResource[];
  /** The stack's outputs. */
  outputs: Record<string, unknown>;
}

export interface PlanOptions {
  program: Program;
  /** The stack's config, without the project's prefix. Objects and lists are given as JSON. */
  config: Record<string, string>;
  /** The config keys that are secret. */
  secretKeys?: string[];
  stack?: string;
  /** Whether outputs that only a deployment knows are unknown. */
  preview?: boolean;
  accountId?: string;
  region?: string;
}

/** What record-program.ts answers. */
export type Recorded = { plan: Plan } | { failed: string };

const plans = new Map<string, Promise<Plan>>();

/**
 * Runs the Pulumi program on Node, with its types stripped, as `pulumi up` does, and resolves with what it registers.
 * Programs of one folder run one after the other in a process of their own, and what is known already is not run again.
 * Rejects with what the program printed when it fails.
 */
export function plan(options: PlanOptions): Promise<Plan> {
  const key = createHash("sha256").update(JSON.stringify(options)).digest("hex");
  const known = plans.get(key) ?? recorderIn(options.program.folder).record(options);
  plans.set(key, known);
  return known;
}

/** As `plan`, in a process that ends when it is done. */
export async function planOnce(options: PlanOptions): Promise<Plan> {
  const recorder = new Recorder(options.program.folder);
  try {
    return await recorder.record(options);
  } finally {
    recorder.close();
  }
}

const recorders = new Map<string, Recorder>();

function recorderIn(folder: string): Recorder {
  const recorder = recorders.get(folder) ?? new Recorder(folder);
  recorders.set(folder, recorder);
  return recorder;
}

/** A process that runs programs, until this one ends. */
class Recorder {
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #printed = "";
  #last: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  record(options: PlanOptions): Promise<Plan> {
    const plan = this.#last.then(() => this.#run(options));
    this.#last = plan.catch(() => undefined);
    return plan;
  }

  close(): void {
    this.#child?.disconnect();
  }

  async #run(options: PlanOptions): Promise<Plan> {
    this.#child ??= this.#start();
    const child = this.#child;
    const answer = Promise.withResolvers<Recorded>();
    const ended = () => {
      this.#child = undefined;
      answer.reject(new Error(`The process of the Pulumi program has ended:\n${this.#printed}`));
    };
    this.#printed = "";
    child.once("message", answer.resolve);
    // The stream ends with the process, when all is read.
    child.stderr?.once("end", ended);
    keepAlive(child, true);
    child.send(options);
    try {
      const recorded = await answer.promise;
      if ("failed" in recorded) throw new Error(`The Pulumi program failed:\n${recorded.failed}`);
      return recorded.plan;
    } finally {
      child.off("message", answer.resolve).stderr?.off("end", ended);
      keepAlive(child, false);
    }
  }

  #start(): ChildProcess {
    const child = fork(resolve(import.meta.dirname, "record-program.ts"), {
      cwd: this.#folder,
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        NO_COLOR: "1",
        // The Pulumi SDK is large: compiled once, it loads in half the time.
        NODE_COMPILE_CACHE: resolve(this.#folder, "node_modules/.cache/compile"),
      },
    });
    child.stderr?.on("data", (text: Buffer) => {
      this.#printed += text.toString();
    });
    return child;
  }
}

/** Whether this process waits for the other one. */
function keepAlive(child: ChildProcess, wait: boolean): void {
  for (const handle of [child, child.channel, child.stderr as Socket | null]) wait ? handle?.ref() : handle?.unref();
}
