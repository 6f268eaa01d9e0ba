import fc from "fast-check";
import { expect, it } from "vitest";
import { createTokenSource, type LongTermToken, type TokenSource } from "../../client/index.ts";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { awsError, minute, SecretUnderTest, secretId, settled } from "./secret-under-test.ts";

const maxAgeMs = 5 * minute;
const minReadIntervalMs = 1_000;
const longestBackOffMs = minute;

type Event =
  | { kind: "wait"; ms: number }
  | { kind: "rotate"; lifetimeMs: number }
  | { kind: "down" }
  | { kind: "up" }
  | { kind: "get"; callers: number }
  | { kind: "reject"; callers: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("wait" as const), ms: fc.oneof(fc.nat(2_000), fc.nat(10 * minute)) }),
  fc.record({
    kind: fc.constant("rotate" as const),
    lifetimeMs: fc.oneof(fc.integer({ min: 1, max: 10 * minute }), fc.constant(600 * minute)),
  }),
  fc.constant({ kind: "down" as const }),
  fc.constant({ kind: "up" as const }),
  fc.record({ kind: fc.constant("get" as const), callers: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant("reject" as const), callers: fc.integer({ min: 1, max: 5 }) }),
);

interface Stored {
  token: string;
  expiresAt: number;
  /** Epoch ms; undefined while it is the secret's value. */
  supersededAt: number | undefined;
}

/** A source on a secret, with a record of what the secret held and when it could be read. */
class World {
  readonly clock = new VirtualClock();
  readonly secret = new SecretUnderTest(this.clock, "token-0");
  readonly stored: Stored[] = [];
  /** The last time at which the secret could not be read, or held an expired token. */
  lastTroubleAt = Number.NEGATIVE_INFINITY;
  last: LongTermToken | undefined;
  readonly tokens: TokenSource;

  constructor(random: number) {
    const { clock, secret } = this;
    this.rotate(60 * minute);
    this.tokens = createTokenSource({
      secretId,
      secretsManager: secret,
      clock,
      random: () => random,
      maxAgeMs,
      minReadIntervalMs,
    });
  }

  async happen(event: Event): Promise<void> {
    this.noteTrouble();
    if (event.kind === "wait") await this.clock.advanceBy(event.ms);
    if (event.kind === "down") this.secret.failure = awsError("ServiceUnavailable");
    if (event.kind === "up") this.secret.failure = undefined;
    if (event.kind === "rotate") this.rotate(event.lifetimeMs);
    if (event.kind === "get") await this.ask(event.callers, undefined);
    if (event.kind === "reject") await this.ask(event.callers, this.last);
    this.noteTrouble();
    await settled();
  }

  rotate(lifetimeMs: number): void {
    const now = this.clock.now();
    const current = this.stored.at(-1);
    if (current) current.supersededAt = now;
    const token = `token-${this.stored.length}`;
    this.secret.store(token, lifetimeMs);
    this.stored.push({ token, expiresAt: now + lifetimeMs, supersededAt: undefined });
  }

  noteTrouble(): void {
    const { clock, secret, stored } = this;
    const isExpired = clock.now() >= (stored.at(-1)?.expiresAt ?? 0);
    if (secret.failure || isExpired) this.lastTroubleAt = clock.now();
  }

  async ask(callers: number, rejected: LongTermToken | undefined): Promise<void> {
    const ask = () => this.tokens.getLongTermToken(rejected ? { rejected } : {});
    const answers = await Promise.allSettled(Array.from({ length: callers }, ask));
    // They may have waited for the floor between two reads.
    this.noteTrouble();
    for (const answer of answers) {
      if (answer.status === "fulfilled") this.checkToken(answer.value, rejected);
      else this.checkRefusal(rejected);
    }
  }

  checkToken(token: LongTermToken, rejected: LongTermToken | undefined): void {
    this.last = token;
    const now = this.clock.now();
    const text = token.accessToken.reveal();
    const stored = this.stored.find((one) => one.token === text);
    expect(text, "the rejected token").not.toBe(rejected?.accessToken.reveal());
    expect(now, "an expired token").toBeLessThan(stored?.expiresAt ?? 0);
    // While nothing newer can be read, and for the back-off afterwards, an old one has to do.
    const since = Math.max(stored?.supersededAt ?? now, this.lastTroubleAt);
    expect(now - since, "a token that was read too long ago").toBeLessThan(maxAgeMs);
  }

  checkRefusal(rejected: LongTermToken | undefined): void {
    const isStillThere = rejected?.accessToken.reveal() === this.stored.at(-1)?.token;
    const isTroubled = this.clock.now() - this.lastTroubleAt <= longestBackOffMs;
    // A refusal for a rejected token is remembered for the back-off, too: it may have been replaced since.
    expect(isStillThere || isTroubled || rejected !== undefined, "a refusal without a reason").toBe(true);
  }
}

it("in any order of rotations, outages and rejections, no token is handed out that is expired, rejected or too old", async () => {
  const schedule = fc.array(event, { maxLength: 40 });
  const random = fc.double({ min: 0, max: 0.99, noNaN: true });
  await fc.assert(
    fc.asyncProperty(schedule, random, async (events, random) => {
      const world = new World(random);
      for (const one of events) await world.happen(one);
      const { reads } = world.secret;
      const gaps = reads.slice(1).map((at, index) => at - (reads[index] ?? 0));
      expect(Math.min(...gaps, minReadIntervalMs), "the time between two reads").toBe(minReadIntervalMs);
    }),
    { numRuns: 500 },
  );
});
