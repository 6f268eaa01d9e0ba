import { endShortToken, endShortTokenMs, type TokenUser } from "../../ports/c2m.ts";
import { PermanentError } from "../../ports/errors.ts";
import type { ShortTokenCredentials } from "../credentials.ts";
import type { ShortTokenGrant } from "./grant.ts";

const reseed = "Supply a first token again: without a live one this mechanism can't go on.";

/** A grant, and what ends its power when it has served. */
export interface BorrowedGrant {
  grant: ShortTokenGrant;
  /** Revokes the short token, which could issue for minutes yet. Never rejects: it ends by itself. */
  end(now: number): Promise<void>;
}

/**
 * Exchanges the present long token for a short one that may issue (scope `tokens:write`). Once for all attempts of an
 * issue call: it lives for minutes.
 *
 * @throws PermanentError `current_token_missing` or `invalid_token`, or that of the exchange; then a person has to supply
 *   a token
 */
export async function makeShortTokenGrant(
  { longToken, longTokenIds = [], grantType = "client_credentials" }: ShortTokenCredentials,
  c2m: TokenUser,
  deadline: number,
): Promise<BorrowedGrant> {
  if (!longToken) {
    throw new PermanentError(
      "current_token_missing",
      `The short_token mechanism needs a token of the settings' base URL and client at AWSCURRENT. ${reseed}`,
    );
  }
  const exchange = await c2m.issueShortTermToken({ longToken, scopes: ["tokens:write"], deadline });
  if (exchange.outcome !== "works") {
    throw new PermanentError(
      "invalid_token",
      `issueShortTermToken: C2M answered HTTP 401 (${exchange.outcome}). The present token is expired, revoked or not one of C2M's. ${reseed}`,
    );
  }
  const { accessToken, tokenId, headerTokenId } = exchange.token;
  return {
    grant: { mechanism: "short_token", shortToken: accessToken, grantType },
    end: async (now) => {
      // Which of the two revokes it is not known; the header may name the token that it was asked with.
      const ids = [tokenId, longTokenIds.length === 0 ? undefined : headerTokenId]
        .filter((id) => id !== undefined)
        .filter((id) => !longTokenIds.includes(id));
      await endShortToken(c2m, ids, { bearer: longToken, deadline: now + endShortTokenMs });
    },
  };
}
