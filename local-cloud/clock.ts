/** Time as the local cloud sees it, in epoch milliseconds. */
export interface Clock {
  now(): number;
  /** Resolves when `ms` have passed on this clock. On a virtual clock that is as soon as everything due by then has run. */
  sleep(ms: number): Promise<void>;
  /** Runs `run` when the clock reaches `time`; at once (but not synchronously) when that is past. */
  at(time: number, run: () => void | Promise<void>): Timer;
}

export interface Timer {
  cancel(): void;
}

interface Due {
  time: number;
  order: number;
  run: () => void | Promise<void>;
}

/** Most sleeps on a virtual clock are over at once. */
const passed = Promise.resolve();

/**
 * A clock that stands still until somebody advances it. Sleeping advances it: whoever sleeps is the one who waits, so
 * nothing else could make the time pass. What is due on the way runs first, in order of time.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #due: Due[] = [];
  #listeners = new Set<(now: number) => void>();

  constructor(start: number | string | Date = "2026-01-01T00:00:00Z") {
    this.#now = new Date(start).getTime();
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    const end = this.#now + Math.max(0, ms);
    if (this.#due.some(({ time }) => time <= end)) return this.advanceTo(end);
    this.#set(end);
    return passed;
  }

  at(time: number, run: () => void | Promise<void>): Timer {
    const due: Due = { time: Math.max(time, this.#now), order: this.#order++, run };
    this.#due.push(due);
    return {
      cancel: () => {
        this.#due = this.#due.filter((other) => other !== due);
      },
    };
  }

  advanceBy(ms: number): Promise<void> {
    return this.advanceTo(this.#now + ms);
  }

  /** Lets time pass until `target`; awaits everything that falls due on the way. Rejects with the first error of it. */
  async advanceTo(target: number | string | Date): Promise<void> {
    const end = new Date(target).getTime();
    for (let next = this.#takeDue(end); next; next = this.#takeDue(end)) {
      this.#set(next.time);
      await next.run();
    }
    this.#set(end);
  }

  /** How many timers have not fallen due. */
  get waiting(): number {
    return this.#due.length;
  }

  /** The time at which the next timer is due, if there is one. */
  nextDue(): number | undefined {
    return this.#due.length === 0 ? undefined : Math.min(...this.#due.map((due) => due.time));
  }

  /** Calls `listener` with every new time, starting with the present one. */
  onChange(listener: (now: number) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#now);
    return () => this.#listeners.delete(listener);
  }

  #takeDue(end: number): Due | undefined {
    let first: Due | undefined;
    for (const due of this.#due) {
      if (due.time > end) continue;
      if (!first || due.time < first.time || (due.time === first.time && due.order < first.order)) first = due;
    }
    if (first) this.#due.splice(this.#due.indexOf(first), 1);
    return first;
  }

  // Two sleepers can overlap (an app and a function); the one who wakes later must not turn the clock back.
  #set(time: number): void {
    if (time <= this.#now) return;
    this.#now = time;
    for (const listener of this.#listeners) listener(time);
  }
}

/** The machine's own clock, for `npm run local`. Errors of timers go to `onError`. */
export class RealClock implements Clock {
  readonly #onError: (error: unknown) => void;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  now(): number {
    return Date.now();
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(Date.now() + ms, resolve));
  }

  at(time: number, run: () => void | Promise<void>): Timer {
    let timer: NodeJS.Timeout;
    const arm = () => {
      // setTimeout holds at most 2^31-1 ms; longer waits are taken in stages.
      const wait = Math.min(Math.max(0, time - Date.now()), 2_147_483_647);
      timer = setTimeout(() => {
        this.#timers.delete(timer);
        if (Date.now() < time) return arm();
        Promise.resolve().then(run).catch(this.#onError);
      }, wait);
      this.#timers.add(timer);
    };
    arm();
    return {
      cancel: () => {
        clearTimeout(timer);
        this.#timers.delete(timer);
      },
    };
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
