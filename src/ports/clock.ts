import * as timers from "node:timers/promises";

/** Time, handed in at the edge: tests hold it still. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `ms`; may reject as soon as `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => timers.setTimeout(ms, undefined, signal ? { signal } : {}),
};
