import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createC2mClient } from "../../lambdas/c2m/client.ts";
import type { AssertionCredentials, Credentials, OtpCredentials } from "../../lambdas/c2m/credentials.ts";
import { PermanentError, RetryableError } from "../../lambdas/rotation/errors.ts";
import { Sensitive } from "../../lambdas/rotation/sensitive.ts";
import { VirtualClock } from "../harness/clock.ts";
import { clientId, clientSecret, clientUnderTest, errorOf, issued, json, longToken, now } from "./client-under-test.ts";
import { type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.script(json(201, issued));
});

/** The bodies of the issue calls that the server received. */
function issueBodies(): Record<string, unknown>[] {
  return server.requests.filter(({ path }) => path?.endsWith("/auth/tokens/long")).map(({ body }) => JSON.parse(body));
}

const common = { client_id: clientId, scopes: ["jobs:submit"], ttl_seconds: 3600 };

describe("one-time codes", () => {
  // The test vectors of RFC 6238, appendix B, whose seed is "12345678901234567890", repeated as far as it is needed.
  const base32 = {
    SHA1: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    SHA256: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA",
  };
  const otp = (overrides: Partial<OtpCredentials> = {}): OtpCredentials => ({
    mechanism: "otp",
    clientId,
    seed: new Sensitive(base32.SHA1),
    algorithm: "SHA1",
    digits: 8,
    periodSeconds: 30,
    ...overrides,
  });
  const at = (seconds: number) => new VirtualClock(seconds * 1000);

  it.each([
    [59, otp(), "94287082"],
    [1_111_111_109, otp(), "07081804"],
    [1_234_567_890, otp(), "89005924"],
    [59, otp({ digits: 6 }), "287082"],
    [59, otp({ algorithm: "SHA256", seed: new Sensitive(base32.SHA256) }), "46119246"],
    [119, otp({ periodSeconds: 60 }), "94287082"],
  ])("are those of RFC 6238 at %i s", async (seconds, credentials, otp_code) => {
    await clientUnderTest(server.url, { clock: at(seconds), credentials }).call("issueLongTermToken");
    expect(issueBodies()).toEqual([{ ...common, grant_type: "client_credentials", otp_code }]);
    expect(server.requests[0]?.headers["x-client-id"]).toBe(clientId);
  });

  it("are used once: the next call waits for the next time step", async () => {
    const clock = at(1_111_111_109);
    const { call } = clientUnderTest(server.url, { clock, credentials: otp() });
    await call("issueLongTermToken");
    await clientUnderTest(server.url, { clock, credentials: otp() }).call("issueLongTermToken");
    expect(issueBodies().map((body) => body.otp_code)).toEqual(["07081804", "14050471"]);
    expect(clock.now()).toBe(1_111_111_110_000);
    // With a time step of its own, the third waits for nobody.
    await clock.advanceTo(1_234_567_890_000);
    await call("issueLongTermToken");
    expect(issueBodies().at(-1)?.otp_code).toBe("89005924");
    expect(clock.now()).toBe(1_234_567_890_000);
  });

  it("of two calls at once differ", async () => {
    const { call } = clientUnderTest(server.url, { clock: at(1_111_111_109), credentials: otp() });
    await Promise.all([call("issueLongTermToken"), call("issueLongTermToken")]);
    expect(new Set(issueBodies().map((body) => body.otp_code))).toEqual(new Set(["07081804", "14050471"]));
  });

  it("are not repeated when an attempt is", async () => {
    server.script(json(429, {}), json(201, issued));
    await clientUnderTest(server.url, { clock: at(1_111_111_109), credentials: otp() }).call("issueLongTermToken");
    expect(issueBodies().map((body) => body.otp_code)).toEqual(["07081804", "14050471"]);
  });

  it("of other clients and other clocks stand alone", async () => {
    await clientUnderTest(server.url, { clock: at(59), credentials: otp() }).call("issueLongTermToken");
    await clientUnderTest(server.url, { clock: at(59), credentials: otp() }).call("issueLongTermToken");
    expect(issueBodies().map((body) => body.otp_code)).toEqual(["94287082", "94287082"]);
    const clock = at(59);
    for (const name of ["c2m_a", "c2m_b"]) {
      const credentials = async () => otp({ clientId: name });
      const client = createC2mClient({ baseUrl: server.url, clientId: name, credentials, clock });
      await client.issueLongTermToken({ scopes: [], ttlSeconds: 3600, current: undefined, deadline: 120_000 });
    }
    expect(clock.now()).toBe(59_000);
  });

  it.each([
    [70_000, 60_000],
    [69_999, 59_000],
  ])("are waited for only within the deadline (%i)", async (deadline, end) => {
    const clock = at(59);
    const { client } = clientUnderTest(server.url, { clock, credentials: otp() });
    const request = { scopes: [], ttlSeconds: 3600, current: undefined, deadline };
    await client.issueLongTermToken(request);
    const second = client.issueLongTermToken(request);
    if (end === 60_000) await second;
    else {
      const error = await errorOf(second);
      expect(error).toBeInstanceOf(RetryableError);
      expect(error).toMatchObject({ code: "no_time", message: expect.stringContaining("one-time code") });
    }
    expect(clock.now()).toBe(end);
  });

  it("need a seed in Base32", async () => {
    const credentials = otp({ seed: new Sensitive("hunter2-0189") });
    const error = await errorOf(clientUnderTest(server.url, { credentials }).call("issueLongTermToken"));
    expect(error).toMatchObject({ name: "PermanentError", code: "credentials_invalid" });
    expect(error.message).toBe("The credentials secret: otp_seed must be Base32.");
    expect(server.requests).toHaveLength(0);
  });
});

describe("assertions", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const keys = {
    rsa,
    p256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
    ed25519: generateKeyPairSync("ed25519"),
  };
  const pem = (key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1" = "pkcs8") =>
    new Sensitive(key.export({ type, format: "pem" }).toString());
  const credentialsFor = (privateKey: Sensitive, more: Partial<AssertionCredentials> = {}): AssertionCredentials => ({
    mechanism: "assertion",
    clientId,
    privateKey,
    keyId: undefined,
    algorithm: undefined,
    audience: undefined,
    ...more,
  });
  const issueWith = (credentials: AssertionCredentials) =>
    clientUnderTest(`${server.url}/v2/`, { credentials }).call("issueLongTermToken");
  const sent = () => issueBodies().map((body) => String(body.assertion));

  it.each<[string, KeyObject, KeyObject, AssertionCredentials["algorithm"], string]>([
    ["an RSA key", keys.rsa.privateKey, keys.rsa.publicKey, undefined, "RS256"],
    ["an RSA key and a choice", keys.rsa.privateKey, keys.rsa.publicKey, "PS256", "PS256"],
    ["a P-256 key", keys.p256.privateKey, keys.p256.publicKey, undefined, "ES256"],
    ["an Ed25519 key", keys.ed25519.privateKey, keys.ed25519.publicKey, undefined, "EdDSA"],
  ])("made with %s can be verified", async (_, privateKey, publicKey, algorithm, expected) => {
    await issueWith(credentialsFor(pem(privateKey), { algorithm }));
    const [assertion = ""] = sent();
    expect(issueBodies()).toEqual([
      {
        ...common,
        grant_type: "assertion",
        assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        assertion,
      },
    ]);
    const { payload, protectedHeader } = await jwtVerify(assertion, publicKey, { currentDate: new Date(now) });
    const issuedAt = Date.parse(now) / 1000;
    expect(protectedHeader).toEqual({ alg: expected, typ: "JWT" });
    expect(payload).toEqual({
      iss: clientId,
      sub: clientId,
      aud: `${server.url}/v2/auth/tokens/long`,
      iat: issuedAt,
      exp: issuedAt + 300,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it("name their key and audience where these are set", async () => {
    await issueWith(credentialsFor(pem(keys.p256.privateKey), { keyId: "2026", audience: "https://c2m/token" }));
    const [assertion = ""] = sent();
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: "ES256", typ: "JWT", kid: "2026" });
    const verified = await jwtVerify(assertion, keys.p256.publicKey, { currentDate: new Date(now) });
    expect(verified.payload.aud).toBe("https://c2m/token");
  });

  it.each(["pkcs1", "pkcs8"] as const)("take a key in %s", async (type) => {
    await issueWith(credentialsFor(pem(rsa.privateKey, type)));
    expect(sent()).toHaveLength(1);
  });

  it("are made anew for every attempt", async () => {
    server.script(json(429, {}), json(201, issued));
    await issueWith(credentialsFor(pem(keys.ed25519.privateKey)));
    const ids = await Promise.all(
      sent().map(
        async (text) => (await jwtVerify(text, keys.ed25519.publicKey, { currentDate: new Date(now) })).payload.jti,
      ),
    );
    expect(new Set(ids).size).toBe(2);
  });

  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  const encrypted = keys.p256.privateKey.export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-128-cbc",
    passphrase: "x",
  });
  it.each([
    ["that is none", new Sensitive("hunter2"), undefined, "must be an unencrypted private key in PEM"],
    ["that is encrypted", new Sensitive(encrypted.toString()), undefined, "must be an unencrypted private key in PEM"],
    [
      "that is public",
      new Sensitive(keys.p256.publicKey.export({ type: "spki", format: "pem" }).toString()),
      undefined,
      "must be an unencrypted private key in PEM",
    ],
    [
      "on another curve",
      pem(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey),
      undefined,
      "must be an RSA (not RSA-PSS), P-256 or Ed25519 key",
    ],
    [
      "that can't sign",
      pem(generateKeyPairSync("x25519").privateKey),
      undefined,
      "must be an RSA (not RSA-PSS), P-256 or Ed25519 key",
    ],
    ["of 1024 bits", pem(small), undefined, "must have 2048 bits at least"],
    [
      "that does not fit the algorithm",
      pem(keys.rsa.privateKey),
      "ES256" as const,
      "can't sign with ES256; set algorithm to RS256 or PS256, or leave it out",
    ],
    [
      "for PSS alone",
      pem(generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey),
      undefined,
      "must be an RSA (not RSA-PSS), P-256 or Ed25519 key",
    ],
  ])("refuse a key %s", async (_, privateKey, algorithm, rule) => {
    const error = await errorOf(issueWith(credentialsFor(privateKey, { algorithm })));
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ code: "credentials_invalid" });
    expect(error.message).toContain(`The credentials secret: the private key ${rule}`);
    expect(server.requests).toHaveLength(0);
  });
});

describe("short tokens", () => {
  const short = { ...issued, access_token: "short.token" };
  const shortToken: Credentials = { mechanism: "short_token", clientId };

  it("are exchanged for the present token and issue with it, without the client's key", async () => {
    server.script(json(201, short), json(201, issued));
    const result = await clientUnderTest(server.url, { credentials: shortToken }).call("issueLongTermToken");
    expect(result).toMatchObject({ tokenId: issued.token_id });
    const [exchange, issue] = server.requests;
    expect(exchange).toMatchObject({ path: "/auth/tokens/short", body: '{"scopes":["tokens:write"]}' });
    expect(exchange?.headers.authorization).toBe(`Bearer ${longToken}`);
    expect(issue?.headers.authorization).toBe("Bearer short.token");
    expect(issue?.headers).not.toHaveProperty("x-client-id");
    expect(issueBodies()).toEqual([{ ...common, grant_type: "client_credentials" }]);
  });

  it("go with the grant type that is set", async () => {
    const credentials: Credentials = { ...shortToken, grantType: "short_token" };
    await clientUnderTest(server.url, { credentials }).call("issueLongTermToken");
    expect(issueBodies()).toEqual([{ ...common, grant_type: "short_token" }]);
  });

  it("are exchanged once for all attempts", async () => {
    server.script(json(201, short), json(429, {}), json(201, issued));
    await clientUnderTest(server.url, { credentials: shortToken }).call("issueLongTermToken");
    expect(server.requests.map(({ path }) => path)).toEqual([
      "/auth/tokens/short",
      "/auth/tokens/long",
      "/auth/tokens/long",
    ]);
  });

  it("need a present token", async () => {
    const { client, clock } = clientUnderTest(server.url, { credentials: shortToken });
    const deadline = clock.now() + 60_000;
    const error = await errorOf(
      client.issueLongTermToken({ scopes: [], ttlSeconds: 3600, current: undefined, deadline }),
    );
    expect(error).toMatchObject({ name: "PermanentError", code: "current_token_missing" });
    expect(error.message).toMatch(/needs the present token\. Supply a first token again/);
    expect(server.requests).toHaveLength(0);
  });

  it("need a live one: the error says that a person must supply it", async () => {
    server.script(json(401, { code: "invalid_token" }));
    const error = await errorOf(clientUnderTest(server.url, { credentials: shortToken }).call("issueLongTermToken"));
    expect(error).toMatchObject({ name: "PermanentError", code: "invalid_token" });
    expect(error.message).toMatch(/^issueShortTermToken: .*Supply a first token again/);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    [json(403, { code: "insufficient_scope" }), "insufficient_scope"],
    [json(503, {}), "server_error"],
  ])("pass on another failure of the exchange as it is", async (script, code) => {
    server.script(script);
    const error = await errorOf(clientUnderTest(server.url, { credentials: shortToken }).call("issueLongTermToken"));
    expect(error).toMatchObject({ code });
    expect(error.name).not.toBe("AmbiguousError");
    expect(error.message).not.toContain("Supply a first token");
  });
});

describe("the client", () => {
  const secret: Credentials = { mechanism: "client_secret", clientId, clientSecret: new Sensitive(clientSecret) };
  const issue = (credentials: () => Promise<Credentials>, ttlSeconds = 3600) => {
    const clock = new VirtualClock(now);
    const client = createC2mClient({ baseUrl: server.url, clientId, clock, credentials });
    const deadline = clock.now() + 60_000;
    return client.issueLongTermToken({ scopes: ["jobs:submit"], ttlSeconds, current: undefined, deadline });
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
    expect(issueBodies()).toHaveLength(2);
  });

  it("passes on the failure to get them", async () => {
    const denied = new RetryableError("store_busy", "m");
    expect(await errorOf(issue(() => Promise.reject(denied)))).toBe(denied);
    expect(server.requests).toHaveLength(0);
  });

  it("refuses those of another client", async () => {
    const error = await errorOf(issue(async () => ({ ...secret, clientId: "c2m_other" })));
    expect(error).toMatchObject({ name: "PermanentError", code: "client_mismatch" });
    expect(error.message).toMatch(/must be that of the settings\. Correct/);
    expect(server.requests).toHaveLength(0);
  });

  it.each([3599, 7_776_001, 3600.5, Number.NaN])("refuses a lifetime of %d s", async (ttlSeconds) => {
    const error = await errorOf(issue(async () => secret, ttlSeconds));
    expect(error).toMatchObject({ name: "PermanentError", code: "invalid_request" });
    expect(error.message).toBe("ttlSeconds must be a whole number from 3600 to 7776000.");
    expect(server.requests).toHaveLength(0);
  });

  it.each([3600, 7_776_000])("asks for a lifetime of %d s", async (ttlSeconds) => {
    await issue(async () => secret, ttlSeconds);
    expect(issueBodies()).toEqual([expect.objectContaining({ ttl_seconds: ttlSeconds })]);
  });

  it.each(["", "two words", "line\nbreak", "c2m_ü"])("refuses the client id %j", (name) => {
    const create = () =>
      createC2mClient({
        baseUrl: server.url,
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
    const error = await errorOf(client.issueShortTermToken({ longToken: new Sensitive(text), deadline }));
    expect(error).toMatchObject({ name: "PermanentError", code: "invalid_token" });
    expect(error.message).toContain("must be printable ASCII without spaces");
  });

  it.each(["", "two words"])("the bearer %j", async (text) => {
    const error = await errorOf(client.revokeToken({ tokenId: "tok", bearer: new Sensitive(text), deadline }));
    expect(error).toMatchObject({ name: "PermanentError", code: "revocation_refused" });
    expect(error.message).toContain("the bearer must be printable ASCII without spaces");
  });

  it.each(["", ".", "..", "\ud800", "x".repeat(257)])("the id %j", async (tokenId) => {
    const error = await errorOf(client.revokeToken({ tokenId, bearer: new Sensitive("token"), deadline }));
    expect(error).toMatchObject({ name: "PermanentError", code: "revocation_refused" });
    expect(error.message).toContain("the token id must be 1 to 256 characters and not a step in a path");
  });

  it("and a failure that is no failure of HTTP is passed on", async () => {
    const error = await errorOf(client.revokeToken({ tokenId: "tok", bearer: new Sensitive("token"), deadline }));
    expect(error).toMatchObject({ name: "Error", message: "sent" });
  });
});
