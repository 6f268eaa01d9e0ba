import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { createC2mClient } from "../../src/c2m/client.ts";
import type { Credentials } from "../../src/c2m/credentials.ts";
import { PermanentError, RetryableError } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { clientId, clientSecret, clientUnderTest, errorOf, issued, json, now } from "../harness/client-under-test.ts";
import { ScriptedC2m } from "./scripted-c2m.ts";

const c2m = new ScriptedC2m();

describe("the client", () => {
  const secret: Credentials = { mechanism: "client_secret", clientId, clientSecret: new Sensitive(clientSecret) };
  const issue = (credentials: () => Promise<Credentials>, lifetimeSeconds = 3600) => {
    const clock = new VirtualClock(now);
    const client = createC2mClient({ baseUrl: c2m.server.url, clientId, clock, credentials });
    const deadline = clock.now() + 60_000;
    return client.issueLongTermToken({ scopes: ["jobs:submit"], lifetimeSeconds, deadline });
  };

  it("asks for the credentials at every issue call, and sends with its own HTTP when none is given", async () => {
    let asked = 0;
    const credentials = async () => {
      asked += 1;
      return secret;
    };
    await issue(credentials);
    await issue(credentials);
    expect(asked).toBe(2);
    expect(c2m.issueBodies()).toHaveLength(2);
  });

  it("passes on the failure to get them", async () => {
    const denied = new RetryableError("store_throttled", "m");
    expect(await errorOf(issue(() => Promise.reject(denied)))).toBe(denied);
    expect(c2m.server.requests).toHaveLength(0);
  });

  it("refuses those of another client", async () => {
    const error = await errorOf(issue(async () => ({ ...secret, clientId: "c2m_other" })));
    expect(error).toMatchObject({ name: "PermanentError", code: "client_mismatch" });
    expect(error.message).toMatch(/must be those of the settings\. Correct/);
    expect(c2m.server.requests).toHaveLength(0);
  });

  describe("with others that were stored before (row 24)", () => {
    const otp: Credentials = {
      mechanism: "otp",
      clientId,
      seed: new Sensitive("JBSWY3DPEHPK3PXP"),
      algorithm: "SHA1",
      digits: 6,
      periodSeconds: 30,
    };
    const refused = json(400, { code: "invalid_grant", message: "Invalid client credentials" });

    function issueWith(credentials: () => Promise<Credentials>, before: Credentials | undefined, leftMs = 600_000) {
      const clock = new VirtualClock(now);
      let asked = 0;
      const fallback = async () => {
        asked += 1;
        return before;
      };
      const client = createC2mClient({
        baseUrl: c2m.server.url,
        clientId,
        credentials,
        fallback,
        clock,
        random: () => 0,
      });
      const deadline = clock.now() + leftMs;
      const issuing = client.issueLongTermToken({ scopes: ["jobs:submit"], lifetimeSeconds: 3600, deadline });
      return { issuing, asked: () => asked };
    }

    it("goes on with those of another mechanism, after two one-time codes", async () => {
      c2m.server.script(refused, refused, json(201, issued));
      const { issuing, asked } = issueWith(async () => otp, secret);
      expect(await issuing).toMatchObject({ tokenId: issued.token_id });
      const sent = c2m.issueBodies().map((body) => ["otp_code" in body, "client_secret" in body]);
      expect(sent).toEqual([
        [true, false],
        [true, false],
        [false, true],
      ]);
      expect(asked()).toBe(1);
    });

    it.each([
      ["another client's", { ...secret, clientId: "c2m_other" }],
      ["for another C2M", { ...secret, baseUrl: "https://former.test/v2" }],
      ["a seed that is none", { ...otp, seed: new Sensitive("0189") }],
      ["a key that is none", { mechanism: "assertion", clientId, privateKey: new Sensitive("no key") } as never],
      ["for what is no C2M", { ...secret, baseUrl: "former C2M" }],
    ])("goes on where the current ones are %s, which go nowhere", async (_, current: Credentials) => {
      const { issuing, asked } = issueWith(async () => current, secret);
      expect(await issuing).toMatchObject({ tokenId: issued.token_id });
      expect(asked()).toBe(1);
      expect(c2m.server.requests).toHaveLength(1);
    });

    it.each(["", "/", "//"])("sends those that are for this C2M, however it is written: %j", async (end) => {
      const { issuing, asked } = issueWith(async () => ({ ...secret, baseUrl: `${c2m.server.url}${end}` }), secret);
      expect(await issuing).toMatchObject({ tokenId: issued.token_id });
      expect(asked()).toBe(0);
    });

    it("goes on, or tells that the code was refused, where it is too late for another one", async () => {
      c2m.server.script(refused, json(201, issued));
      const slow = { ...otp, periodSeconds: 900 };
      expect(await issueWith(async () => slow, secret).issuing).toMatchObject({ tokenId: issued.token_id });
      c2m.server.script(refused);
      expect(await errorOf(issueWith(async () => slow, undefined).issuing)).toMatchObject({ code: "invalid_grant" });
    });

    it("does not go on where another code meets a limit", async () => {
      c2m.server.script(refused, json(429, {}, { "retry-after": "3600" }));
      const { issuing, asked } = issueWith(async () => otp, secret);
      expect(await errorOf(issuing)).toMatchObject({ code: "rate_limited" });
      expect(asked()).toBe(0);
    });

    it("does not ask for those before where it is too late to send the current ones", async () => {
      const { issuing, asked } = issueWith(async () => secret, secret, 9_999);
      expect(await errorOf(issuing)).toMatchObject({ code: "no_time" });
      expect(asked()).toBe(0);
    });

    it.each(["invalid_grant", "invalid_client"])("goes on where C2M refuses the current ones as %s", async (code) => {
      c2m.server.script(json(401, { code }), json(201, issued));
      const { issuing } = issueWith(async () => secret, secret);
      expect(await issuing).toMatchObject({ tokenId: issued.token_id });
    });

    it("tells the fault of the current ones where those before are refused, too, or there are none", async () => {
      c2m.server.script(json(400, { code: "invalid_client" }), refused);
      expect(await errorOf(issueWith(async () => secret, secret).issuing)).toMatchObject({ code: "invalid_client" });
      c2m.server.script(refused);
      const { issuing, asked } = issueWith(async () => ({ ...secret, clientId: "c2m_other" }), undefined);
      expect(await errorOf(issuing)).toMatchObject({ code: "client_mismatch" });
      expect(asked()).toBe(1);
    });

    it.each([
      ["a gateway refuses", json(401, { message: "Unauthorized" })],
      ["a gateway has a code of its own", json(401, { code: "InvalidGrant" })],
      ["a page quotes C2M's code", { status: 400, body: '<p>{"code":"invalid_grant"}</p>' }],
      ["the mechanism is not allowed", json(400, { code: "unauthorized_client" })],
      ["a scope is not allowed", json(400, { code: "invalid_scope" })],
      ["nobody knows what came of it", { status: 503 }],
    ])("does not go on where %s", async (_, script) => {
      c2m.server.script(script);
      const { issuing, asked } = issueWith(async () => secret, secret);
      await errorOf(issuing);
      expect(asked()).toBe(0);
      expect(c2m.server.requests).toHaveLength(1);
    });
  });

  it.each([3599, 7_776_001, 3600.5, Number.NaN])("refuses a lifetime of %d s", async (lifetimeSeconds) => {
    const error = await errorOf(issue(async () => secret, lifetimeSeconds));
    expect(error).toMatchObject({ name: "PermanentError", code: "invalid_request" });
    expect(error.message).toBe("lifetimeSeconds must be a whole number from 3600 to 7776000.");
    expect(c2m.server.requests).toHaveLength(0);
  });

  it.each([3600, 7_776_000])("asks for a lifetime of %d s", async (lifetimeSeconds) => {
    await issue(async () => secret, lifetimeSeconds);
    expect(c2m.issueBodies()).toEqual([expect.objectContaining({ ttl_seconds: lifetimeSeconds })]);
  });

  it.each(["", "two words", "line\nbreak", "c2m_ü"])("refuses the client id %j", (name) => {
    const create = () =>
      createC2mClient({
        baseUrl: c2m.server.url,
        clientId: name,
        clock: new VirtualClock(),
        credentials: async () => secret,
      });
    expect(create).toThrow(PermanentError);
    expect(create).toThrow("clientId must be printable ASCII without spaces");
    expect(create).toThrow(expect.objectContaining({ code: "invalid_client_id" }));
  });

  it("refuses a base URL that is none", () => {
    const create = () =>
      createC2mClient({ baseUrl: "x", clientId, clock: new VirtualClock(), credentials: async () => secret });
    expect(create).toThrow(expect.objectContaining({ code: "invalid_base_url" }));
  });
});

it("looks before a revocation is repeated, each time, and not before the first", async () => {
  c2m.server.script({ status: 503 }, { status: 503 }, { status: 204 });
  const { client, clock } = clientUnderTest(c2m.server.url);
  const looks: number[] = [];
  const beforeRetry = async () => void looks.push(c2m.server.requests.length);
  const request = { tokenId: "tok", bearer: new Sensitive("token"), deadline: clock.now() + 60_000 };
  expect(await client.revokeToken({ ...request, beforeRetry })).toBe("revoked");
  expect(looks).toEqual([1, 2]);
  const changed = new PermanentError("labels_moved", "m");
  c2m.server.script({ status: 503 });
  const refusing = client.revokeToken({ ...request, beforeRetry: () => Promise.reject(changed) });
  expect(await errorOf(refusing)).toBe(changed);
  expect(c2m.server.requests).toHaveLength(4);
});

describe("what can't be sent is refused before anything is", () => {
  const { client, clock } = clientUnderTest("https://c2m.invalid", { send: () => Promise.reject(new Error("sent")) });
  const deadline = clock.now() + 60_000;

  it.each(["", "two words", "line\nbreak", "tökén"])("the long token %j: it is no token of C2M's", async (text) => {
    expect(await client.issueShortTermToken({ longToken: new Sensitive(text), deadline })).toEqual({
      outcome: "invalid_token",
    });
  });

  it.each(["", "two words"])("the bearer %j", async (text) => {
    expect(await client.revokeToken({ tokenId: "tok", bearer: new Sensitive(text), deadline })).toBe("refused");
  });

  it.each(["", ".", "..", "\ud800", "x".repeat(257)])("the id %j", async (tokenId) => {
    expect(await client.revokeToken({ tokenId, bearer: new Sensitive("token"), deadline })).toBe("refused");
  });

  it("and a failure that is no failure of HTTP is passed on", async () => {
    const error = await errorOf(client.revokeToken({ tokenId: "tok", bearer: new Sensitive("token"), deadline }));
    expect(error).toMatchObject({ name: "Error", message: "sent" });
  });
});
