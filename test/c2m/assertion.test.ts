import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { decodeProtectedHeader, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import type { AssertionCredentials } from "../../src/c2m/credentials.ts";
import { PermanentError } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { clientId, clientUnderTest, errorOf, issued, json, now } from "../harness/client-under-test.ts";
import { ScriptedC2m } from "./scripted-c2m.ts";

const c2m = new ScriptedC2m();

const common = { client_id: clientId, scopes: ["jobs:submit"], ttl_seconds: 3600 };

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
    clientUnderTest(`${c2m.server.url}/v2/`, { credentials }).call("issueLongTermToken");
  const sent = () => c2m.issueBodies().map((body) => String(body.assertion));

  it.each<[string, KeyObject, KeyObject, AssertionCredentials["algorithm"], string]>([
    ["an RSA key", keys.rsa.privateKey, keys.rsa.publicKey, undefined, "RS256"],
    ["an RSA key and a choice", keys.rsa.privateKey, keys.rsa.publicKey, "PS256", "PS256"],
    ["a P-256 key", keys.p256.privateKey, keys.p256.publicKey, undefined, "ES256"],
    ["an Ed25519 key", keys.ed25519.privateKey, keys.ed25519.publicKey, undefined, "EdDSA"],
  ])("made with %s can be verified", async (_, privateKey, publicKey, algorithm, expected) => {
    await issueWith(credentialsFor(pem(privateKey), { algorithm }));
    const [assertion = ""] = sent();
    expect(c2m.issueBodies()).toEqual([
      {
        ...common,
        grant_type: "assertion",
        assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        assertion,
      },
    ]);
    const { payload, protectedHeader } = await jwtVerify(assertion, publicKey, { currentDate: new Date(now) });
    // A minute ago: C2M's clock may be behind.
    const issuedAt = Date.parse(now) / 1000 - 60;
    expect(protectedHeader).toEqual({ alg: expected, typ: "JWT" });
    expect(payload).toEqual({
      iss: clientId,
      sub: clientId,
      aud: `${c2m.server.url}/v2/auth/tokens/long`,
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
    c2m.server.script(json(429, {}), json(201, issued));
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
    expect(c2m.server.requests).toHaveLength(0);
  });
});
