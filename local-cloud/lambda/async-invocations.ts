import type { Clock } from "../clock.ts";
import type { DeployedFunction } from "./deployed-function.ts";
import type { InvokeResult } from "./function-definition.ts";

export interface AsyncInvocationsOptions {
  clock: Clock;
  /** How often a failed invocation is repeated: after one minute, then two. */
  retryAttempts: number;
  /** The function as it is now; undefined when it was deleted. */
  find: (name: string) => DeployedFunction | undefined;
}

/** Invocations that nobody waits for, and their repetition. Source: Lambda developer guide, "asynchronous invocation". */
export class AsyncInvocations {
  readonly #options: AsyncInvocationsOptions;
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: AsyncInvocationsOptions) {
    this.#options = options;
  }

  /** Resolves with the result of this attempt. A later one comes by the clock, and the clock waits for it. */
  start(deployed: DeployedFunction, payload: string, attempt = 0): Promise<InvokeResult> {
    const running = deployed.invoke(payload).then((result) => {
      if (result.functionError) this.#repeatLater(deployed.definition.name, payload, attempt + 1);
      return result;
    });
    this.#running.add(running);
    const forget = () => this.#running.delete(running);
    running.then(forget, forget);
    return running;
  }

  /** Resolves when none is running. Repetitions that wait for their time don't count. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  #repeatLater(name: string, payload: string, attempt: number): void {
    const { clock, find, retryAttempts } = this.#options;
    if (attempt > retryAttempts) return;
    clock.at(clock.now() + attempt * 60_000, async () => {
      const deployed = find(name);
      if (deployed) await this.start(deployed, payload, attempt);
    });
  }
}
