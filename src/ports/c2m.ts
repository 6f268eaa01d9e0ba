import type { Sensitive } from "./sensitive.ts";

/** A token as C2M issued it, long or short. */
export interface IssuedToken {
  accessToken: Sensitive;
  tokenType: string;
  /** The id to revoke it by: `token_id` of the body, else the header `X-Token-Id`. C2M may give neither. */
  tokenId: string | undefined;
  /** As C2M returned them; undefined when it did not say. */
  scopes: string[] | undefined;
  /** ISO 8601, as C2M wrote it. */
  expiresAt: string;
  /** How long it lives from the answer on, by C2M's own clock, whatever ours says. Undefined when it did not say. */
  lifetimeSeconds: number | undefined;
}

export interface IssueRequest {
  scopes: string[];
  /** 3600 to 7,776,000; C2M may clamp it. */
  ttlSeconds: number;
  /** The present token, for the mechanism that authenticates with it (`short_token`). */
  current: Sensitive | undefined;
  /** Epoch ms: no attempt may start so late that its answer would come after this. */
  deadline: number;
}

/**
 * The C2M auth API for one client, whatever its mechanism. Every method retries by itself, within `deadline`, what may
 * be repeated, and throws RetryableError, AmbiguousError or PermanentError.
 */
export interface C2m {
  /** Not idempotent: repeated only when no token can have been made. */
  issueLongTermToken(request: IssueRequest): Promise<IssuedToken>;
  /**
   * Exchanges a long token for a short one. PermanentError with code `invalid_token` when C2M says that the token is
   * not valid, and `unauthorized` for a 401 that does not say so.
   */
  issueShortTermToken(request: { longToken: Sensitive; scopes?: string[]; deadline: number }): Promise<IssuedToken>;
  /**
   * Resolves when the token is dead (revoked now or before, or unknown to C2M). PermanentError with code
   * `revocation_refused` on 401 and 403: this bearer may not revoke it. `beforeRetry` is awaited before every attempt but
   * the first, and its rejection is the attempt's: what was true of the token may have changed while it waited.
   */
  revokeToken(request: {
    tokenId: string;
    bearer: Sensitive;
    deadline: number;
    beforeRetry?: () => Promise<void>;
  }): Promise<void>;
}
