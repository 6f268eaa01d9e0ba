import { type Clock, type Moment, momentOf, msSince } from "../src/ports/clock.ts";
import { PermanentError, RetryableError } from "../src/ports/errors.ts";
import { isSame, type Token } from "./tokens.ts";
import { backOff, waitFor } from "./waiting.ts";

/** A token that was fetched, and how it ages. */
export interface Fetched<Kind extends Token> {
  readonly token: Kind;
  /** From when it ages: the start of its fetch, so that a frozen Lambda does not take an old answer for a new one. */
  readonly since: Moment;
  /** From this age on, in ms, the next call has another one fetched in the background … */
  readonly refreshAfterMs: number;
  /** … from this one on callers wait for that, unless it was tried and failed … */
  readonly waitAfterMs: number;
  /** … and from this one on it is handed out no more. */
  readonly goodForMs: number;
  /** Whether everything that it comes from was read for this fetch, and not just remembered. */
  readonly isNews: boolean;
}

export interface TokenCacheOptions<Made extends Fetched<Token>> {
  /**
   * @param request.fresh whether the answer must be news
   * @param request.kept what is in the cache
   */
  fetch: (request: { fresh: boolean; kept: Made | undefined }) => Promise<Made>;
  /** A fetch that has not ended after this is given up for dead, in ms. */
  timeoutMs: number;
  /** Between the starts of two fetches, in ms. */
  minIntervalMs: number;
  /** After failures in a row, how long no fetch is tried, in ms: from the first to the longest. */
  backOffMs: readonly [first: number, longest: number];
  /** What a person is told when C2M rejects the token twice and there is no other. */
  rejectedText: (token: Made["token"]) => string;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  onRefreshError: (error: unknown) => void;
  /** Aborted, with the reason for callers, when the cache is used no more. */
  closing: AbortSignal;
}

export interface TokenRequest {
  /** C2M answered 401 to this one: hand out another one or throw. */
  rejected?: Token | undefined;
  /** Hand out nothing that was fetched before this call, unless nothing can be fetched now. */
  fresh?: boolean;
  /** Ends this caller's wait. */
  signal?: AbortSignal | undefined;
}

interface Fetch {
  number: number;
  since: Moment;
  promise: Promise<void>;
  hasEnded: boolean;
}

/** How long the other side is left alone, and what callers are told who need it meanwhile. */
interface Rest {
  error: unknown;
  since: Moment;
  ms: number;
  failuresInARow: number;
}

/** No other side is left alone for longer, whatever it asks for, in ms. */
const longestRestMs = 600_000;

/**
 * A token that is kept in memory: fetched when it is needed, by one fetch however many ask, refreshed ahead of its end,
 * and served to its end while fetches fail. No timer is used: whatever happens begins with a call.
 */
export class TokenCache<Made extends Fetched<Token>> {
  readonly #options: TokenCacheOptions<Made>;
  #kept: (Made & { fetch: number }) | undefined;
  /** The last fetch that was begun. */
  #fetch: Fetch | undefined;
  /** What fetches ended with since the last that succeeded. */
  #failure: Rest | undefined;
  /** A token that was fetched because C2M rejected it, and was the same again. */
  #rejection: { token: Token; rest: Rest } | undefined;

  constructor(options: TokenCacheOptions<Made>) {
    this.#options = options;
  }

  /**
   * @throws what the fetch threw, PermanentError `rejected`, or the reason of the signal or of `closing`
   */
  async get({ rejected, fresh = false, signal }: TokenRequest = {}): Promise<Made["token"]> {
    const { closing } = this.#options;
    const seen = this.#fetch?.number ?? 0;
    for (;;) {
      signal?.throwIfAborted();
      closing.throwIfAborted();
      const kept = this.#kept;
      const isRejected = kept !== undefined && isSame(kept.token, rejected);
      const isAnswer = kept?.isNews === true && kept.fetch > seen;
      // What was made before the rejection, of things remembered, may be as dead.
      const needsNews = fresh || (kept !== undefined && rejected !== undefined && (isRejected || !kept.isNews));
      if (kept && !isRejected && (isAnswer || (!needsNews && this.#serves(kept)))) {
        this.#refreshIfDue(kept);
        return kept.token;
      }
      if (this.#isOn(this.#failure)) return this.#lastGood(rejected, this.#failure.error);
      if (isRejected && (isAnswer || this.#isOn(this.#restOf(kept)))) throw this.#rejectionOf(kept);
      const running = this.#running();
      const floorMs = running ? 0 : this.#floorMs();
      if (floorMs > 0) {
        await this.#pause(floorMs, signal);
        continue;
      }
      try {
        await waitFor((running ?? this.#start(needsNews)).promise, signal);
      } catch (error) {
        if (signal?.aborted) throw error;
        closing.throwIfAborted();
        return this.#lastGood(rejected, error);
      }
    }
  }

  #age(kept: Made): number {
    return msSince(this.#options.clock, kept.since);
  }

  /** Whether it is young enough to be handed out, or fetching a younger one was tried just now. */
  #serves(kept: Made): boolean {
    const age = this.#age(kept);
    if (age >= kept.goodForMs) return false;
    const { clock } = this.#options;
    return age < kept.waitAfterMs || (!!this.#failure && msSince(clock, this.#failure.since) < kept.waitAfterMs);
  }

  #isOn(rest: Rest | undefined): rest is Rest {
    return rest !== undefined && msSince(this.#options.clock, rest.since) < rest.ms;
  }

  /** Nobody waits for it: what becomes of it is seen by those who come later. */
  #refreshIfDue(kept: Made): void {
    const isDue = this.#age(kept) >= kept.refreshAfterMs;
    if (!isDue || this.#isOn(this.#failure) || this.#running() || this.#floorMs() > 0) return;
    this.#start(false).promise.catch(() => undefined);
  }

  #running(): Fetch | undefined {
    const { clock, timeoutMs } = this.#options;
    // A Lambda that was frozen in the middle of a fetch may wait for ever on a connection that is gone.
    const isAlive = this.#fetch && !this.#fetch.hasEnded && msSince(clock, this.#fetch.since) < timeoutMs;
    return isAlive ? this.#fetch : undefined;
  }

  /** How long the next fetch has to wait, in ms. */
  #floorMs(): number {
    const { clock, minIntervalMs } = this.#options;
    return this.#fetch ? minIntervalMs - msSince(clock, this.#fetch.since) : 0;
  }

  #start(fresh: boolean): Fetch {
    const number = (this.#fetch?.number ?? 0) + 1;
    const since = momentOf(this.#options.clock);
    const fetch: Fetch = { number, since, hasEnded: false, promise: Promise.resolve() };
    this.#fetch = fetch;
    fetch.promise = this.#perform(fetch, fresh);
    return fetch;
  }

  async #perform(fetch: Fetch, fresh: boolean): Promise<void> {
    try {
      const { closing } = this.#options;
      const made = await waitFor(this.#options.fetch({ fresh, kept: this.#kept }), closing);
      // The late answer of a fetch that was given up.
      if (this.#kept && this.#kept.fetch > fetch.number) return;
      this.#kept = { ...made, fetch: fetch.number };
      this.#failure = undefined;
    } catch (error) {
      if (this.#fetch === fetch) this.#fail(error);
      throw error;
    } finally {
      fetch.hasEnded = true;
    }
  }

  #fail(error: unknown): void {
    const { onRefreshError, closing } = this.#options;
    this.#failure = this.#restAfter(error, this.#failure);
    if (this.#kept && this.#age(this.#kept) < this.#kept.goodForMs && !closing.aborted) onRefreshError(error);
  }

  #restAfter(error: unknown, before: Rest | undefined): Rest {
    const { clock, random, backOffMs } = this.#options;
    const failuresInARow = (before?.failuresInARow ?? 0) + 1;
    const askedMs = error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0;
    const ms = Math.max(Math.min(askedMs, longestRestMs), backOff(failuresInARow, ...backOffMs, random));
    return { error, since: momentOf(clock), ms, failuresInARow };
  }

  /** What is kept, where it may still be good; else throws the reason for which there is nothing newer. */
  #lastGood(rejected: Token | undefined, error: unknown): Made["token"] {
    const kept = this.#kept;
    if (!kept || isSame(kept.token, rejected) || this.#age(kept) >= kept.goodForMs) throw error;
    return kept.token;
  }

  /** How long it is not fetched again for being rejected. */
  #restOf({ token }: Made): Rest | undefined {
    return isSame(token, this.#rejection?.token) ? this.#rejection.rest : undefined;
  }

  /** The error for who needs another token than this one, which was fetched again since C2M rejected it. */
  #rejectionOf(kept: Made): unknown {
    const before = this.#restOf(kept);
    if (this.#isOn(before)) return before.error;
    const error = new PermanentError("rejected", this.#options.rejectedText(kept.token));
    this.#rejection = { token: kept.token, rest: this.#restAfter(error, before) };
    return error;
  }

  async #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock, closing } = this.#options;
    const ends = signal ? AbortSignal.any([signal, closing]) : closing;
    await waitFor(clock.sleep(ms, ends), ends);
  }
}
