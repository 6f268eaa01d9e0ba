/** What C2M, or the way to it, made of a call. */
export type C2mCode =
  /** 429. */
  | "rate_limited"
  /** No connection came about: nothing was sent. */
  | "unreachable"
  /** The request was sent and no answer came. */
  | "no_answer"
  /** 5xx, or a proxy's 408. */
  | "server_error"
  /** Success in an answer that is of no use. */
  | "bad_answer"
  /** Too little time was left to begin the call. */
  | "no_time"
  /** 3xx: redirects are not followed. */
  | "redirected"
  /** The client or its credentials are not right, or a gateway answered 401. */
  | "invalid_grant"
  | "invalid_client"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "invalid_scope"
  | "insufficient_scope"
  /** Of the token that authenticates an issue call. */
  | "invalid_token"
  | "invalid_request"
  /** The base URL leads elsewhere. */
  | "not_found"
  /** 401 or 403 without a code of C2M's. */
  | "unauthorized"
  | "forbidden";

/** What is wrong with what a person has configured. */
export type ConfigurationCode =
  | "invalid_base_url"
  | "invalid_client_id"
  /** The credentials secret has no value, or is not there. */
  | "credentials_missing"
  /** The credentials secret breaks a rule. */
  | "credentials_invalid"
  /** The credentials are another client's than the settings'. */
  | "client_mismatch"
  /** The mechanism `short_token` has no token to begin with. */
  | "current_token_missing"
  | "settings_invalid"
  | "secret_not_listed"
  | "event_invalid";

/** What Secrets Manager made of a call, or the log. */
export type StoreCode =
  | "store_throttled"
  /** A read got no answer. */
  | "store_unavailable"
  /** A write got no answer. */
  | "store_unknown"
  | "store_denied"
  | "store_limit"
  | "store_invalid"
  | "secret_not_found"
  | "ledger_unavailable";

/** Why the protocol does not go on. */
export type ProtocolCode =
  | "rotation_not_enabled"
  /** A change freeze. */
  | "paused"
  /** The token is retired. */
  | "retired"
  /** The secret's tokens are being ended. */
  | "decommissioned"
  /** The lines of the ledger would not be kept. */
  | "ledger_dropped"
  /** The token belongs to another C2M than the settings'. */
  | "other_c2m"
  /** Two secrets hold the same token. */
  | "duplicate_token"
  | "version_without_stage"
  /** The pending version could never be promoted and has lost its label. */
  | "pending_dead"
  /** The pending version has no value that can be seen. */
  | "pending_not_visible"
  | "pending_not_ours"
  /** The version is neither pending nor current. */
  | "not_pending"
  /** The labels moved each time that the promotion was tried. */
  | "labels_moved"
  /** The version holds a value that is not a token of ours. */
  | "version_not_ours"
  | "scopes_missing"
  | "lifetime_clamped"
  /** C2M rejects the token that the step is about. */
  | "token_rejected"
  /** The token is at AWSCURRENT. */
  | "revocation_of_current"
  /** It can't be told from the one at AWSCURRENT. */
  | "revocation_unsafe"
  /** No token that could revoke it is at hand. */
  | "no_bearer"
  /** A gateway, not C2M, answered the revocation. */
  | "revocation_unclear"
  /** The run's calls to C2M, or its time, are spent. */
  | "budget_spent"
  | "time_spent"
  /** Not ours: a fault of this program. */
  | "unexpected";

/** Why a rollback leaves AWSCURRENT where it is. */
export type RollbackCode =
  | "no_previous"
  | "previous_foreign"
  | "previous_expired"
  /** A revocation of it has begun, or may have. */
  | "previous_revoked"
  /** It ends before the next rotation. */
  | "previous_ends_early"
  /** It belongs to a C2M that is not the stack's. */
  | "previous_elsewhere"
  | "previous_dead";

/** What an app gets from the client. */
export type ClientCode =
  | "invalid_option"
  | "closed"
  | "secret_unavailable"
  | "secret_denied"
  | "secret_not_found"
  | "not_a_token"
  | "expired"
  /** C2M rejects the token, and the secret holds no other. */
  | "rejected"
  | "other_origin"
  | "body_not_replayable"
  | "redirected";

/** Every code of an error, by who says it. */
export type ErrorCode = C2mCode | ConfigurationCode | StoreCode | ProtocolCode | RollbackCode | ClientCode;

/**
 * Errors by what the caller must do. Their messages name the field, the rule and the remedy, and never a value that
 * could be secret.
 */
export abstract class RotationError extends Error {
  /** Stable, for logs and alarms. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Nothing came of it; the same call may succeed later. */
export class RetryableError extends RotationError {
  // Lambda's own record of an error tells the name of its class, which the bundler shortens.
  static override readonly name = "RetryableError";
  override readonly name = "RetryableError";
  /** Milliseconds that the other side asked us to wait, where it did. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions & { retryAfterMs?: number | undefined } = {}) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

interface LostToken {
  tokenId: string | undefined;
  headerTokenId: string | undefined;
}

/** It may have been done or not: the request was sent and no usable answer came. */
export class AmbiguousError extends RotationError {
  static override readonly name = "AmbiguousError";
  override readonly name = "AmbiguousError";
  /** The ids of the token that the lost answer was about, where what came of it still told them. */
  readonly tokenId: string | undefined;
  readonly headerTokenId: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions & Partial<LostToken> = {}) {
    super(code, message, options);
    this.tokenId = options.tokenId;
    this.headerTokenId = options.headerTokenId;
  }
}

/** It was not done and repeating it won't help: somebody has to change something. */
export class PermanentError extends RotationError {
  static override readonly name = "PermanentError";
  override readonly name = "PermanentError";
}

/** What may be logged of an error. What is not ours may hold anything in its message: only the kind of it is told. */
export function loggableFailure(error: unknown): { code: string; reason: string } {
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
