import { inspect } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import { createTokenSource, PermanentError, RetryableError, type TokenSource } from "../../client/index.ts";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { awsError, hour, minute, SecretUnderTest, secretId, settled } from "./secret-under-test.ts";

let clock: VirtualClock;
let secret: SecretUnderTest;
let problems: unknown[];
let tokens: TokenSource;

beforeEach(() => {
  clock = new VirtualClock();
  secret = new SecretUnderTest(clock);
  problems = [];
  tokens = source();
});

function source(options: { prefetch?: boolean; random?: number; maxAgeMs?: number; readTimeoutMs?: number } = {}) {
  const { random = 0, ...rest } = options;
  return createTokenSource({
    secretId,
    secretsManager: secret,
    clock,
    random: () => random,
    onRefreshError: (error) => problems.push(error),
    ...rest,
  });
}

async function text(request?: Parameters<TokenSource["getLongTermToken"]>[0]): Promise<string> {
  return (await tokens.getLongTermToken(request)).accessToken.reveal();
}

function down(name = "ServiceUnavailable"): void {
  secret.failure = awsError(name);
}

describe("the long-term token", () => {
  it("comes with its id, scopes, expiry and version", async () => {
    expect(await tokens.getLongTermToken()).toEqual({
      accessToken: expect.anything(),
      tokenId: "id-of-first",
      scopes: ["jobs:submit"],
      expiresAt: clock.now() + 60 * 24 * hour,
      baseUrl: "https://api.click2mail.com/v2",
      versionId: "version-1",
    });
  });

  it("is not shown by printing, JSON or interpolation", async () => {
    secret.store("the-text");
    const token = await tokens.getLongTermToken();
    const shown = `${inspect(token, { depth: 9 })} ${JSON.stringify(token)} ${token.accessToken}`;
    expect(shown.replaceAll("id-of-the-text", "")).not.toContain("the-text");
    expect(shown).toContain("[sensitive]");
  });

  it("may be the secret's whole text, without an expiry", async () => {
    secret.value = "a-plain-token";
    expect(await tokens.getLongTermToken()).toMatchObject({ expiresAt: undefined, tokenId: undefined });
    expect(await text()).toBe("a-plain-token");
  });

  it.each([
    ["JSON of something else", '{"username":"x","password":"hunter2"}'],
    ["binary", undefined],
    ["empty", ""],
  ])("is missed in a secret that holds something else: %s", async (_, value) => {
    secret.value = value;
    const error = await tokens.getLongTermToken().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ code: "not_a_token", message: expect.stringContaining(`"${secretId}"`) });
    expect(inspect(error)).not.toContain("hunter2");
  });
});

describe("memory", () => {
  it("serves for five minutes without a read", async () => {
    await text();
    await clock.advanceBy(4 * minute - 1);
    await Promise.all(Array.from({ length: 50 }, () => text()));
    expect(secret.reads).toHaveLength(1);
  });

  it.each([
    [0, 5 * minute],
    [0.5, 4.5 * minute],
    [0.999, 4.001 * minute],
  ])("is refreshed in the background from four fifths of its age on, at random (%d)", async (random, dueMs) => {
    tokens = source({ random });
    await text();
    secret.store("second");
    await clock.advanceBy(dueMs - 100);
    await text();
    await settled();
    expect(secret.reads).toHaveLength(1);
    await clock.advanceBy(200);
    if (random > 0) expect(await text()).toBe("first");
    await text();
    await settled();
    expect(secret.reads).toHaveLength(2);
    expect(await text()).toBe("second");
  });

  it("is not served beyond its age: callers wait for the read", async () => {
    await text();
    secret.store("second");
    await clock.advanceBy(5 * minute);
    expect(await text()).toBe("second");
  });

  it("counts the age from the start of a read, so that a frozen process does not take an old answer for a new one", async () => {
    secret.hold();
    const waiting = text();
    secret.store("second");
    await clock.advanceBy(4 * hour);
    secret.release();
    expect(await waiting).toBe("first");
    expect(await text()).toBe("second");
  });

  it("does not wait for a read that was frozen", async () => {
    secret.hold();
    const frozen = text();
    await clock.advanceBy(hour);
    const later = text();
    await settled();
    expect(secret.reads).toHaveLength(2);
    secret.release();
    await Promise.all([frozen, later]);
  });

  it("keeps the newer of two answers when the older comes late", async () => {
    secret.hold();
    const frozen = text();
    await clock.advanceBy(hour);
    secret.store("second");
    const later = text();
    secret.release(1);
    expect(await later).toBe("second");
    secret.release(0);
    await frozen;
    expect(await text()).toBe("second");
    expect(secret.reads).toHaveLength(2);
  });

  it("is looked at more and more often as the token's end draws near", async () => {
    secret.store("short-lived", 4 * minute);
    await text();
    for (let at = 0; at < 239; at += 1) {
      await clock.advanceBy(1_000);
      await text();
      await settled();
    }
    // 120 s, 60 s, 30 s … and then once a second.
    expect(secret.reads.length).toBeGreaterThan(6);
    expect(secret.reads.length).toBeLessThan(12);
  });
});

describe("one read", () => {
  it("leaves no timer behind that would keep a script alive", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    await text();
    expect(timers()).toBe(before);
  });

  it("serves everybody who asks at the same time", async () => {
    secret.hold();
    const waiting = Promise.all(Array.from({ length: 200 }, () => text()));
    await settled();
    secret.release();
    expect(new Set(await waiting)).toEqual(new Set(["first"]));
    expect(secret.reads).toHaveLength(1);
  });

  it("goes on for the others when one caller aborts", async () => {
    secret.hold();
    const controller = new AbortController();
    const aborted = text({ signal: controller.signal });
    const other = text();
    controller.abort(new Error("the user left"));
    await expect(aborted).rejects.toThrow("the user left");
    secret.release();
    expect(await other).toBe("first");
    expect(secret.signals[0]?.aborted).toBe(false);
  });

  it("is not begun for a caller who has aborted", async () => {
    await expect(text({ signal: AbortSignal.abort(new Error("too late")) })).rejects.toThrow("too late");
    expect(secret.reads).toEqual([]);
  });

  it("that takes too long is aborted", async () => {
    tokens = source({ readTimeoutMs: 5 });
    secret.hold();
    await expect(text()).rejects.toThrow(/can't be read. .*\(TimeoutError\)/);
    expect(secret.signals[0]?.aborted).toBe(true);
    secret.release();
  });

  it("is begun at once with prefetch, and its failure shows at the first call", async () => {
    tokens = source({ prefetch: true });
    expect(secret.reads).toHaveLength(1);
    expect(await text()).toBe("first");
    down("AccessDeniedException");
    tokens = source({ prefetch: true });
    await settled();
    await expect(text()).rejects.toMatchObject({ code: "secret_denied" });
    expect(secret.reads).toHaveLength(2);
  });
});

describe("while Secrets Manager is down", () => {
  it("the last good token serves until its expiry, and the app is told", async () => {
    secret.store("first", 3 * hour);
    await text();
    down();
    for (let at = 0; at < 179; at += 1) {
      await clock.advanceBy(minute);
      expect(await text()).toBe("first");
      await settled();
    }
    expect(problems.length).toBeGreaterThan(100);
    expect(problems[0]).toBeInstanceOf(RetryableError);
    await clock.advanceBy(minute);
    await clock.advanceBy(minute);
    await expect(text()).rejects.toMatchObject({ code: "secret_unavailable" });
  });

  it("reads become rare: 1, 2, 4 seconds and so on up to a minute apart", async () => {
    await text();
    down();
    await clock.advanceBy(5 * minute);
    const from = secret.reads.length;
    for (let at = 0; at < 600; at += 1) {
      await text();
      await settled();
      await clock.advanceBy(1_000);
    }
    const gaps = secret.reads.slice(from).map((at, index, all) => (at - (all[index - 1] ?? at)) / 1_000);
    expect(gaps.slice(1, 8)).toEqual([1, 2, 4, 8, 16, 32, 60]);
  });

  it("callers don't wait for the reads that are tried meanwhile", async () => {
    await text();
    down();
    await clock.advanceBy(6 * minute);
    await text();
    await clock.advanceBy(minute);
    secret.hold();
    expect(await text()).toBe("first");
    expect(secret.reads).toHaveLength(3);
    secret.release();
  });

  it("there is a second between two reads, jitter or not", async () => {
    tokens = source({ random: 0.9 });
    await text();
    down();
    await clock.advanceBy(6 * minute);
    await text();
    await clock.advanceBy(700);
    await text();
    await settled();
    expect(secret.reads).toHaveLength(2);
  });

  it("a second outage begins with a second again", async () => {
    for (let outage = 0; outage < 2; outage += 1) {
      secret.failure = undefined;
      await text();
      await clock.advanceBy(5 * minute);
      await text();
      down();
      await clock.advanceBy(5 * minute);
      for (let at = 0; at < 20; at += 1) {
        await text();
        await settled();
        await clock.advanceBy(1_000);
      }
      const last = secret.reads.slice(-5).map((at, index, all) => (at - (all[index - 1] ?? at)) / 1_000);
      expect(last.slice(1)).toEqual([1, 2, 4, 8]);
    }
  });

  it("the next token is found when it is back", async () => {
    await text();
    down();
    await clock.advanceBy(6 * minute);
    await text();
    secret.failure = undefined;
    secret.store("second");
    await clock.advanceBy(minute);
    await text();
    await settled();
    expect(await text()).toBe("second");
  });

  it("callers without a token get the reason, and no more than one read a second", async () => {
    down("InternalServiceError");
    for (let at = 0; at < 100; at += 1) {
      await expect(text()).rejects.toMatchObject({ name: "RetryableError", code: "secret_unavailable" });
      await clock.advanceBy(10);
    }
    expect(secret.reads).toHaveLength(1);
    await clock.advanceBy(minute);
    secret.failure = undefined;
    expect(await text()).toBe("first");
  });

  it.each([
    ["AccessDeniedException", "secret_denied", /kms:Decrypt/],
    ["DecryptionFailure", "secret_denied", /key/],
    ["ResourceNotFoundException", "secret_not_found", /region/],
    ["InvalidRequestException", "secret_not_found", /deletion/],
  ])("%s is permanent and says what to do, without AWS's own text", async (name, code, remedy) => {
    down(name);
    const error = await tokens.getLongTermToken().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "PermanentError", code, message: expect.stringMatching(remedy) });
    expect(inspect(error)).not.toContain("text of AWS's");
  });
});

describe("a token that C2M rejected", () => {
  it("is replaced by a read at once, one for all", async () => {
    const rejected = await tokens.getLongTermToken();
    await clock.advanceBy(2_000);
    secret.store("second");
    const all = await Promise.all(Array.from({ length: 200 }, () => text({ rejected })));
    expect(new Set(all)).toEqual(new Set(["second"]));
    expect(secret.reads).toHaveLength(2);
  });

  it("needs no read where another token is known already", async () => {
    const rejected = await tokens.getLongTermToken();
    await clock.advanceBy(5 * minute);
    secret.store("second");
    await text();
    expect(await text({ rejected })).toBe("second");
    expect(secret.reads).toHaveLength(2);
  });

  it("is not read anew within a second of the last read: the caller waits", async () => {
    const rejected = await tokens.getLongTermToken();
    secret.store("second");
    await clock.advanceBy(300);
    expect(await text({ rejected })).toBe("second");
    expect((secret.reads[1] ?? 0) - (secret.reads[0] ?? 0)).toBe(1_000);
  });

  it("is not taken from a read that was under way before", async () => {
    const rejected = await tokens.getLongTermToken();
    await clock.advanceBy(5 * minute);
    secret.hold();
    const older = text();
    await settled();
    secret.store("second");
    const newer = text({ rejected });
    await settled();
    secret.release();
    expect(await older).toBe("first");
    expect(await newer).toBe("second");
    expect(secret.reads).toHaveLength(3);
  });

  it("and is in the secret still, is told as such; reads become rare", async () => {
    const rejected = await tokens.getLongTermToken();
    for (let at = 0; at < 600; at += 1) {
      await clock.advanceBy(1_000);
      await expect(text({ rejected })).rejects.toMatchObject({ name: "PermanentError", code: "rejected" });
    }
    expect(secret.reads.length).toBeLessThan(20);
    expect(await text()).toBe("first");
    secret.store("second");
    await clock.advanceBy(minute);
    expect(await text({ rejected })).toBe("second");
  });

  it("is never handed out because Secrets Manager is down", async () => {
    const rejected = await tokens.getLongTermToken();
    await clock.advanceBy(2_000);
    down();
    await expect(text({ rejected })).rejects.toMatchObject({ code: "secret_unavailable" });
    expect(await text()).toBe("first");
  });
});

describe("an expired token", () => {
  it("is refused, with its id and when it ended", async () => {
    secret.store("old", -minute);
    await expect(text()).rejects.toMatchObject({
      code: "expired",
      message: expect.stringContaining("id-of-old) expired at 2025-12-31T23:59:00.000Z"),
    });
  });

  it("is not served from memory, however lately it was read", async () => {
    secret.store("short-lived", 2 * minute);
    await text();
    secret.store("second");
    await clock.advanceBy(2 * minute);
    expect(await text()).toBe("second");
  });

  it("does not replace one that is good", async () => {
    await text();
    secret.store("old", -minute);
    await clock.advanceBy(5 * minute);
    expect(await text()).toBe("first");
    expect(problems).toMatchObject([{ code: "expired" }]);
  });
});

describe("a closed source", () => {
  it("throws, and leaves the SDK client to its owner", async () => {
    tokens.close();
    await expect(text()).rejects.toMatchObject({ code: "closed" });
    await expect(tokens.getShortTermToken()).rejects.toMatchObject({ code: "closed" });
  });
});

describe("options", () => {
  it.each([
    [{ secretId: "" }, /secretId must be/],
    [{ secretId, maxAgeMs: 0 }, /maxAgeMs must be a positive number of milliseconds/],
    [{ secretId, maxAgeMs: Number.NaN }, /maxAgeMs/],
    [{ secretId, minReadIntervalMs: -1 }, /minReadIntervalMs/],
    [{ secretId, readTimeoutMs: Number.POSITIVE_INFINITY }, /readTimeoutMs/],
    [{ secretId, baseUrl: "http://api.click2mail.com/v2" }, /https/],
    [{ secretId, baseUrl: "https://api.click2mail.com/v2/auth" }, /before "\/auth"/],
  ])("%j is refused at once", (options, message) => {
    expect(() => createTokenSource(options)).toThrow(message);
  });

  it("default to C2M's production API", () => {
    expect(tokens.baseUrl).toBe("https://api.click2mail.com/v2");
  });
});
