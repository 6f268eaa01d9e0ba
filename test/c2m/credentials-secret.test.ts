import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { parseCredentials } from "../../src/c2m/credentials-secret.ts";
import { PermanentError } from "../../src/ports/errors.ts";

const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const otherPem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const client_id = "c2m_client";
const clientId = client_id;

describe("the credentials secret holds", () => {
  it("a client secret", () => {
    const credentials = parseCredentials(JSON.stringify({ client_id, client_secret: "hunter2", note: "ours" }));
    expect(credentials).toEqual({ mechanism: "client_secret", clientId, clientSecret: expect.anything() });
    expect(credentials.mechanism === "client_secret" && credentials.clientSecret.reveal()).toBe("hunter2");
  });

  it("the base URL of the C2M that they are for, where it says one", () => {
    const given = { client_id, base_url: "https://c2m.example/v2", client_secret: "hunter2" };
    expect(parseCredentials(JSON.stringify(given))).toMatchObject({ baseUrl: "https://c2m.example/v2" });
  });

  it("an OTP seed, by default for SHA1, 6 digits and 30 seconds", () => {
    const credentials = parseCredentials(JSON.stringify({ client_id, otp_seed: "JBSW Y3DP ehpk 3pxp" }));
    expect(credentials).toEqual({
      mechanism: "otp",
      clientId,
      seed: expect.anything(),
      algorithm: "SHA1",
      digits: 6,
      periodSeconds: 30,
    });
    expect(credentials.mechanism === "otp" && credentials.seed.reveal()).toBe("JBSW Y3DP ehpk 3pxp");
  });

  it("an OTP seed with its parameters", () => {
    const given = { client_id, otp_seed: "JBSWY3DP====", otp_algorithm: "SHA256", otp_digits: 8, otp_period: 60 };
    expect(parseCredentials(JSON.stringify(given))).toMatchObject({
      algorithm: "SHA256",
      digits: 8,
      periodSeconds: 60,
    });
  });

  it("a private key", () => {
    const credentials = parseCredentials(JSON.stringify({ client_id, private_key: pem }));
    expect(credentials).toEqual({
      mechanism: "assertion",
      clientId,
      privateKey: expect.anything(),
      keyId: undefined,
      algorithm: undefined,
      audience: undefined,
    });
    expect(credentials.mechanism === "assertion" && credentials.privateKey.reveal()).toBe(pem);
  });

  it("a private key with its parameters", () => {
    const given = { client_id, private_key: `\n${pem}`, key_id: "2026", algorithm: "EdDSA", audience: "https://c2m" };
    expect(parseCredentials(JSON.stringify(given))).toMatchObject({
      keyId: "2026",
      algorithm: "EdDSA",
      audience: "https://c2m",
    });
  });

  it("several private keys, of which key_id names the one to sign with", () => {
    const private_keys = { "2025": otherPem, "2026": pem };
    const credentials = parseCredentials(JSON.stringify({ client_id, private_keys, key_id: "2026" }));
    expect(credentials).toMatchObject({ mechanism: "assertion", keyId: "2026" });
    expect(credentials.mechanism === "assertion" && credentials.privateKey.reveal()).toBe(pem);
  });
});

const oneOf = "must hold exactly one of client_secret, otp_seed, private_key, private_keys; it holds";

describe("the credentials secret is refused, without a word of what it holds,", () => {
  const cases: [string, string, unknown][] = [
    ["when it is not JSON", "must be a JSON object", "hunter2"],
    ["when it is a JSON text", "must be a JSON object", '"hunter2"'],
    ["when it is null", "must be a JSON object", "null"],
    ["when it has no mechanism", `${oneOf} none`, { client_id }],
    [
      "when it has two",
      `${oneOf} client_secret and private_key`,
      { client_id, client_secret: "hunter2", private_key: pem },
    ],
    [
      "when it has a seed beside a secret",
      `${oneOf} client_secret and otp_seed`,
      { client_id, client_secret: "hunter2", otp_seed: "JBSWY3DP" },
    ],
    [
      "when it has both forms of keys",
      `${oneOf} private_key and private_keys`,
      { client_id, private_key: pem, private_keys: { a: pem } },
    ],
    ["without a client id", "client_id is missing", { client_secret: "hunter2" }],
    ["with an empty client id", "client_id must not be empty", { client_id: "", client_secret: "hunter2" }],
    [
      "with a client id of two words",
      "client_id must be printable ASCII without spaces",
      { client_id: "hunter2 x", client_secret: "hunter2" },
    ],
    ["with a number for a secret", "client_secret must be string", { client_id, client_secret: 17 }],
    ["with an empty secret", "client_secret must not be empty", { client_id, client_secret: "" }],
    [
      "with a line end pasted along",
      "client_secret must not begin or end with white space",
      { client_id, client_secret: "hunter2\n" },
    ],
    ["with a seed in hex", "otp_seed must be Base32", { client_id, otp_seed: "hunter2-0189" }],
    ["with a seed that goes on after its padding", "otp_seed must be Base32", { client_id, otp_seed: "AAAA====BBBB" }],
    ["with a seed that begins otherwise", "otp_seed must be Base32", { client_id, otp_seed: "1AAAA" }],
    [
      "with an OTP algorithm nobody knows",
      'otp_algorithm must be ("SHA1" | "SHA256" | "SHA512")',
      { client_id, otp_seed: "AAAA", otp_algorithm: "hunter2" },
    ],
    ["with five digits", "otp_digits must be (6 | 7 | 8)", { client_id, otp_seed: "AAAA", otp_digits: 5 }],
    [
      "with a period of part of a second",
      "otp_period must be a whole number of seconds",
      { client_id, otp_seed: "AAAA", otp_period: 0.5 },
    ],
    ["with no period", "otp_period must be a whole number of seconds", { client_id, otp_seed: "AAAA", otp_period: 0 }],
    [
      "with a key whose line breaks are lost",
      "private_key must be a private key in PEM, with its line breaks",
      { client_id, private_key: pem.replaceAll("\n", " ") },
    ],
    [
      "with a key that comes after something else",
      "private_key must be a private key in PEM",
      { client_id, private_key: `hunter2 ${pem}` },
    ],
    [
      "with one bad key of several",
      "a key in private_keys must be a private key in PEM",
      { client_id, private_keys: { hunter2: "hunter2" }, key_id: "hunter2" },
    ],
    [
      "with several keys and no choice",
      "key_id must name one of private_keys",
      { client_id, private_keys: { hunter2: pem } },
    ],
    [
      "with a key by the name of no choice",
      "key_id must name one of private_keys",
      { client_id, private_keys: { undefined: pem } },
    ],
    [
      "with the choice of a key that is not there",
      "key_id must name one of private_keys",
      { client_id, private_keys: { hunter2: pem }, key_id: "toString" },
    ],
    [
      "with a signing algorithm nobody knows",
      "algorithm must be (",
      { client_id, private_key: pem, algorithm: "hunter2" },
    ],
    [
      "with key_id beside a secret",
      "key_id does not belong beside client_secret; remove one of them",
      { client_id, client_secret: "hunter2", key_id: "a" },
    ],
    [
      "with algorithm beside a seed",
      "algorithm does not belong beside otp_seed",
      { client_id, otp_seed: "AAAA", algorithm: "ES256" },
    ],
    [
      "with audience beside a secret",
      "audience does not belong beside client_secret",
      { client_id, client_secret: "hunter2", audience: "a" },
    ],
    [
      "with otp_digits beside a key",
      "otp_digits does not belong beside private_key",
      { client_id, private_key: pem, otp_digits: 6 },
    ],
    [
      "with otp_period beside keys",
      "otp_period does not belong beside private_keys",
      { client_id, private_keys: { a: pem }, key_id: "a", otp_period: 6 },
    ],
    [
      "with otp_algorithm beside a secret",
      "otp_algorithm does not belong beside client_secret",
      { client_id, client_secret: "hunter2", otp_algorithm: "SHA1" },
    ],
  ];

  it.each(cases)("%s", (_, rule, given) => {
    const parse = () => parseCredentials(typeof given === "string" ? given : JSON.stringify(given));
    expect(parse).toThrow(PermanentError);
    expect(parse).toThrow(expect.objectContaining({ code: "credentials_invalid" }));
    expect(parse).toThrow(`The credentials secret: ${rule}`);
    try {
      parse();
    } catch (error) {
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/hunter2|BEGIN/);
      expect((error as Error).cause).toBeUndefined();
    }
  });

  it("and all its faults are named at once", () => {
    const given = JSON.stringify({ client_secret: "", otp_digits: 5 });
    expect(() => parseCredentials(given)).toThrow(
      "The credentials secret: client_id is missing; client_secret must not be empty; otp_digits must be (6 | 7 | 8).",
    );
  });
});
