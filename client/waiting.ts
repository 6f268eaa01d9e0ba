/**
 * Waits for what others may be waiting for, too: an abort ends this wait and nothing else.
 *
 * @throws the signal's reason when it is aborted first
 */
export function waitFor<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * Runs `run` with a signal that is aborted after `ms` of real time, or with `stop`, and does not wait for it any longer
 * than that.
 */
export async function within<Value>(
  ms: number,
  stop: AbortSignal,
  run: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  const signal = AbortSignal.any([controller.signal, stop]);
  const timer = setTimeout(() => controller.abort(new DOMException("It took too long.", "TimeoutError")), ms);
  try {
    signal.throwIfAborted();
    return await waitFor(run(signal), signal);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * How long to leave the other side alone, in ms: `firstMs` after the first failure, doubled with each that follows, up
 * to `longestMs`; less up to a half of it, so that a fleet does not come back at once.
 *
 * @param failures in a row, 1 or more
 * @param random uniform in [0, 1)
 */
export function backOff(failures: number, firstMs: number, longestMs: number, random: () => number): number {
  return Math.min(longestMs, firstMs * 2 ** (failures - 1)) * (1 - random() / 2);
}
