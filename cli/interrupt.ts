/**
 * Signals closer together than this are one press, in ms: a terminal sends Ctrl-C to npm as well as to its script, and
 * npm passes it on to the script that has got it already.
 */
const onePressMs = 500;

/** What the person wants who presses Ctrl-C once, and what who presses it again. */
export class Interrupt {
  readonly #now: () => number;
  readonly #first = new AbortController();
  readonly #second = new AbortController();
  #firstAt = 0;

  /** @param now time in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Aborted by the first press: stop, but leave nothing half done. */
  get signal(): AbortSignal {
    return this.#first.signal;
  }

  /** Aborted by the second: stop at once. */
  get again(): AbortSignal {
    return this.#second.signal;
  }

  /** A signal has arrived. */
  press(): void {
    const now = this.#now();
    if (!this.signal.aborted) {
      this.#firstAt = now;
      this.#first.abort();
    } else if (now - this.#firstAt > onePressMs) {
      this.#second.abort();
    }
  }
}
