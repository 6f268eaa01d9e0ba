import { inspect } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import { createTokenSource, type TokenSource } from "../../client/index.ts";
import { startLocalC2m } from "../../local-cloud/test/c2m/local-c2m.ts";
import { awsError, minute, SecretUnderTest, secretId, settled } from "./secret-under-test.ts";

let c2m: Awaited<ReturnType<typeof startLocalC2m>>;
let secret: SecretUnderTest;
let problems: unknown[];
let tokens: TokenSource;

beforeEach(async () => {
  c2m = await startLocalC2m();
  secret = new SecretUnderTest(c2m.clock);
  secret.store(await longToken());
  problems = [];
  tokens = createTokenSource({
    secretId,
    secretsManager: secret,
    baseUrl: c2m.url,
    clock: c2m.clock,
    random: () => 0,
    onRefreshError: (error) => problems.push(error),
  });
});

async function longToken(): Promise<string> {
  return String((await c2m.issue()).json.access_token);
}

/** The long-term token's id at C2M. */
function longId(): string {
  return c2m.engine.tokens.filter(({ kind }) => kind === "long").at(-1)?.id ?? "";
}

async function revoke(tokenId: string): Promise<void> {
  await c2m.revoke(tokenId, await longToken());
}

function exchanges(): number {
  return c2m.calls.calls.filter(({ operation }) => operation === "issueShortTermToken").length;
}

/** Waits for a refresh in the background, which is real HTTP. */
async function quiet(before: number): Promise<void> {
  while (exchanges() === before) await settled();
  while ((await tokens.getShortTermToken()).tokenId === undefined) await settled();
  for (let turn = 0; turn < 20; turn += 1) await settled();
}

async function text(request?: Parameters<TokenSource["getShortTermToken"]>[0]): Promise<string> {
  return (await tokens.getShortTermToken(request)).accessToken.reveal();
}

describe("the short-term token", () => {
  it("is made from the long-term one at C2M, with its id, scopes and end", async () => {
    const token = await tokens.getShortTermToken();
    const issued = c2m.engine.byAccessToken(token.accessToken.reveal());
    expect(issued).toMatchObject({ kind: "short", parent: longId() });
    expect(token).toMatchObject({ tokenId: issued?.id, scopes: issued?.scopes, expiresAt: issued?.expiresAt });
  });

  it("can be narrowed; each set of scopes has its own, in any order", async () => {
    const narrow = await tokens.getShortTermToken({ scopes: ["jobs:submit", "jobs:read"] });
    expect(narrow.scopes).toEqual(["jobs:submit", "jobs:read"]);
    expect(await text({ scopes: ["jobs:read", "jobs:submit"] })).toBe(narrow.accessToken.reveal());
    expect(await text()).not.toBe(narrow.accessToken.reveal());
    expect(exchanges()).toBe(2);
  });

  it("is made once for 200 callers at the same time, from one read", async () => {
    const all = await Promise.all(Array.from({ length: 200 }, () => text()));
    expect(new Set(all).size).toBe(1);
    expect([exchanges(), secret.reads.length]).toEqual([1, 1]);
  });

  it("serves until a minute before its end, and then is replaced in the background", async () => {
    const first = await text();
    await c2m.clock.advanceBy(14 * minute - 1);
    expect(await text()).toBe(first);
    await settled();
    expect(exchanges()).toBe(1);
    await c2m.clock.advanceBy(1);
    expect(await text()).toBe(first);
    await quiet(1);
    expect(await text()).not.toBe(first);
    expect(exchanges()).toBe(2);
  });

  it("is not used in its last seconds: callers wait for the next", async () => {
    const first = await text();
    await c2m.clock.advanceBy(15 * minute - 5_000);
    expect(await text()).not.toBe(first);
  });

  it("that lives for seconds only is used for most of them", async () => {
    c2m.engine.knobs.shortTokenSeconds = 10;
    const first = await text();
    await c2m.clock.advanceBy(7_900);
    expect(await text()).toBe(first);
    await c2m.clock.advanceBy(2_000);
    expect(await text()).not.toBe(first);
  });
});

describe("when the long-term token is dead", () => {
  it("the secret is read at once, and its new token exchanged", async () => {
    await tokens.getLongTermToken();
    const old = longId();
    secret.store(await longToken());
    await revoke(old);
    await c2m.clock.advanceBy(2_000);
    const token = await tokens.getShortTermToken();
    expect(c2m.engine.isAccepted(token.tokenId ?? "")).toBe(true);
    expect(secret.reads).toHaveLength(2);
  });

  it("and the secret holds no other, callers are told; C2M and Secrets Manager are left alone", async () => {
    await revoke(longId());
    for (let at = 0; at < 600; at += 1) {
      await expect(tokens.getShortTermToken()).rejects.toMatchObject({ code: "rejected" });
      await c2m.clock.advanceBy(100);
    }
    expect(exchanges()).toBeLessThan(10);
    expect(secret.reads.length).toBeLessThan(10);
  });
});

describe("a short-term token that C2M rejected", () => {
  it("is replaced at once by one of the new long-term token, for all callers together", async () => {
    c2m.engine.knobs.revocationEndsShortTokens = true;
    const rejected = await tokens.getShortTermToken();
    const old = longId();
    secret.store(await longToken());
    await revoke(old);
    await c2m.clock.advanceBy(2_000);
    const all = await Promise.all(Array.from({ length: 200 }, () => tokens.getShortTermToken({ rejected })));
    expect(new Set(all.map(({ tokenId }) => tokenId)).size).toBe(1);
    expect(c2m.engine.isAccepted(all[0]?.tokenId ?? "")).toBe(true);
    expect([exchanges(), secret.reads.length]).toEqual([2, 2]);
  });

  it("is not replaced by what a refresh under way makes of the old long-term token", async () => {
    c2m.engine.knobs.revocationEndsShortTokens = true;
    const rejected = await tokens.getShortTermToken();
    const old = longId();
    await c2m.clock.advanceBy(14 * minute);
    secret.hold();
    await tokens.getShortTermToken(); // begins the refresh, whose read of the secret is held
    await settled();
    secret.store(await longToken());
    const waiting = tokens.getShortTermToken({ rejected });
    await settled();
    secret.release();
    const token = await waiting;
    expect(c2m.engine.byId(token.tokenId ?? "")?.parent).not.toBe(old);
  });

  it("is replaced by another of the same long-term token when it was not made just now", async () => {
    const rejected = await tokens.getShortTermToken();
    await c2m.clock.advanceBy(minute);
    expect((await tokens.getShortTermToken({ rejected })).tokenId).not.toBe(rejected.tokenId);
  });

  it("every time, costs no more than six exchanges a minute", async () => {
    for (let at = 0; at < 600; at += 1) {
      const rejected = await tokens.getShortTermToken();
      await tokens.getShortTermToken({ rejected }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: "rejected" });
      });
      await c2m.clock.advanceBy(100);
    }
    expect(exchanges()).toBeLessThanOrEqual(7);
  });

  it("is replaced while Secrets Manager is down, from the long-term token in memory", async () => {
    const rejected = await tokens.getShortTermToken();
    await c2m.clock.advanceBy(minute);
    secret.failure = awsError("ServiceUnavailable");
    const token = await tokens.getShortTermToken({ rejected });
    expect(c2m.engine.isAccepted(token.tokenId ?? "")).toBe(true);
  });
});

describe("when C2M's auth API has trouble", () => {
  it("the present token serves until its end, and the app is told", async () => {
    const first = await text();
    c2m.faults.add({
      service: "c2m",
      operation: "issueShortTermToken",
      times: Number.POSITIVE_INFINITY,
      fault: { kind: "error", status: 503, code: "unavailable", message: "later" },
    });
    await c2m.clock.advanceBy(14 * minute);
    expect(await text()).toBe(first);
    while (problems.length === 0) await settled();
    expect(problems).toMatchObject([{ name: "RetryableError", code: "server_error" }]);
    const from = exchanges();
    expect(new Set(await Promise.all(Array.from({ length: 100 }, () => text())))).toEqual(new Set([first]));
    await settled();
    expect(exchanges()).toBe(from);
  });

  it("a rate limit is waited for where that takes seconds, and told where it takes longer", async () => {
    c2m.engine.knobs.retryAfter = "seconds";
    c2m.engine.knobs.rateLimitedUntil = c2m.clock.now() + 10_000;
    await text();
    c2m.engine.knobs.rateLimitedUntil = c2m.clock.now() + 60_000;
    const from = exchanges();
    for (let at = 0; at < 59; at += 1) {
      const refused = tokens.getShortTermToken({ scopes: ["jobs:read"] });
      await expect(refused).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 60_000 });
      await c2m.clock.advanceBy(1_000);
    }
    expect(exchanges() - from).toBe(1);
    await c2m.clock.advanceBy(1_000);
    await text({ scopes: ["jobs:read"] });
  });

  it("a scope that the token does not have is refused with C2M's code, without a token in it", async () => {
    const error = await tokens.getShortTermToken({ scopes: ["everything"] }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "PermanentError", code: "invalid_request" });
    for (const { accessToken } of c2m.engine.tokens) expect(inspect(error)).not.toContain(accessToken);
  });
});
