import fs from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { type Clock, VirtualClock } from "../clock.ts";
import type { FunctionRuntime, Invocation, RuntimeOptions, RuntimeOutcome } from "./function-runtime.ts";
import { LineReader } from "./line-reader.ts";
import { patchConsole } from "./runtime/console.mjs";
import { contextFor } from "./runtime/context.mjs";
import { errorBody } from "./runtime/function-errors.mjs";
import { loadHandler } from "./runtime/load-handler.mjs";
import { patchTime } from "./runtime/time-patch.mjs";

// What is patched is the whole process's, so only one function can run at a time.
let turn: Promise<unknown> = Promise.resolve();

/**
 * A function's code in this very process, so that breakpoints and coverage reach it. While it runs, the process's
 * environment, time, console and output are the function's. It can't be killed: a time-out only stops waiting for it.
 */
export class InProcessRuntime implements FunctionRuntime {
  readonly init: Promise<RuntimeOutcome>;
  readonly #options: RuntimeOptions & { clock: Clock };
  #handler: ((event: unknown, context: unknown) => unknown) | undefined;
  #isAlive = true;
  #abandon: (outcome: RuntimeOutcome) => void = () => undefined;

  constructor(options: RuntimeOptions & { clock: Clock }) {
    this.#options = options;
    this.init = this.#attempt(undefined, async () => {
      const { environment, taskRoot } = options;
      const { cache } = createRequire(import.meta.url);
      for (const path of Object.keys(cache)) if (path.startsWith(taskRoot)) delete cache[path];
      this.#handler = await loadHandler(taskRoot, environment._HANDLER ?? "");
    });
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  invoke(invocation: Invocation): Promise<RuntimeOutcome> {
    const { environment } = this.#options;
    return this.#attempt(invocation.requestId, () =>
      this.#handler?.(JSON.parse(invocation.payload), contextFor({ ...invocation, environment })),
    );
  }

  async kill(): Promise<void> {
    this.#isAlive = false;
    this.#abandon({ kind: "exit", code: null, signal: "SIGKILL" });
  }

  peakMemoryMb(): undefined {
    return undefined;
  }

  /** Runs when the functions before it are done, in the function's surroundings. */
  #attempt(requestId: string | undefined, run: () => unknown): Promise<RuntimeOutcome> {
    const attempt = turn.then(async (): Promise<RuntimeOutcome> => {
      const abandoned = new Promise<RuntimeOutcome>((resolve) => {
        this.#abandon = resolve;
      });
      const restore = surround(this.#options, requestId);
      try {
        return await Promise.race([abandoned, respond(run)]);
      } catch (error) {
        if (requestId === undefined) this.#isAlive = false;
        return { kind: "error", payload: JSON.stringify(errorBody(error)) };
      } finally {
        restore();
      }
    });
    turn = attempt;
    return attempt;
  }
}

async function respond(run: () => unknown): Promise<RuntimeOutcome> {
  return { kind: "response", payload: JSON.stringify(await run()) ?? "null" };
}

/** Puts the function's surroundings in place of the process's own; the result puts them back. */
function surround(
  { clock, environment, onLine }: RuntimeOptions & { clock: Clock },
  requestId: string | undefined,
): () => void {
  const { console: own, env } = { console: { ...console }, env: process.env };
  const { writeSync } = fs;
  const writes = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write }));
  const reader = new LineReader(onLine);
  const push = (text: string | Uint8Array) => reader.push(Buffer.from(text));

  process.env = { ...environment };
  for (const { stream } of writes) {
    stream.write = (text: string | Uint8Array) => {
      push(text);
      return true;
    };
  }
  // Log lines that must not be lost are written to the descriptor itself.
  fs.writeSync = ((descriptor: number, data: string | Uint8Array, ...rest: []) => {
    if (descriptor !== 1 && descriptor !== 2) return writeSync(descriptor, data as string, ...rest);
    push(data);
    return Buffer.byteLength(data);
  }) as typeof writeSync;
  syncBuiltinESMExports();
  patchConsole({ logFormat: environment.AWS_LAMBDA_LOG_FORMAT, requestId: () => requestId, write: push });
  const restoreTime =
    clock instanceof VirtualClock
      ? patchTime({ now: () => clock.now(), sleep: (ms) => clock.sleep(ms) })
      : () => undefined;

  return () => {
    reader.flush();
    restoreTime();
    Object.assign(console, own);
    fs.writeSync = writeSync;
    syncBuiltinESMExports();
    for (const { stream, write } of writes) stream.write = write;
    process.env = env;
  };
}
