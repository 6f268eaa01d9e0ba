import type { AuthApi } from "../src/c2m/auth-api.ts";
import type { IssuedToken } from "../src/ports/c2m.ts";
import type { Clock } from "../src/ports/clock.ts";
import { PermanentError, RetryableError } from "../src/ports/errors.ts";
import { waitFor } from "./abort.ts";
import { backOff } from "./back-off.ts";
import type { LongTermTokens } from "./long-term-tokens.ts";
import { isSame, type LongTermToken, type ShortTermToken, type Token } from "./tokens.ts";

export interface ShortTermTokensOptions {
  longTermTokens: Pick<LongTermTokens, "get">;
  c2m: Pick<AuthApi, "issueShortTermToken">;
  /** What the tokens may do; undefined: all that the long-term token may. */
  scopes: readonly string[] | undefined;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  onRefreshError: (error: unknown) => void;
}

interface Kept {
  token: ShortTermToken;
  parent: LongTermToken;
  /** Whether the secret was read for it, and not just remembered. */
  reread: boolean;
  /** Epoch ms of the exchange, of the refresh in the background, and from when on callers wait for it. */
  madeAt: number;
  refreshAt: number;
  waitFrom: number;
}

interface Exchange {
  startedAt: number;
  /** Whether it reads the secret anew. */
  rereads: boolean;
  promise: Promise<ShortTermToken>;
}

/** For one exchange with its retries, in ms. */
const exchangeTimeoutMs = 20_000;
/** A token is replaced this long before its end, and no longer used this long before it; less for one that lives for less than 5 minutes. In ms. */
const aheadMs = 60_000;
const marginMs = 5_000;
/**
 * One that was made from the same long-term token less than this ago is not replaced for being rejected, in ms: C2M
 * lets in some ten auth calls a minute, and an API that always answers 401 must not use them up.
 */
const minIntervalMs = 10_000;
const firstBackOffMs = 1_000;
const longestBackOffMs = 30_000;

/** Short-term tokens of one set of scopes: the present one is kept in memory. */
export class ShortTermTokens {
  readonly #options: ShortTermTokensOptions;
  #kept: Kept | undefined;
  #exchange: Exchange | undefined;
  /** What callers for whom there is no token get until `until`, instead of another exchange. */
  #failure: { error: unknown; until: number } | undefined;
  #failures = 0;
  readonly #parents = new WeakMap<Token, LongTermToken>();

  constructor(options: ShortTermTokensOptions) {
    this.#options = options;
  }

  /**
   * @param request.rejected C2M said that this one is not valid: read the secret, make another one or throw
   * @throws what the exchange or reading the secret threw, PermanentError `rejected`, or the signal's reason
   */
  async get(request: { rejected?: Token | undefined; signal?: AbortSignal | undefined }): Promise<ShortTermToken> {
    const { rejected, signal } = request;
    for (;;) {
      signal?.throwIfAborted();
      const now = this.#options.clock.now();
      const kept = this.#kept;
      const inDoubt = rejected !== undefined && this.#inDoubt(rejected);
      if (kept && !inDoubt && now < kept.waitFrom) {
        if (now >= kept.refreshAt && !this.#running(now)) this.#start(false).promise.catch(() => undefined);
        return kept.token;
      }
      if (this.#failure && now < this.#failure.until) return this.#lastGood(rejected, this.#failure.error);
      const running = this.#running(now);
      if (inDoubt && running && !running.rereads) {
        // It may be made from the long-term token that is dead.
        await waitFor(Promise.allSettled([running.promise]), signal);
        continue;
      }
      try {
        const token = await waitFor((running ?? this.#start(inDoubt)).promise, signal);
        if (!isSame(token, rejected)) return token;
      } catch (error) {
        if (signal?.aborted) throw error;
        return this.#lastGood(rejected, error);
      }
      throw this.#noOther();
    }
  }

  /** Whether the kept token is the rejected one, or may be as dead: a sibling of it. */
  #inDoubt(rejected: Token): boolean {
    const kept = this.#kept;
    if (!kept) return false;
    return isSame(kept.token, rejected) || (!kept.reread && isSame(kept.parent, this.#parents.get(rejected)));
  }

  #running(now: number): Exchange | undefined {
    // A Lambda that was frozen in the middle of an exchange may wait for ever on a connection that is gone.
    return this.#exchange && now - this.#exchange.startedAt < exchangeTimeoutMs ? this.#exchange : undefined;
  }

  #start(rereads: boolean): Exchange {
    const exchange: Exchange = {
      startedAt: this.#options.clock.now(),
      rereads,
      promise: this.#perform(rereads).finally(() => {
        if (this.#exchange === exchange) this.#exchange = undefined;
      }),
    };
    this.#exchange = exchange;
    return exchange;
  }

  async #perform(rereads: boolean): Promise<ShortTermToken> {
    const { longTermTokens, clock } = this.#options;
    try {
      const parent = await longTermTokens.get({ reread: rereads });
      const kept = this.#kept;
      if (rereads && kept && isSame(kept.parent, parent) && clock.now() < kept.madeAt + minIntervalMs) {
        kept.reread = true;
        return kept.token;
      }
      return await this.#issue(parent, rereads);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  async #issue(parent: LongTermToken, reread: boolean): Promise<ShortTermToken> {
    const madeAt = this.#options.clock.now();
    try {
      return this.#keep(await this.#call(parent), { parent, reread, madeAt });
    } catch (error) {
      if (!(error instanceof PermanentError && (error.code === "invalid_token" || error.code === "unauthorized"))) {
        throw error;
      }
      const next = await this.#options.longTermTokens.get({ rejected: parent });
      return this.#keep(await this.#call(next), { parent: next, reread: true, madeAt });
    }
  }

  #call(parent: LongTermToken): Promise<IssuedToken> {
    const { c2m, clock, scopes } = this.#options;
    const deadline = clock.now() + exchangeTimeoutMs;
    return c2m.issueShortTermToken({
      longToken: parent.accessToken,
      deadline,
      ...(scopes && { scopes: [...scopes] }),
    });
  }

  #keep(issued: IssuedToken, from: Pick<Kept, "parent" | "reread" | "madeAt">): ShortTermToken {
    const { accessToken, tokenId, scopes } = issued;
    const expiresAt = Date.parse(issued.expiresAt);
    const token: ShortTermToken = { accessToken, tokenId, scopes, expiresAt };
    this.#parents.set(token, from.parent);
    const part = Math.min(1, (expiresAt - from.madeAt) / (5 * aheadMs));
    this.#kept = {
      ...from,
      token,
      refreshAt: expiresAt - aheadMs * part * (1 + this.#options.random() / 2),
      waitFrom: expiresAt - marginMs * part,
    };
    this.#failure = undefined;
    this.#failures = 0;
    return token;
  }

  #fail(error: unknown): void {
    const { clock, random, onRefreshError } = this.#options;
    this.#failures += 1;
    const askedMs = error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.max(askedMs, backOff(this.#failures, firstBackOffMs, longestBackOffMs, random));
    this.#failure = { error, until: clock.now() + waitMs };
    if (!this.#kept || clock.now() >= this.#kept.waitFrom) return;
    this.#kept.refreshAt = Math.max(this.#kept.refreshAt, this.#failure.until);
    onRefreshError(error);
  }

  /** What is kept, where it may still be good; else throws the reason for which there is nothing newer. */
  #lastGood(rejected: Token | undefined, error: unknown): ShortTermToken {
    const kept = this.#kept;
    if (!kept || isSame(kept.token, rejected) || this.#options.clock.now() >= kept.waitFrom) throw error;
    return kept.token;
  }

  #noOther(): PermanentError {
    const error = new PermanentError(
      "rejected",
      "C2M rejects a short-term token that was made moments ago, and the secret holds no newer token. Check that the API that is called belongs to baseUrl, and what its 401 says.",
    );
    this.#failure = { error, until: (this.#kept?.madeAt ?? 0) + minIntervalMs };
    return error;
  }
}
