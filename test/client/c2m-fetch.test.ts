import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type C2mFetchOptions,
  createC2mFetch,
  PermanentError,
  type ShortTermToken,
  type TokenSource,
} from "../../client/index.ts";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { json } from "../harness/client-under-test.ts";
import { type ScriptedServer, startScriptedServer } from "../harness/scripted-server.ts";
import { settled } from "./secret-under-test.ts";

const unauthorized = json(401, { code: "invalid_token", message: "no" });
const fine = json(200, { fine: true });

let server: ScriptedServer;
let clock: VirtualClock;
let tokens: SourceUnderTest;

beforeEach(async () => {
  server = await startScriptedServer();
  clock = new VirtualClock();
  tokens = new SourceUnderTest(`${server.url}/v2`);
});
afterEach(() => server.close());

/** Hands out token-1, and after its rejection token-2, and so on. */
class SourceUnderTest implements TokenSource {
  readonly baseUrl: string;
  readonly asked: object[] = [];
  failure: Error | undefined;
  #number = 1;

  constructor(baseUrl: string) {
    this.baseUrl = baseUrl;
  }

  async getShortTermToken(request: { rejected?: unknown } = {}): Promise<ShortTermToken> {
    this.asked.push(request);
    if (request.rejected) {
      if (this.failure) throw this.failure;
      this.#number += 1;
    }
    const accessToken = new Sensitive(`token-${this.#number}`);
    return { accessToken, tokenId: undefined, scopes: undefined, expiresAt: 0 };
  }

  async getLongTermToken() {
    return { ...(await this.getShortTermToken()), accessToken: new Sensitive("long"), versionId: undefined };
  }

  close(): void {}
}

function c2mFetch(options: C2mFetchOptions = {}) {
  return createC2mFetch(tokens, { clock, ...options });
}

function sentTokens(): (string | undefined)[] {
  return server.requests.map(({ headers }) => headers.authorization);
}

describe("c2mFetch", () => {
  it("sends the request with a short-term token", async () => {
    server.script(fine);
    const answer = await c2mFetch()("/jobs?x=1", { method: "POST", body: "a job", headers: { "X-Mine": "1" } });
    expect(await answer.json()).toEqual({ fine: true });
    expect(server.requests).toMatchObject([
      {
        method: "POST",
        path: "/v2/jobs?x=1",
        body: "a job",
        headers: { authorization: "Bearer token-1", "x-mine": "1" },
      },
    ]);
  });

  it("asks for the scopes it is given, or for the long-term token", async () => {
    server.script(fine);
    await c2mFetch({ scopes: ["jobs:submit"] })("/jobs");
    expect(tokens.asked).toEqual([{ scopes: ["jobs:submit"] }]);
    await c2mFetch({ token: "long-term" })("/jobs");
    expect(sentTokens()).toEqual(["Bearer token-1", "Bearer long"]);
  });

  it.each([
    ["a text", () => `${server.url}/v2/jobs`],
    ["a URL", () => new URL(`${server.url}/v2/jobs`)],
    ["a Request", () => new Request(`${server.url}/v2/jobs`)],
    ["a path", () => "/jobs"],
  ])("takes %s", async (_, input) => {
    server.script(fine);
    expect((await c2mFetch()(input())).status).toBe(200);
    expect(server.requests).toMatchObject([{ method: "GET", path: "/v2/jobs" }]);
  });

  it("takes a Request's method, headers and body, and init before them, as fetch does", async () => {
    server.script(fine);
    const request = new Request(`${server.url}/v2/jobs`, {
      method: "PUT",
      body: "from the request",
      headers: { "content-type": "text/x", authorization: "Bearer stale" },
    });
    await c2mFetch()(request, { method: "POST" });
    expect(server.requests).toMatchObject([
      {
        method: "POST",
        body: "from the request",
        headers: { "content-type": "text/x", authorization: "Bearer token-1" },
      },
    ]);
  });

  it("throws what the source throws", async () => {
    tokens.getShortTermToken = () => Promise.reject(new PermanentError("expired", "no token"));
    await expect(c2mFetch()("/jobs")).rejects.toMatchObject({ code: "expired" });
    expect(server.requests).toEqual([]);
  });

  it("sends with another fetch, and hands out its answers", async () => {
    const sent: RequestInit[] = [];
    const other = createC2mFetch(tokens, {
      fetch: async (_url: string, init: RequestInit) => {
        sent.push(init);
        return { status: 200, headers: new Map<string, string>() as unknown as Headers, mine: true };
      },
    });
    expect((await other("/jobs")).mine).toBe(true);
    expect(sent).toMatchObject([{ headers: { authorization: "Bearer token-1" }, redirect: "manual" }]);
  });
});

describe("after a 401", () => {
  it.each<[string, () => RequestInit["body"] | undefined, string]>([
    ["no body", () => undefined, ""],
    ["a text", () => "again", "again"],
    ["bytes", () => new TextEncoder().encode("again"), "again"],
    ["a buffer", () => new TextEncoder().encode("again").buffer, "again"],
    ["a Blob", () => new Blob(["again"]), "again"],
    ["a form", () => new URLSearchParams({ a: "b" }), "a=b"],
  ])("it sends once more with another token: %s", async (_, body, text) => {
    server.script(unauthorized, fine);
    const given = body();
    const answer = await c2mFetch()("/jobs", { method: "POST", ...(given === undefined ? {} : { body: given }) });
    expect(answer.status).toBe(200);
    expect(sentTokens()).toEqual(["Bearer token-1", "Bearer token-2"]);
    expect(server.requests.map((request) => request.body)).toEqual([text, text]);
  });

  it("it sends multipart forms and a Request's body again", async () => {
    server.script(unauthorized, fine);
    const form = new FormData();
    form.set("file", new Blob(["%PDF"]), "letter.pdf");
    await c2mFetch()("/documents", { method: "POST", body: form });
    expect(server.requests.map(({ body }) => body.includes("%PDF"))).toEqual([true, true]);
    server.script(unauthorized, fine);
    await c2mFetch()(new Request(`${server.url}/v2/jobs`, { method: "POST", body: "from the request" }));
    expect(server.requests.slice(2).map(({ body }) => body)).toEqual(["from the request", "from the request"]);
  });

  it("it does so once: the second 401 is the answer", async () => {
    server.script(unauthorized);
    const answer = await c2mFetch()("/jobs");
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: "invalid_token" });
    expect(server.requests).toHaveLength(2);
  });

  it("it is the answer where there is no other token", async () => {
    server.script(unauthorized);
    tokens.failure = new PermanentError("rejected", "no other");
    const answer = await c2mFetch()("/jobs");
    expect(await answer.json()).toMatchObject({ code: "invalid_token" });
    // Once more with the same: C2M may not have known it yet.
    expect(sentTokens()).toEqual(["Bearer token-1", "Bearer token-1"]);
  });

  it("it throws the reason for which there is no other token", async () => {
    server.script(unauthorized);
    tokens.failure = new Error("Secrets Manager is down");
    await expect(c2mFetch()("/jobs")).rejects.toThrow("Secrets Manager is down");
  });

  it("it refuses to repeat a stream, and has the token ready for the next call", async () => {
    server.script(unauthorized, fine);
    const stream = () => new Blob(["a stream"]).stream();
    const send = () => c2mFetch()("/jobs", { method: "POST", body: stream(), duplex: "half" } as RequestInit);
    await expect(send()).rejects.toMatchObject({ name: "PermanentError", code: "body_not_replayable" });
    expect(server.requests).toHaveLength(1);
    expect((await send()).status).toBe(200);
    expect(sentTokens()).toEqual(["Bearer token-1", "Bearer token-2"]);
  });

  it.each([400, 403, 404, 500, 503])("but not after a %d, which is the answer", async (status) => {
    server.script({ status });
    expect((await c2mFetch()("/jobs", { method: "POST", body: "x" })).status).toBe(status);
    expect(server.requests).toHaveLength(1);
  });
});

describe("a 429", () => {
  const limited = (after?: string) =>
    json(
      429,
      { code: "rate_limited" },
      { date: new Date(clock.now()).toUTCString(), ...(after === undefined ? {} : { "retry-after": after }) },
    );

  it("is waited for as long as Retry-After says", async () => {
    server.script(limited("7"), limited(new Date(clock.now() + 27_000).toUTCString()), fine);
    const from = clock.now();
    expect((await c2mFetch()("/jobs", { method: "POST", body: "x" })).status).toBe(200);
    expect(clock.now() - from).toBe(34_000);
    expect(server.requests.map(({ body }) => body)).toEqual(["x", "x", "x"]);
  });

  it.each([
    ["does not say how long", undefined],
    ["says something else", "soon"],
    ["asks for more than a minute", "61"],
  ])("is the answer where it %s", async (_, after) => {
    server.script(limited(after));
    expect((await c2mFetch()("/jobs")).status).toBe(429);
    expect(server.requests).toHaveLength(1);
  });

  it("is the answer where the waits add up to more than a minute", async () => {
    server.script(limited("25"));
    expect((await c2mFetch()("/jobs")).status).toBe(429);
    expect(server.requests).toHaveLength(3);
  });

  it("that asks for no time at all is waited for a second all the same, then 2, 4, 8 and 16", async () => {
    server.script(limited("0"));
    const from = clock.now();
    expect((await c2mFetch({ random: () => 0 })("/jobs")).status).toBe(429);
    expect(server.requests).toHaveLength(6);
    expect(clock.now() - from).toBe(31_000);
  });

  it.each([
    ["the auth calls'", { code: "rate_limited", message: "Slow down, retry after 9 seconds" }],
    ["the jobs calls'", { errorCode: "RATE_LIMITED", errorMessage: "Slow down, retry after 9 seconds" }],
  ])("is waited for as long as only the message says, in %s words", async (_, body) => {
    server.script(json(429, body), fine);
    const from = clock.now();
    expect((await c2mFetch()("/jobs")).status).toBe(200);
    expect(clock.now() - from).toBe(9_000);
  });

  it("is the answer where the body is a stream", async () => {
    server.script(limited("1"));
    const body = new Blob(["a stream"]).stream();
    const answer = await c2mFetch()("/jobs", { method: "POST", body, duplex: "half" } as RequestInit);
    expect(answer.status).toBe(429);
  });

  it("is not waited for by a caller who aborts", async () => {
    server.script(limited("30"));
    const controller = new AbortController();
    const waiting = { now: () => clock.now(), sleep: () => new Promise<void>(() => undefined) };
    const answer = c2mFetch({ clock: waiting })("/jobs", { signal: controller.signal });
    while (server.requests.length === 0) await settled();
    setTimeout(() => controller.abort(new Error("the user left")), 1);
    await expect(answer).rejects.toThrow("the user left");
  });
});

describe("the signal", () => {
  it("ends a request that is under way", async () => {
    server.script("hang");
    const controller = new AbortController();
    const answer = c2mFetch()(new Request(`${server.url}/v2/jobs`, { signal: controller.signal }));
    while (server.requests.length === 0) await settled();
    controller.abort(new Error("the user left"));
    await expect(answer).rejects.toThrow();
    expect(server.requests).toHaveLength(1);
  });

  it("is handed to the source", async () => {
    server.script(fine);
    const { signal } = new AbortController();
    await c2mFetch()("/jobs", { signal });
    expect(tokens.asked).toEqual([{ signal }]);
  });
});

describe("the token goes nowhere else", () => {
  it.each([
    ["another host", () => "https://evil.example/v2/jobs"],
    ["another port", () => server.url.replace(/:\d+$/, ":1/v2/jobs")],
    ["another scheme", () => `${server.url.replace("http:", "https:")}/v2/jobs`],
    ["a host that starts alike", () => `${server.url}.evil.example/v2`],
    ["a user name that looks like the host", () => "http://127.0.0.1@evil.example/v2"],
    ["no URL at all", () => "jobs"],
    ["a Request for another host", () => new Request("https://evil.example/")],
    ["a script", () => "data:text/plain,x"],
  ])("to %s: refused before anything is sent", async (_, input) => {
    const sent: string[] = [];
    const refused = createC2mFetch(tokens, {
      fetch: async (url: string) => {
        sent.push(url);
        return new Response();
      },
    })(input());
    await expect(refused).rejects.toMatchObject({ name: "PermanentError", code: "other_origin" });
    expect([sent, tokens.asked]).toEqual([[], []]);
  });

  it.each(["//evil.example/jobs", "/\\evil.example/jobs", "/../../x", "/@evil.example"])(
    "the path %s stays on the origin",
    async (path) => {
      server.script(fine);
      await c2mFetch()(path);
      expect(server.requests).toHaveLength(1);
    },
  );

  it.each([301, 302, 303, 307, 308])("through a redirect (%d): it is not followed", async (status) => {
    const evil = await startScriptedServer();
    evil.script(fine);
    server.script({ status, headers: { location: `${evil.url}/v2/jobs` } });
    const refused = c2mFetch()("/jobs", { method: "POST", body: "x" });
    await expect(refused).rejects.toMatchObject({ name: "PermanentError", code: "redirected" });
    const shown = await c2mFetch()("/jobs", { redirect: "manual" });
    expect([shown.status, shown.headers.get("location")]).toEqual([status, `${evil.url}/v2/jobs`]);
    expect(evil.requests).toEqual([]);
    await evil.close();
  });

  it("nor into an error", async () => {
    server.script({ status: 302, headers: { location: "/elsewhere" } });
    const error = await c2mFetch()("/jobs").catch((thrown: unknown) => thrown);
    expect(inspect(error, { depth: 9 })).not.toContain("token-1");
  });
});
