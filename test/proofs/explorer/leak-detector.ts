import type { C2ms } from "./c2ms.ts";

/** Only so many of the latest tokens are looked for: a run over years makes thousands. */
const tokensLookedFor = 40;

/** Knows every text that must not be seen: tokens of C2M, and what it is told. */
export class LeakDetector {
  readonly #c2ms: C2ms;
  readonly #confidential = new Set<string>();

  constructor(c2ms: C2ms) {
    this.#c2ms = c2ms;
  }

  /** One more text that must never be seen. */
  confide(text: string): void {
    this.#confidential.add(text);
  }

  /** Looks for what another one looks for. */
  copy(other: LeakDetector): void {
    for (const secret of other.#confidential) this.#confidential.add(secret);
  }

  leaksIn(text: string): boolean {
    for (const secret of this.#confidential) if (text.includes(secret)) return true;
    const { tokens } = this.#c2ms;
    for (let index = Math.max(0, tokens.length - tokensLookedFor); index < tokens.length; index += 1) {
      if (text.includes(tokens[index]?.accessToken ?? "\0")) return true;
    }
    return false;
  }
}

/** All of an error that anybody could print. */
export function printable(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message}\n${error.stack}\n${error.cause === undefined ? "" : printable(error.cause)}`;
}
