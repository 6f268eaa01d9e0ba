import type { Clock } from "../ports/clock.ts";
import { RetryableError } from "../ports/errors.ts";

/** How long one call may go on. */
export interface Limits {
  clock: Clock;
  /** Epoch ms by which the last attempt must be over. */
  deadline: number;
  /** An attempt that could get less time than this, in ms, is not started. */
  minimumMs: number;
  /** What one attempt gets at most, in ms. */
  maximumMs: number;
}

/** C2M's documents name a limit of 10 auth calls a minute; one call of ours must not keep on against it. */
export const maxAttempts = 8;
const firstDelayMs = 1_000;
const longestDelayMs = 20_000;

/**
 * Runs `attempt` until it does not throw a RetryableError. Waits in between with exponential back-off and full jitter
 * (a random time up to 1 s, 2 s, 4 s … 20 s), but at least as long as the other side asked. Gives up with the last error
 * after 8 attempts, and at once when the next attempt could not be over by the deadline.
 *
 * @param random uniform in [0, 1)
 * @throws RetryableError `no_time` when there is not even time for the first attempt
 */
export async function retry<Result>(
  attempt: () => Promise<Result>,
  limits: Limits,
  random: () => number,
): Promise<Result> {
  for (let made = 1; ; made += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RetryableError) || error.code === "no_time" || made === maxAttempts) throw error;
      const backOffMs = random() * Math.min(longestDelayMs, firstDelayMs * 2 ** (made - 1));
      const waitMs = Math.max(error.retryAfterMs ?? 0, backOffMs);
      if (limits.clock.now() + waitMs + limits.minimumMs > limits.deadline) throw error;
      await limits.clock.sleep(waitMs);
    }
  }
}

/**
 * The time-out for an attempt that starts now, in ms.
 *
 * @throws RetryableError `no_time`
 */
export function timeForAttempt({ clock, deadline, minimumMs, maximumMs }: Limits): number {
  const leftMs = deadline - clock.now();
  if (leftMs >= minimumMs) return Math.min(leftMs, maximumMs);
  throw new RetryableError(
    "no_time",
    `Too little time is left for a call to C2M: it needs ${minimumMs} ms. Give the function a longer timeout if this repeats.`,
  );
}
