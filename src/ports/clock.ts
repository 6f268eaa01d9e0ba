import * as timers from "node:timers/promises";

/** Time, handed in at the edge: tests hold it still. */
export interface Clock {
  /** Epoch milliseconds. Somebody may set it, ahead or back. */
  now(): number;
  /** Milliseconds since some moment; nobody can set it. Default: `now`. */
  monotonic?(): number;
  /** Resolves after `ms`; may reject as soon as `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => timers.setTimeout(ms, undefined, signal ? { signal } : {}),
};

/** A moment that was, by both readings of a clock. */
export interface Moment {
  readonly now: number;
  readonly monotonic: number;
}

export function momentOf(clock: Clock): Moment {
  const now = clock.now();
  return { now, monotonic: clock.monotonic?.() ?? now };
}

/**
 * How long ago a moment was, in ms, 0 at least: by the reading that says more. A clock that is set back makes nothing
 * younger, and a machine that was frozen, whose monotonic time may stand still meanwhile, takes nothing old for new.
 */
export function msSince(clock: Clock, moment: Moment): number {
  const present = momentOf(clock);
  return Math.max(0, present.now - moment.now, present.monotonic - moment.monotonic);
}

/** A clock that begins with the time that `clock` has now and can't be set: a deadline on it stays as far away as it was. */
export function steady(clock: Clock): Clock {
  const start = momentOf(clock);
  return {
    now: () => start.now + msSince(clock, start),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
}
