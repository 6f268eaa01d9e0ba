import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import type { ExecutionEnvironment } from "./execution-environment.ts";
import type { FunctionDefinition, InvokeResult } from "./function-definition.ts";
import { FunctionPolicy } from "./function-policy.ts";
import { unpack } from "./unpack.ts";

/** A function with its unpacked code and its execution environments: as many as there are invocations at a time. */
export class DeployedFunction {
  readonly definition: FunctionDefinition;
  readonly policy: FunctionPolicy;
  readonly taskRoot: string;
  readonly #create: (deployed: DeployedFunction) => ExecutionEnvironment;
  readonly #idle = new Set<ExecutionEnvironment>();
  readonly #busy = new Set<ExecutionEnvironment>();
  #peakMemoryMb: number | undefined;
  #isRetired = false;

  constructor(
    definition: FunctionDefinition,
    create: (deployed: DeployedFunction) => ExecutionEnvironment,
    policy = new FunctionPolicy(),
  ) {
    this.definition = definition;
    this.policy = policy;
    this.taskRoot = unpack(definition.files);
    this.#create = create;
  }

  /** The most memory that one of its processes has held, in MB; undefined before the first invocation. */
  get peakMemoryMb(): number | undefined {
    return this.#peakMemoryMb;
  }

  async invoke(payload: string, requestId: string = randomUUID()): Promise<InvokeResult> {
    const environment = this.#take();
    this.#busy.add(environment);
    try {
      return await environment.invoke(requestId, payload);
    } finally {
      this.#busy.delete(environment);
      this.#peakMemoryMb = Math.max(this.#peakMemoryMb ?? 0, environment.peakMemoryMb() ?? 0);
      if (this.#isRetired) await this.#removeWhenUnused(environment);
      else if (environment.isAlive) this.#idle.add(environment);
    }
  }

  /** Ends all its processes at once, in the middle of whatever they do. */
  async kill(): Promise<void> {
    await Promise.all([...this.#idle, ...this.#busy].map((environment) => environment.kill()));
    this.#idle.clear();
  }

  /** Ends its warm processes, so that the next invocation is a cold start; running ones go on. */
  async recycle(): Promise<void> {
    const idle = [...this.#idle];
    this.#idle.clear();
    await Promise.all(idle.map((environment) => environment.kill()));
  }

  /** Ends it and removes its code. */
  async remove(): Promise<void> {
    this.#isRetired = true;
    await this.kill();
    this.#removeCode();
  }

  /** A newer version has taken its place: what runs may finish, then it is removed. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.recycle();
    if (this.#busy.size === 0) this.#removeCode();
  }

  async #removeWhenUnused(environment: ExecutionEnvironment): Promise<void> {
    await environment.kill();
    if (this.#busy.size === 0) this.#removeCode();
  }

  #removeCode(): void {
    rmSync(this.taskRoot, { recursive: true, force: true });
  }

  #take(): ExecutionEnvironment {
    for (const environment of this.#idle) {
      this.#idle.delete(environment);
      // A warm process may have ended by itself since.
      if (environment.isAlive) return environment;
    }
    return this.#create(this);
  }
}
