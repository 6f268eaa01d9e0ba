import type { Checkpoint } from "./world.ts";

/** How many strikes there were to try at the effects that follow. */
export interface Rest {
  crashes: number;
  others: number;
}

/** Thrown where the world is in a state from which it was played to its end before. */
export class Merged extends Error {
  readonly rest: Rest;

  constructor(rest: Rest) {
    super("merged");
    this.rest = rest;
  }
}

/** States in which nothing ran, by their fingerprints, from which the promise was kept to the end. */
export class KnownStates {
  /** By scenario: where an undisturbed world was at the end of each phase. */
  readonly checkpoints = new Map<string, { phase: number; checkpoint: Checkpoint }[]>();
  readonly #known = new Map<string, Rest>();

  get(fingerprint: string): Rest | undefined {
    return this.#known.get(fingerprint);
  }

  add(fingerprint: string, rest: Rest): void {
    this.#known.set(fingerprint, rest);
  }
}
