import type { Checkpoint } from "./checkpoint.ts";

/** How many strikes there were to try at the effects that follow. */
export interface Rest {
  crashes: number;
  others: number;
}

/** Of a scenario: states in which nothing ran, by their fingerprints, from which the promise was kept to the end. */
export class KnownStates {
  /** Where the undisturbed world was, in order. */
  checkpoints: readonly Checkpoint[] = [];
  readonly #known = new Set<string>();

  has(key: string): boolean {
    return this.#known.has(key);
  }

  add(key: string): void {
    this.#known.add(key);
  }
}
