import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Clock,
  createC2mFetch,
  createTokenSource,
  PermanentError,
  RetryableError,
  type TokenSource,
  type TokenSourceOptions,
} from "../../client/index.ts";
import { startLocalC2m } from "../../local-cloud/test/c2m/local-c2m.ts";
import { json } from "../harness/client-under-test.ts";
import { startScriptedServer } from "../harness/scripted-server.ts";
import { hour, minute, SecretUnderTest, secretId } from "./secret-under-test.ts";

let c2m: Awaited<ReturnType<typeof startLocalC2m>>;
let secret: SecretUnderTest;

beforeEach(async () => {
  c2m = await startLocalC2m({ rateLimitPerMinute: Number.POSITIVE_INFINITY });
  secret = new SecretUnderTest(c2m.clock);
  secret.store(String((await c2m.issue()).json.access_token));
});

function source(options: Partial<TokenSourceOptions> = {}): TokenSource {
  const { clock, url: baseUrl } = c2m;
  return createTokenSource({ secretId, secretsManager: secret, baseUrl, clock, random: () => 0, ...options });
}

/** Its tokens are used at another API. */
function at(baseUrl: string): TokenSource {
  const tokens = source();
  return {
    ...tokens,
    baseUrl,
    getShortTermToken: async (request) => ({ ...(await tokens.getShortTermToken(request)), baseUrl }),
  };
}

const address = { firstName: "A", lastName: "L", address1: "1", city: "A", state: "VA", zip: "22201", country: "US" };
const letter = { docSourceAll: 1, recipientAddressSource: { singleAddress: address } };
const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(letter) };

function calls(operation: string): number {
  return c2m.calls.calls.filter((call) => call.operation === operation).length;
}

describe("a clock that is wrong", () => {
  it.each([-30, -21, -16, -10, 10, 21, 300])("C2M's is %d minutes ahead: one exchange serves all", async (minutes) => {
    c2m.engine.knobs.clockAheadMs = minutes * minute;
    secret.store(String((await c2m.issue()).json.access_token));
    const send = createC2mFetch(source(), { clock: c2m.clock });
    for (let sent = 0; sent < 30; sent += 1) expect((await send("/static", post)).status).toBe(200);
    expect(calls("issueShortTermToken")).toBe(1);
    await c2m.clock.advanceBy(14.5 * minute);
    expect((await send("/static", post)).status).toBe(200);
  });

  /** A machine's clock that can be set, and what was waited on it. */
  function settable() {
    let setByMs = 0;
    const waits: number[] = [];
    const clock: Clock = {
      now: () => c2m.clock.now() + setByMs,
      monotonic: () => c2m.clock.now(),
      async sleep(ms) {
        waits.push(ms);
        await c2m.clock.sleep(ms);
      },
    };
    const set = (ms: number) => {
      setByMs += ms;
    };
    return { clock, waits, set };
  }

  it.each([
    ["an hour back", -hour],
    ["40 days back", -40 * 24 * hour],
    ["an hour ahead", hour],
  ])("set %s, a 401 is answered by the next token, and nobody waits for longer than a second", async (_, byMs) => {
    const { clock, waits, set } = settable();
    const tokens = source({ clock });
    const rejected = await tokens.getLongTermToken();
    set(byMs);
    secret.store("second");
    expect((await tokens.getLongTermToken({ rejected })).accessToken.reveal()).toBe("second");
    expect(waits.reduce((total, ms) => total + ms, 0)).toBeLessThanOrEqual(1_000);
  });

  it("set back, nothing in memory is younger for it, and a failing read is tried neither for ever nor never again", async () => {
    const { clock, set } = settable();
    const tokens = source({ clock });
    await tokens.getLongTermToken();
    set(-40 * 24 * hour);
    secret.store("second");
    await c2m.clock.advanceBy(5 * minute);
    expect((await tokens.getLongTermToken()).accessToken.reveal()).toBe("second");
    secret.failure = new Error("down");
    await c2m.clock.advanceBy(6 * minute);
    const before = secret.reads.length;
    set(-hour);
    for (let asked = 0; asked < 60; asked += 1) {
      await tokens.getLongTermToken();
      await c2m.clock.advanceBy(1_000);
    }
    expect(secret.reads.length - before).toBeGreaterThan(3);
    expect(secret.reads.length - before).toBeLessThan(10);
  });

  it("a frozen guest may count no monotonic time: the wall's says that what it has is old", async () => {
    const still: Clock = { now: () => c2m.clock.now(), monotonic: () => 0, sleep: (ms) => c2m.clock.sleep(ms) };
    const tokens = source({ clock: still });
    await tokens.getLongTermToken();
    secret.store("second");
    await c2m.clock.advanceBy(hour);
    expect((await tokens.getLongTermToken()).accessToken.reveal()).toBe("second");
  });
});

describe("a token that C2M does not know yet", () => {
  it.each([300, 1_400])("a short one, for %d ms: the app sees no 401", async (ms) => {
    c2m.engine.knobs.shortActivationDelayMs = ms;
    const send = createC2mFetch(source(), { clock: c2m.clock });
    expect((await send("/static", post)).status).toBe(200);
    expect(calls("submitStatic")).toBe(2);
    expect(c2m.engine.jobs.all).toHaveLength(1);
  });

  it("neither does it after a revocation that took the one before along", async () => {
    c2m.engine.knobs.revocationEndsShortTokens = true;
    const send = createC2mFetch(source(), { clock: c2m.clock });
    await send("/static", post);
    const old = c2m.engine.tokens.find(({ kind }) => kind === "long");
    const next = String((await c2m.issue()).json.access_token);
    secret.store(next);
    await c2m.revoke(old?.id, next);
    c2m.engine.knobs.shortActivationDelayMs = 300;
    await c2m.clock.advanceBy(minute);
    expect((await send("/static", post)).status).toBe(200);
  });

  it.each(["invalid_token", "Unauthorized"])("a single 401 (%s) on the exchange is nothing", async (code) => {
    const fault = { kind: "error", status: 401, code, message: "no" } as const;
    c2m.faults.add({ service: "c2m", operation: "issueShortTermToken", fault });
    await source().getShortTermToken();
    expect(calls("issueShortTermToken")).toBe(2);
  });

  it("a 401 that says that no token arrived is the answer: another one would not arrive either", async () => {
    const server = await startScriptedServer();
    server.script(json(401, { errorType: "AUTH", errorCode: "MISSING_AUTH_HEADER", errorMessage: "no" }));
    const answer = await createC2mFetch(at(server.url), { clock: c2m.clock })("/static", post);
    expect(await answer.json()).toMatchObject({ errorCode: "MISSING_AUTH_HEADER" });
    expect([server.requests.length, secret.reads.length]).toEqual([1, 1]);
    await server.close();
  });
});

describe("the secret", () => {
  it("may hold its value as bytes, as the rotator reads it, too", async () => {
    const SecretBinary = new TextEncoder().encode(secret.value);
    const tokens = source({ secretsManager: { send: async () => ({ $metadata: {}, SecretBinary, VersionId: "v" }) } });
    expect(await tokens.getLongTermToken()).toMatchObject({ tokenId: expect.stringContaining("id-of-") });
  });

  const failing = (error: Error) =>
    source({ secretsManager: { send: () => Promise.reject(error) } }).getLongTermToken();
  const named = (name: string, fields: object) => Object.assign(new Error("text of AWS's"), { name, ...fields });
  const aws = { $metadata: {} };

  it.each([
    ["an unknown host", named("Error", { code: "ENOTFOUND" }), RetryableError, "secret_unavailable", "ENOTFOUND"],
    ["a refusal", named("Error", { code: "ECONNREFUSED" }), RetryableError, "secret_unavailable", "ECONNREFUSED"],
    [
      "a certificate",
      named("Error", { code: "SELF_SIGNED_CERT_IN_CHAIN" }),
      PermanentError,
      "secret_unavailable",
      "CA",
    ],
    ["an expired session", named("ExpiredTokenException", aws), PermanentError, "secret_denied", "has expired"],
    ["no credentials", named("CredentialsProviderError", {}), PermanentError, "secret_denied", "AWS_PROFILE"],
    ["throttling", named("ThrottlingException", aws), RetryableError, "secret_unavailable", "Try again later"],
  ])("that can't be read for %s says so, and whether to try again", async (_, error, type, code, words) => {
    const thrown = await failing(error).catch((one: unknown) => one);
    expect(thrown).toBeInstanceOf(type);
    expect(thrown).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(String(thrown)).not.toContain("text of AWS's");
  });
});

describe("scopes", () => {
  it("left out, and each list, have tokens of their own", async () => {
    const tokens = source();
    const all = await tokens.getShortTermToken();
    const one = await tokens.getShortTermToken({ scopes: ["jobs:submit"] });
    const two = await tokens.getShortTermToken({ scopes: ["jobs:submit", "jobs:read"] });
    expect(new Set([all, one, two].map(({ tokenId }) => tokenId)).size).toBe(3);
  });

  it.each([[[]], [[""]], [["jobs:submit jobs:read"]], [["jobs:submit", "a\tb"]], ["jobs:submit"]])(
    "%j are refused before anything is read or sent",
    async (given) => {
      const tokens = source();
      const scopes = given as string[];
      const refused = { name: "PermanentError", code: "invalid_option" };
      await expect(tokens.getShortTermToken({ scopes })).rejects.toMatchObject(refused);
      expect(() => createC2mFetch(tokens, { scopes })).toThrow(expect.objectContaining(refused));
      expect(secret.reads).toEqual([]);
    },
  );
});

describe("a token of another C2M", () => {
  const move = (baseUrl: string) => {
    secret.value = JSON.stringify({ ...JSON.parse(secret.value ?? ""), base_url: baseUrl });
  };

  it("is not sent to the client's", async () => {
    move("https://other.example/v2");
    for (const token of ["short-term", "long-term"] as const) {
      const send = createC2mFetch(source(), { token, clock: c2m.clock });
      await expect(send("/static", post)).rejects.toMatchObject({ name: "PermanentError", code: "other_c2m" });
    }
    expect(calls("issueShortTermToken") + calls("submitStatic")).toBe(0);
  });

  it("is the client's where the base URL is only written in another way", async () => {
    move(`${c2m.url.replace("http://", "HTTP://")}//`);
    expect((await createC2mFetch(source(), { clock: c2m.clock })("/static", post)).status).toBe(200);
  });

  it.each(["short-term", "long-term"] as const)("is followed where the client is told to (%s)", async (token) => {
    move(c2m.url);
    const tokens = source({ baseUrl: "https://before.example/v2", followBaseUrl: true });
    const send = createC2mFetch(tokens, { token, clock: c2m.clock });
    expect((await send("/static", post)).status).toBe(200);
    expect((await send(`${c2m.url}/static`, post)).status).toBe(200);
    await expect(send("https://before.example/v2/static", post)).rejects.toMatchObject({ code: "other_origin" });
  });

  it.each(["http://c2m.example/v2", "https://user:hunter2@c2m.example", "c2m"])(
    "is not followed to %s",
    async (baseUrl) => {
      move(baseUrl);
      const error = await source({ followBaseUrl: true })
        .getLongTermToken()
        .catch((one: unknown) => one);
      expect(error).toMatchObject({ name: "PermanentError", code: "invalid_base_url" });
      expect(String(error)).not.toContain("hunter2");
    },
  );
});

describe("a connection", () => {
  it("that is refused is tried again, for a POST too, and told when that does not help", async () => {
    const server = await startScriptedServer();
    await server.close();
    const from = c2m.clock.now();
    const send = createC2mFetch(at(server.url), { clock: c2m.clock, random: () => 0 });
    await expect(send("/static", post)).rejects.toMatchObject({
      name: "RetryableError",
      code: "unreachable",
      message: expect.stringMatching(/nothing was sent.*ECONNREFUSED/),
    });
    expect(c2m.clock.now() - from).toBe(7_000);
  });

  it.each(["reset", "garbage"] as const)(
    "that ends without an answer (%s): a POST is never repeated",
    async (script) => {
      const server = await startScriptedServer();
      server.script(script);
      const send = createC2mFetch(at(server.url), { clock: c2m.clock });
      await expect(send("/static", post)).rejects.toMatchObject({ name: "AmbiguousError", code: "no_answer" });
      await expect(send("/static")).rejects.toMatchObject({ name: "RetryableError", code: "no_answer" });
      expect(server.requests).toHaveLength(2);
      await server.close();
    },
  );
});

it("close ends calls that are under way while C2M is down, and leaves nothing that keeps the process alive", async () => {
  const app = spawn(process.execPath, [resolve(import.meta.dirname, "closing-app.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = await Promise.all([text(app.stdout), once(app, "exit")]);
  expect(JSON.parse(output)).toEqual({ waiting: ["closed", "closed", "closed"], alive: [] });
});
