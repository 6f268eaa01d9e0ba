/**
 * Errors by what the caller must do. Their messages name the field, the rule and the remedy, and never a value that
 * could be secret.
 */
export abstract class RotationError extends Error {
  /** Stable, for logs and alarms. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Nothing came of it; the same call may succeed later. */
export class RetryableError extends RotationError {
  override readonly name = "RetryableError";
  /** Milliseconds that the other side asked us to wait, where it did. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, options: ErrorOptions & { retryAfterMs?: number | undefined } = {}) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** It may have been done or not: the request was sent and no usable answer came. */
export class AmbiguousError extends RotationError {
  override readonly name = "AmbiguousError";
  /** The id of the token that the lost answer was about, where a header still told it. */
  readonly tokenId: string | undefined;

  constructor(code: string, message: string, options: ErrorOptions & { tokenId?: string | undefined } = {}) {
    super(code, message, options);
    this.tokenId = options.tokenId;
  }
}

/** It was not done and repeating it won't help: somebody has to change something. */
export class PermanentError extends RotationError {
  override readonly name = "PermanentError";
}

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
