import type { IssuedToken, TokenUser } from "../src/ports/c2m.ts";
import { type Clock, momentOf, msSince } from "../src/ports/clock.ts";
import { PermanentError } from "../src/ports/errors.ts";
import type { Fetched, TokenCache } from "./token-cache.ts";
import { isSame, type LongTermToken, type ShortTermToken, settleMs } from "./tokens.ts";

export interface Exchanged extends Fetched<ShortTermToken> {
  /** The long-term token that it was made from. */
  readonly parent: LongTermToken;
}

export interface ExchangerOptions {
  longTermTokens: TokenCache<Fetched<LongTermToken>>;
  /** The C2M that a long-term token is for. */
  c2mOf: (parent: LongTermToken) => Pick<TokenUser, "issueShortTermToken">;
  /** What the tokens may do; undefined: all that the long-term token may. */
  scopes: readonly string[] | undefined;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  closing: AbortSignal;
}

/** For one exchange with its retries, in ms. */
export const exchangeTimeoutMs = 20_000;
/** A token is replaced this long before its end, and no longer used this long before it; less for one that lives for less than 5 minutes. In ms. */
const aheadMs = 60_000;
const marginMs = 5_000;
/**
 * One that was made from the same long-term token less than this ago is not replaced for being rejected, in ms: C2M
 * lets in some ten auth calls a minute, and an API that always answers 401 must not use them up.
 */
const youngMs = 10_000;

/** Makes short-term tokens of one set of scopes from the long-term one, and from the next one where C2M rejects that. */
export function exchanger(
  options: ExchangerOptions,
): (request: { fresh: boolean; kept: Exchanged | undefined }) => Promise<Exchanged> {
  const { longTermTokens, c2mOf, scopes, clock, closing } = options;
  /** One that was tried a second time in vain. */
  let rejectedForGood: LongTermToken | undefined;
  return async ({ fresh, kept }) => {
    let parent = await longTermTokens.get({ fresh });
    if (fresh && kept && isSame(kept.parent, parent) && msSince(clock, kept.since) < youngMs) {
      return { ...kept, isNews: true };
    }
    for (let attempt = 1; ; attempt += 1) {
      const since = momentOf(clock);
      const exchange = await c2mOf(parent).issueShortTermToken({
        longToken: parent.accessToken,
        deadline: clock.now() + exchangeTimeoutMs,
        ...(scopes && { scopes: [...scopes] }),
      });
      if (exchange.outcome === "works") {
        rejectedForGood = undefined;
        return { ...aged(exchange.token, parent, options), since, parent, isNews: fresh || attempt > 1 };
      }
      try {
        parent = await longTermTokens.get({ rejected: parent });
      } catch (error) {
        // Said once, it may be that C2M does not know the token yet, or a gateway's mistake.
        const isRejected = error instanceof PermanentError && error.code === "rejected";
        if (!isRejected || attempt > 1 || isSame(parent, rejectedForGood)) throw error;
        rejectedForGood = parent;
        await clock.sleep(settleMs, closing);
      }
    }
  };
}

/** By the lifetime that C2M told, whatever this machine's clock says. */
function aged(issued: IssuedToken, { baseUrl }: LongTermToken, { clock, random }: ExchangerOptions) {
  const { accessToken, tokenId, scopes } = issued;
  const now = clock.now();
  const expiresAt =
    issued.lifetimeSeconds === undefined ? Date.parse(issued.expiresAt) : now + issued.lifetimeSeconds * 1_000;
  const lifetimeMs = expiresAt - now;
  const part = Math.min(1, lifetimeMs / (5 * aheadMs));
  const goodForMs = lifetimeMs - marginMs * part;
  const token: ShortTermToken = { accessToken, tokenId, scopes, expiresAt, baseUrl };
  const refreshAfterMs = lifetimeMs - aheadMs * part * (1 + random() / 2);
  return { token, refreshAfterMs, waitAfterMs: goodForMs, goodForMs };
}
