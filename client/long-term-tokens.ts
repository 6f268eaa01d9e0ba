import type { Clock } from "../src/ports/clock.ts";
import { PermanentError } from "../src/ports/errors.ts";
import { waitFor } from "./abort.ts";
import { backOff } from "./back-off.ts";
import { isSame, type LongTermToken, type Token } from "./tokens.ts";

export interface LongTermTokensOptions {
  read: () => Promise<LongTermToken>;
  /** How old a token's reading may be when it is handed out, in ms. */
  maxAgeMs: number;
  /** Between the starts of two reads, in ms. */
  minReadIntervalMs: number;
  /** After this, a read that has not ended is given up for dead, in ms. */
  readTimeoutMs: number;
  clock: Clock;
  /** Uniform in [0, 1). */
  random: () => number;
  onRefreshError: (error: unknown) => void;
}

export interface LongTermTokenRequest {
  /** C2M said that this one is not valid: hand out another one or throw. */
  rejected?: Token | undefined;
  /** Hand out nothing that was read before this call, unless it can't be read now. */
  reread?: boolean;
  signal?: AbortSignal | undefined;
}

interface Kept {
  token: LongTermToken;
  /** Which read it came from. */
  read: number;
  /** Epoch ms from which a new one is read in the background … */
  refreshAt: number;
  /** … and from which callers wait for it. */
  waitFrom: number;
}

interface Read {
  number: number;
  startedAt: number;
  promise: Promise<LongTermToken>;
}

/** While a read fails, the next one comes no later than this, in ms. */
const longestBackOffMs = 60_000;

/**
 * The secret's token, kept in memory. Ages count from the start of a read and no timer is used, so that a frozen Lambda
 * does not take an old answer for a new one.
 */
export class LongTermTokens {
  readonly #options: LongTermTokensOptions;
  #kept: Kept | undefined;
  #read: Read | undefined;
  #reads = 0;
  #notBefore = 0;
  /** What callers for whom there is no token get until `until`, instead of another read. */
  #failure: { error: unknown; until: number } | undefined;
  /** Reads in a row that failed. */
  #failures = 0;
  /** Reads that were asked for because this token was rejected, and brought it again. */
  #rejections = 0;

  constructor(options: LongTermTokensOptions) {
    this.#options = options;
  }

  /**
   * @throws what the read threw, PermanentError `expired` or `rejected`, or the signal's reason
   */
  async get(request: LongTermTokenRequest = {}): Promise<LongTermToken> {
    const { clock } = this.#options;
    const { rejected, signal } = request;
    const readsBefore = this.#reads;
    for (;;) {
      signal?.throwIfAborted();
      const now = clock.now();
      const kept = this.#kept;
      const isRejected = kept !== undefined && isSame(kept.token, rejected);
      const isNews = kept !== undefined && kept.read > readsBefore;
      if (kept && !isRejected && (isNews || (now < kept.waitFrom && !request.reread))) {
        if (now >= kept.refreshAt) this.#refresh(now);
        return kept.token;
      }
      if (this.#failure && now < this.#failure.until) return this.#lastGood(rejected, this.#failure.error);
      if (kept && isRejected && isNews) throw this.#noOther(kept.token);
      const running = this.#running(now);
      if (!running && now < this.#notBefore) {
        await waitFor(clock.sleep(this.#notBefore - now, signal), signal);
        continue;
      }
      try {
        const token = await waitFor((running ?? this.#start()).promise, signal);
        // What was under way before this call may be older than the rejection.
        if (!request.reread && !isSame(token, rejected)) return token;
      } catch (error) {
        if (signal?.aborted) throw error;
        return this.#lastGood(rejected, error);
      }
    }
  }

  /** Nobody waits for it: what becomes of it is seen by those who come later. */
  #refresh(now: number): void {
    if (!this.#running(now) && now >= this.#notBefore) this.#start().promise.catch(() => undefined);
  }

  #running(now: number): Read | undefined {
    // A Lambda that was frozen in the middle of a read may wait for ever on a connection that is gone.
    return this.#read && now - this.#read.startedAt < this.#options.readTimeoutMs ? this.#read : undefined;
  }

  #start(): Read {
    const { clock, minReadIntervalMs } = this.#options;
    const startedAt = clock.now();
    this.#reads += 1;
    this.#notBefore = startedAt + minReadIntervalMs;
    const read: Read = { number: this.#reads, startedAt, promise: this.#perform(this.#reads, startedAt) };
    this.#read = read;
    return read;
  }

  async #perform(number: number, startedAt: number): Promise<LongTermToken> {
    try {
      const token = await this.#options.read();
      if (this.#options.clock.now() >= endOf(token)) throw expired(token);
      this.#keep(token, number, startedAt);
      return token;
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      if (this.#read?.number === number) this.#read = undefined;
    }
  }

  #keep(token: LongTermToken, read: number, startedAt: number): void {
    // The late answer of a read that was given up.
    if (this.#kept && this.#kept.read > read) return;
    const { maxAgeMs, minReadIntervalMs, random } = this.#options;
    // Half of what is left, so that it is looked at again and again as the end draws near.
    const half = (endOf(token) - startedAt) / 2;
    const refreshMs = Math.max(minReadIntervalMs, Math.min(maxAgeMs * (1 - random() / 5), half));
    const waitFrom = Math.min(startedAt + maxAgeMs, endOf(token));
    if (!isSame(token, this.#kept?.token)) this.#rejections = 0;
    this.#failures = 0;
    this.#kept = { token, read, refreshAt: startedAt + refreshMs, waitFrom };
    this.#failure = undefined;
  }

  #fail(error: unknown): void {
    const { clock, maxAgeMs, onRefreshError } = this.#options;
    this.#failures += 1;
    this.#failure = { error, until: this.#backOff(this.#failures) };
    const kept = this.#kept;
    if (!kept) return;
    kept.refreshAt = this.#failure.until;
    kept.waitFrom = Math.min(clock.now() + maxAgeMs, endOf(kept.token));
    if (clock.now() < endOf(kept.token)) onRefreshError(error);
  }

  /** Epoch ms until which Secrets Manager is left alone. */
  #backOff(failures: number): number {
    const { clock, minReadIntervalMs, random } = this.#options;
    const longestMs = Math.max(minReadIntervalMs, longestBackOffMs);
    return clock.now() + backOff(failures, minReadIntervalMs, longestMs, random);
  }

  /** What was read before, where it is still good; else throws the reason for which there is nothing newer. */
  #lastGood(rejected: Token | undefined, error: unknown): LongTermToken {
    const token = this.#kept?.token;
    if (!token || isSame(token, rejected) || this.#options.clock.now() >= endOf(token)) throw error;
    return token;
  }

  #noOther(token: LongTermToken): PermanentError {
    const error = new PermanentError(
      "rejected",
      `C2M rejects the token in the secret${named(token)}, and the secret holds no other. Check that baseUrl is where it was issued, and that its rotation works.`,
    );
    this.#rejections += 1;
    this.#failure = { error, until: this.#backOff(this.#rejections) };
    return error;
  }
}

/** Epoch ms. */
function endOf({ expiresAt = Number.POSITIVE_INFINITY }: LongTermToken): number {
  return expiresAt;
}

function named({ tokenId }: LongTermToken): string {
  return tokenId === undefined ? "" : ` (${tokenId})`;
}

function expired(token: LongTermToken): PermanentError {
  return new PermanentError(
    "expired",
    `The token in the secret${named(token)} expired at ${new Date(endOf(token)).toISOString()}. Check that its rotation works, and this machine's clock.`,
  );
}
