import type { C2mEngine } from "../../../local-cloud/c2m/engine.ts";

/** Only so many of the latest tokens are looked for: a run over years makes thousands. */
const tokensLookedFor = 40;

/** Knows every text that must not be seen: tokens of C2M, and what it is told. */
export class LeakDetector {
  readonly #c2m: C2mEngine;
  readonly #confidential: Set<string>;

  constructor(c2m: C2mEngine, confidential: readonly string[]) {
    this.#c2m = c2m;
    this.#confidential = new Set(confidential);
  }

  /** One more text that must never be seen. */
  confide(text: string): void {
    this.#confidential.add(text);
  }

  leaksIn(text: string): boolean {
    const tokens = this.#c2m.tokens.slice(-tokensLookedFor).map(({ accessToken }) => accessToken);
    return [...this.#confidential, ...tokens].some((secret) => text.includes(secret));
  }
}

/** All of an error that anybody could print. */
export function printable(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message}\n${error.stack}\n${error.cause === undefined ? "" : printable(error.cause)}`;
}
