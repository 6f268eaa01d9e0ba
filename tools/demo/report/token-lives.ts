import type { Moment } from "../timeline.ts";

/** One token from its issue to its end. Times in epoch ms; undefined where it has not happened. */
export interface TokenLife {
  tokenId: string;
  issuedAt: number;
  promotedAt: number | undefined;
  /** When the next token took its place: from here on it is in grace. */
  supersededAt: number | undefined;
  revokedAt: number | undefined;
}

/** The lives of all tokens in a timeline, in the order of their issue. */
export function tokenLives(timeline: readonly Moment[]): TokenLife[] {
  const lives = new Map<string, TokenLife>();
  let current: TokenLife | undefined;
  for (const { at, what, tokenId } of timeline) {
    if (tokenId === undefined) continue;
    const life = lives.get(tokenId);
    if (what === "issued") {
      const born = { tokenId, issuedAt: at, promotedAt: undefined, supersededAt: undefined, revokedAt: undefined };
      lives.set(tokenId, born);
    } else if (what === "promoted" && life) {
      if (current && current !== life) current.supersededAt = at;
      life.promotedAt ??= at;
      current = life;
    } else if (what === "revoked" && life) {
      life.revokedAt ??= at;
    }
  }
  return [...lives.values()];
}
