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

/** Runs `run` with a signal that is aborted after `ms` of real time, and does not wait for it any longer than that. */
export async function within<Value>(ms: number, run: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException("It took too long.", "TimeoutError")), ms);
  try {
    return await waitFor(run(controller.signal), controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
