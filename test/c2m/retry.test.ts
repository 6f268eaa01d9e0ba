import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import type { HttpAnswer, HttpSend } from "../../src/c2m/http.ts";
import { TransportError } from "../../src/c2m/http.ts";
import { maxAttempts, retry } from "../../src/c2m/retry.ts";
import { PermanentError, RetryableError } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { clientUnderTest, errorOf, issued, now, type Operation, operations } from "../harness/client-under-test.ts";

/** Calls `retry` with attempts that always fail like this; returns when each was made, in ms from the start. */
async function attemptsOf(
  error: Error,
  { random = 0.5, leftMs = 10 * 60_000, minimumMs = 0 } = {},
): Promise<{ madeAt: number[]; thrown: Error }> {
  const clock = new VirtualClock(0);
  const madeAt: number[] = [];
  const attempt = async () => {
    madeAt.push(clock.now());
    throw error;
  };
  const limits = { clock, deadline: leftMs, minimumMs, maximumMs: 15_000 };
  return { thrown: await errorOf(retry(attempt, limits, () => random)), madeAt };
}

const retryable = new RetryableError("server_error", "m");

describe("the back-off", () => {
  it("doubles from 1 s up to 20 s, of which it waits a random part, for 8 attempts", async () => {
    const { madeAt, thrown } = await attemptsOf(retryable);
    const waits = madeAt.slice(1).map((time, index) => time - (madeAt[index] ?? 0));
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(madeAt).toHaveLength(maxAttempts);
    expect(thrown).toBe(retryable);
  });

  it("may be nothing at all", async () => {
    expect((await attemptsOf(retryable, { random: 0 })).madeAt).toEqual(Array(8).fill(0));
  });

  it("is at least what C2M asks for", async () => {
    const asked = new RetryableError("rate_limited", "m", { retryAfterMs: 3_000 });
    const { madeAt } = await attemptsOf(asked);
    const waits = madeAt.slice(1).map((time, index) => time - (madeAt[index] ?? 0));
    expect(waits).toEqual([3_000, 3_000, 3_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it("ends when no further attempt could be over by the deadline", async () => {
    expect((await attemptsOf(retryable, { leftMs: 1_499 })).madeAt).toEqual([0, 500]);
    expect((await attemptsOf(retryable, { leftMs: 1_500 })).madeAt).toEqual([0, 500, 1_500]);
    expect((await attemptsOf(retryable, { leftMs: 2_499, minimumMs: 1_000 })).madeAt).toEqual([0, 500]);
    expect((await attemptsOf(retryable, { leftMs: 2_500, minimumMs: 1_000 })).madeAt).toEqual([0, 500, 1_500]);
  });

  it.each([new PermanentError("forbidden", "m"), new RetryableError("no_time", "m"), new TypeError("m")])(
    "is not for %s",
    async (error) => {
      const { madeAt, thrown } = await attemptsOf(error);
      expect(madeAt).toEqual([0]);
      expect(thrown).toBe(error);
    },
  );

  it("ends with the first success", async () => {
    let made = 0;
    const attempt = async () => {
      made += 1;
      if (made < 3) throw retryable;
      return made;
    };
    const limits = { clock: new VirtualClock(0), deadline: 60_000, minimumMs: 0, maximumMs: 15_000 };
    expect(await retry(attempt, limits, () => 0)).toBe(3);
  });
});

function answer(status: number, headers: Record<string, string> = {}, body: unknown = {}): HttpAnswer {
  return { status, headers, body: JSON.stringify(body), bodyFault: undefined };
}

describe("Retry-After", () => {
  const wait = async (operation: Operation, refusal: HttpAnswer) => {
    const clock = new VirtualClock(now);
    const answers = [refusal, answer(201, {}, issued)];
    const { call } = clientUnderTest("https://c2m.invalid", { clock, send: async () => answers.shift() ?? refusal });
    const start = clock.now();
    await call(operation);
    return clock.now() - start;
  };

  const cases: [string, HttpAnswer, number][] = [
    ["in seconds", answer(429, { "retry-after": "7" }), 7_000],
    ["of zero, a second later", answer(429, { "retry-after": "0" }), 1_000],
    ["as a date", answer(429, { "retry-after": "Sat, 21 Nov 2026 17:00:12 GMT" }), 12_000],
    ["as a date that is past, a second later", answer(429, { "retry-after": "Sat, 21 Nov 2026 16:00:00 GMT" }), 1_000],
    [
      "in the message, where there is no header",
      answer(429, {}, { message: "Slow down, retry after 9 seconds" }),
      9_000,
    ],
    ["of one second in the message", answer(429, {}, { message: "Retry after 1 second." }), 1_000],
    [
      "in the header before the message",
      answer(429, { "retry-after": "7" }, { message: "retry after 9 seconds" }),
      7_000,
    ],
    ["in words", answer(429, { "retry-after": "soon" }), 0],
    ["below zero", answer(429, { "retry-after": "-5" }), 0],
    ["in part of a number", answer(429, { "retry-after": "5x" }), 0],
    ["as a day that does not exist", answer(429, { "retry-after": "Sat, 99 Nov 2026 17:00:12 GMT" }), 0],
    ["as a date and more", answer(429, { "retry-after": "x Sat, 21 Nov 2026 17:00:12 GMT" }), 0],
  ];

  it.each(cases)("%s is heeded", async (_, refusal, expected) => {
    for (const operation of operations) expect(await wait(operation, refusal)).toBe(expected);
  });

  it("is heeded beside a 503", async () => {
    const refusal = answer(503, { "retry-after": "7" });
    expect(await wait("issueShortTermToken", refusal)).toBe(7_000);
    expect(await wait("revokeToken", refusal)).toBe(7_000);
  });

  it("that is past is told to the caller as a second", async () => {
    const refusal = answer(429, { "retry-after": "Sat, 21 Nov 2026 16:00:00 GMT" });
    const { call } = clientUnderTest("https://c2m.invalid", { send: async () => refusal });
    expect(await errorOf(call("issueLongTermToken"))).toMatchObject({ code: "rate_limited", retryAfterMs: 1_000 });
  });

  it("that leads past the deadline is not waited for, and told to the caller", async () => {
    const clock = new VirtualClock(now);
    const { call } = clientUnderTest("https://c2m.invalid", {
      clock,
      send: async () => answer(429, { "retry-after": "3600" }),
    });
    const error = await errorOf(call("issueLongTermToken"));
    expect(error).toMatchObject({ code: "rate_limited", retryAfterMs: 3_600_000 });
    expect(clock.now()).toBe(Date.parse(now));
  });
});

describe("a call for which too little time is left", () => {
  const token = new Sensitive("token");
  const never: HttpSend = () => Promise.reject(new Error("sent"));

  it.each([
    [9_999, 15_000, "10000"],
    [1_999, 2_000, "2000"],
    [0, 15_000, "10000"],
    [-1, 15_000, "10000"],
  ])("of %i ms (time-out %i) is no issue call", async (leftMs, requestTimeoutMs, needed) => {
    const { client, clock } = clientUnderTest("https://c2m.invalid", { send: never, requestTimeoutMs });
    const deadline = clock.now() + leftMs;
    const error = await errorOf(client.issueLongTermToken({ scopes: [], lifetimeSeconds: 3600, deadline }));
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ code: "no_time" });
    expect(error.message).toContain(`it needs ${needed} ms`);
  });

  it("of 999 ms is no other call", async () => {
    const { client, clock } = clientUnderTest("https://c2m.invalid", { send: never });
    const deadline = clock.now() + 999;
    expect(await errorOf(client.issueShortTermToken({ longToken: token, deadline }))).toMatchObject({
      code: "no_time",
    });
    expect(await errorOf(client.revokeToken({ tokenId: "t", bearer: token, deadline }))).toMatchObject({
      code: "no_time",
    });
  });
});

describe("whatever C2M and the network do", () => {
  const outcome = fc.record({
    tookMs: fc.integer({ min: 0, max: 20_000 }),
    what: fc.oneof(
      fc.record({
        status: fc.constantFrom(201, 204, 301, 400, 401, 403, 404, 408, 429, 500, 503),
        retryAfter: fc.option(fc.integer({ min: 0, max: 90 })),
      }),
      fc.constantFrom("not sent" as const, "sent" as const, "cut off" as const),
    ),
  });
  const scenario = fc.record({
    operation: fc.constantFrom(...operations),
    outcomes: fc.array(outcome, { minLength: 1, maxLength: 10 }),
  });

  it("no attempt ends after the deadline, and no issue call is repeated once a token may exist", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ operation, outcomes }) => {
        const clock = new VirtualClock(now);
        const deadline = clock.now() + 60_000;
        const mayHaveIssued: boolean[] = [];
        const send: HttpSend = async ({ timeoutMs }) => {
          const { tookMs, what } = outcomes[mayHaveIssued.length % outcomes.length] ??
            outcomes[0] ?? { tookMs: 0, what: "sent" };
          expect(clock.now() + timeoutMs).toBeLessThanOrEqual(deadline);
          const timedOut = tookMs > timeoutMs;
          await clock.sleep(Math.min(tookMs, timeoutMs));
          const sent = what !== "not sent";
          const refusedForGood =
            typeof what === "object" && !timedOut && what.status >= 300 && what.status < 500 && what.status !== 408;
          mayHaveIssued.push(sent && !refusedForGood);
          if (!sent) throw new TransportError(false, "ECONNREFUSED");
          if (timedOut || what === "sent") throw new TransportError(true, "timed_out");
          if (what === "cut off") return { status: 201, headers: {}, body: "{", bodyFault: "cut_off" };
          return answer(
            what.status,
            what.retryAfter === null ? {} : { "retry-after": String(what.retryAfter) },
            issued,
          );
        };
        await clientUnderTest("https://c2m.invalid", { clock, send })
          .call(operation)
          .catch((error: unknown) => {
            expect(error).toHaveProperty("code");
          });
        expect(clock.now()).toBeLessThanOrEqual(deadline);
        expect(mayHaveIssued.length).toBeLessThanOrEqual(maxAttempts);
        if (operation === "issueLongTermToken") expect(mayHaveIssued.slice(0, -1)).not.toContain(true);
      }),
      { numRuns: 500 },
    );
  });
});
