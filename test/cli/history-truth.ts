import type { Life } from "../../cli/history/life.ts";
import type { C2mToken } from "../../local-cloud/c2m/token-register.ts";

/** What a history has to be held against. */
export interface Truth {
  /** Epoch ms. */
  now: number;
  /** The versions whose value holds a token. */
  holdersOf(token: C2mToken): string[];
  /** The versions at a label. */
  at(stage: string): string[];
  /** Whether somebody else than the functions has ended it, which no history can know. */
  mayBeDead(token: C2mToken): boolean;
}

/** The lives that may be about a token: by its id, by the value that holds it, or as the call that made it. */
export function about(token: C2mToken, lives: readonly Life[], { holdersOf }: Truth): Life[] {
  const named = lives.filter(({ tokenId, headerTokenId }) => tokenId === token.id || headerTokenId === token.id);
  if (named.length > 0) return named;
  const holders = holdersOf(token);
  const stored = lives.filter(({ storedIn }) => holders.some((versionId) => storedIn.includes(versionId)));
  if (stored.length > 0) return stored;
  return lives.filter(({ tokenId, attemptId, expiresAt, happenings: [begun] }) => {
    if (tokenId !== undefined || attemptId === undefined) return false;
    const isItsTime = begun !== undefined && begun.at <= token.issuedAt;
    return isItsTime && expiresAt !== undefined && expiresAt >= token.expiresAt;
  });
}

/** Why a life does not tell the truth about a token; undefined where it does, or names what it does not know. */
export function lie(life: Life, token: C2mToken, truth: Truth): string | undefined {
  const { now } = truth;
  const isDead = token.revokedAt !== undefined || token.expiresAt <= now;
  const open = life.gaps.filter(({ until }) => until === undefined || until >= Math.min(token.expiresAt, now + 1));
  const isAt = (stage: string) => truth.at(stage).some((versionId) => life.storedIn.includes(versionId));
  switch (life.fate) {
    case "revoked":
    case "seen dead": {
      const isDoubted = open.some(({ kind }) => kind === "not seen dead" || kind === "said by an operator");
      return token.revokedAt === undefined && !isDoubted ? "it was never revoked" : undefined;
    }
    case "expired":
      return token.expiresAt > now ? "it has not expired" : undefined;
    case "current":
    case "pending":
    case "in grace": {
      if (life.fate === "current" && !isAt("AWSCURRENT")) return "it is not current";
      if (life.fate === "pending" && !isAt("AWSPENDING")) return "it is not pending";
      return isDead && !truth.mayBeDead(token) && open.length === 0 ? "it is dead" : undefined;
    }
    default:
      return open.length === 0 ? "no gap is named" : undefined;
  }
}
