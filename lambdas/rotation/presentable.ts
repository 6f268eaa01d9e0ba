import { PermanentError, RotationError } from "./errors.ts";

/** An error whose message, stack and cause may be shown: what is not ours may hold anything. */
export function presentable(error: unknown): Error {
  if (error instanceof RotationError) {
    // The runtime prints causes, too.
    delete error.cause;
    return error;
  }
  const kind = error instanceof Error ? error.name : typeof error;
  return new PermanentError("unexpected", `An unexpected ${kind} stopped it. Report it with this log.`);
}
