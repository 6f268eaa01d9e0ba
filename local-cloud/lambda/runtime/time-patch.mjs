import { syncBuiltinESMExports } from "node:module";

const timers = process.getBuiltinModule("node:timers/promises");

/** Makes Date and the setTimeout of node:timers/promises follow another clock. Returns what undoes it. */
export function patchTime({ now, sleep }) {
  const RealDate = globalThis.Date;
  const realNow = RealDate.now;
  const realSetTimeout = timers.setTimeout;

  const PatchedDate = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget === PatchedDate ? target : newTarget),
    apply: (target) => new target(now()).toString(),
  });
  RealDate.now = now;
  RealDate.prototype.constructor = PatchedDate;
  globalThis.Date = PatchedDate;

  // Only the promised setTimeout is what code waits with on purpose. The global one guards sockets, and those are real.
  timers.setTimeout = async (ms = 1, value = undefined, { signal } = {}) => {
    throwIfAborted(signal);
    await sleep(ms);
    throwIfAborted(signal);
    return value;
  };
  syncBuiltinESMExports();

  return () => {
    RealDate.now = realNow;
    RealDate.prototype.constructor = RealDate;
    globalThis.Date = RealDate;
    timers.setTimeout = realSetTimeout;
    syncBuiltinESMExports();
  };
}

/** With the error that Node's own setTimeout rejects with. */
function throwIfAborted(signal) {
  if (!signal?.aborted) return;
  const error = new Error("The operation was aborted", { cause: signal.reason });
  throw Object.assign(error, { name: "AbortError", code: "ABORT_ERR" });
}
