/** Where an error was thrown, and by whom. */
const framesKept = 2;

/**
 * Declares resources while stack traces are short. Pulumi's SDK keeps one of each promise that it makes, several for each
 * property of each resource, and prints them only where PULUMI_DEBUG_PROMISE_LEAKS is set: with a thousand tokens they are half of
 * the program's time. Afterwards, and in all that happens later, traces are as long as they were.
 */
export function withShortTraces<T>(declare: () => T): T {
  if (process.env.PULUMI_DEBUG_PROMISE_LEAKS) return declare();
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Math.min(stackTraceLimit, framesKept);
  try {
    return declare();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
