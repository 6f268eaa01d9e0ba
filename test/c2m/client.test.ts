import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { createC2mClient } from "../../src/c2m/client.ts";
import type { Credentials } from "../../src/c2m/credentials.ts";
import { PermanentError, RetryableError } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { clientId, clientSecret, clientUnderTest, errorOf, now } from "../harness/client-under-test.ts";
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
