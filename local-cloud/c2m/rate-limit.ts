import type { C2mKnobs } from "./knobs.ts";
import { Refusal } from "./refusal.ts";

const minute = 60_000;

/** Counts the auth calls of each source address over the minute that lies behind; refused calls don't count. */
export class RateLimit {
  readonly #calls = new Map<string, number[]>();

  /** Lets the call in, or throws the 429. */
  admit(sourceIp: string, now: number, knobs: C2mKnobs): void {
    if (now < knobs.rateLimitedUntil) throw tooMany(knobs.rateLimitedUntil, now, knobs);
    if (knobs.rateLimitPerMinute === Number.POSITIVE_INFINITY) return;
    const recent = (this.#calls.get(sourceIp) ?? []).filter((at) => at > now - minute);
    const oldest = recent[recent.length - knobs.rateLimitPerMinute];
    if (recent.length >= knobs.rateLimitPerMinute) throw tooMany((oldest ?? now) + minute, now, knobs);
    this.#calls.set(sourceIp, [...recent, now]);
  }
}

function tooMany(until: number, now: number, knobs: C2mKnobs): Refusal {
  // Whole seconds, rounded up: who comes back at the time told must be let in.
  const seconds = Math.ceil((until - now) / 1000);
  const date = new Date(Math.ceil(until / 1000) * 1000).toUTCString();
  const retryAfter = { none: undefined, seconds: String(seconds), date }[knobs.retryAfter];
  const message = `Rate limit exceeded, retry after ${seconds} seconds`;
  return new Refusal(429, "rate_limited", message, retryAfter === undefined ? {} : { "retry-after": retryAfter });
}
