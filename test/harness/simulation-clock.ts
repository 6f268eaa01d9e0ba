import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock, Timer } from "../../local-cloud/clock.ts";

interface Due {
  time: number;
  order: number;
  run: () => void | Promise<void>;
}

/**
 * A clock for many who wait at the same time: who sleeps is woken at his time, whatever others do meanwhile. (The tests'
 * VirtualClock has one sleeper move the time for all, which is simpler to reason about, and wrong for queues.) Only for
 * code that waits for nothing but this clock.
 */
export class SimulationClock implements Clock {
  #now: number;
  #order = 0;
  /** Soonest last. */
  readonly #due: Due[] = [];
  #failure: { error: unknown } | undefined;

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.#now + ms, resolve));
  }

  at(time: number, run: () => void | Promise<void>): Timer {
    const due: Due = { time: Math.max(time, this.#now), order: this.#order++, run };
    this.#due.splice(this.#placeOf(due), 0, due);
    return {
      cancel: () => {
        const place = this.#due.indexOf(due);
        if (place >= 0) this.#due.splice(place, 1);
      },
    };
  }

  /** Lets time pass until `end`, and lets everybody act whose time comes. Rejects with the first error. */
  async advanceTo(end: number): Promise<void> {
    await nextTurn();
    for (let next = this.#due.at(-1); next && next.time <= end; next = this.#due.at(-1)) {
      this.#now = next.time;
      // All who act at this moment, and then a turn of the event loop, in which they come to where they wait.
      for (let due: Due | undefined = next; due && due.time <= this.#now; due = this.#due.at(-1)) {
        this.#due.pop();
        void this.#run(due);
      }
      await nextTurn();
      if (this.#failure) throw this.#failure.error;
    }
    this.#now = end;
  }

  async #run({ run }: Due): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #placeOf({ time, order }: Due): number {
    let low = 0;
    let high = this.#due.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#due[middle];
      if (other && (other.time > time || (other.time === time && other.order > order))) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
