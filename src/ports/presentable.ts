import { PermanentError, RotationError } from "./errors.ts";

/** What may be logged of an error. What is not ours may hold anything in its message: only the kind of it is told. */
export function told(error: unknown): { code: string; reason: string } {
  return error instanceof RotationError
    ? { code: error.code, reason: error.message }
    : { code: "unexpected", reason: `An unexpected ${error instanceof Error ? error.name : typeof error}.` };
}

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
