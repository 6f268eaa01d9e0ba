import type { Sensitive } from "./sensitive.ts";

/** C2M's documents: a revocation takes up to 300 s to bite. In ms. */
export const biteMs = 300_000;

/** C2M's documents: a short token lives for about 15 minutes, whatever becomes of the long one that it was made from. In ms. */
export const shortTokenMs = 15 * 60_000;

/** A token as C2M issued it, long or short. */
export interface IssuedToken {
  accessToken: Sensitive;
  tokenType: string;
  /** The id to revoke it by: `token_id` of the body, else the header `X-Token-Id`. C2M may give neither. */
  tokenId: string | undefined;
  /** `X-Token-Id` where it is another than `token_id` of the body: which of the two revokes the token is not known. */
  headerTokenId: string | undefined;
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
  lifetimeSeconds: number;
  /** Epoch ms: no attempt may start so late that its answer would come after this. */
  deadline: number;
}

/**
 * Who has a client's credentials. Retries by itself, within `deadline`, what may be repeated, and throws RetryableError,
 * AmbiguousError or PermanentError.
 */
export interface TokenIssuer {
  /** Not idempotent: repeated only when no token can have been made. */
  issueLongTermToken(request: IssueRequest): Promise<IssuedToken>;
}

export interface ExchangeRequest {
  longToken: Sensitive;
  /** Default: all that the long token may. */
  scopes?: string[];
  /** Epoch ms. */
  deadline: number;
}

/** What C2M says of a long token when a short one is asked for. */
export type Exchange =
  | { outcome: "works"; token: IssuedToken }
  /** C2M itself says that it is not valid. */
  | { outcome: "invalid_token" }
  /** 401, and C2M's code is not there: a gateway may have said it. */
  | { outcome: "unauthorized" };

export interface RevokeRequest {
  tokenId: string;
  bearer: Sensitive;
  /** Epoch ms. */
  deadline: number;
  /**
   * Awaited before every attempt but the first, and its rejection is the attempt's: what was true of the token may have
   * changed while it waited.
   */
  beforeRetry?: () => Promise<void>;
}

/** What C2M says when a token is to be revoked. */
export type RevokeAnswer =
  /** 204, or 404 with C2M's own `not_found`: it is dead, now or before. */
  | "revoked"
  /** Another 2xx with a JSON object: most likely the same, but something before C2M could have said it. */
  | "claimed"
  /** 401 or 403 with C2M's code: this bearer may not. */
  | "refused"
  /** 404 without C2M's code: a gateway that does not know the path, or C2M without its code. */
  | "not_found"
  /** A gateway's answer that says nothing of the token: 2xx that is no JSON object, 401 and 403 without a code. */
  | "unclear";

/** Who has a token: exchanges and revokes at one C2M. Retries and throws as TokenIssuer does. */
export interface TokenUser {
  /** Exchanges a long token for a short one. */
  issueShortTermToken(request: ExchangeRequest): Promise<Exchange>;
  /** Revokes a token, long or short. */
  revokeToken(request: RevokeRequest): Promise<RevokeAnswer>;
}

/** Ending a short token that has served is worth one attempt, and no more of anybody's time than this. In ms. */
export const endShortTokenMs = 5_000;

/** Revokes a short token by each of its ids. Never rejects: it ends by itself within 15 minutes. */
export async function endShortToken(
  user: Pick<TokenUser, "revokeToken">,
  ids: readonly string[],
  by: Pick<RevokeRequest, "bearer" | "deadline">,
): Promise<void> {
  for (const tokenId of ids) {
    try {
      await user.revokeToken({ tokenId, ...by });
    } catch {
      // The next id is tried all the same.
    }
  }
}
