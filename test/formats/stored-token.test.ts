import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holdsCredentials, parseValue, type StoredToken, serializeToken } from "../../src/formats/stored-token.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";

const full = {
  access_token: "abc",
  token_type: "Bearer",
  token_id: "tok_lt_1",
  scopes: ["jobs:submit"],
  issued_at: "2026-01-01T00:00:00.000Z",
  expires_at: "2026-03-02T00:00:00Z",
  client_id: "c2m_client",
  base_url: "https://api.click2mail.com/v2",
};

function parse(value: unknown) {
  return parseValue(new Sensitive(typeof value === "string" ? value : JSON.stringify(value)));
}

function ours(value: unknown): StoredToken {
  const parsed = parse(value);
  if (parsed.kind !== "ours") throw new Error("It is foreign.");
  return parsed.token;
}

function written(token: StoredToken): unknown {
  return JSON.parse(serializeToken(token).reveal());
}

it.each([
  ["a client secret", { client_secret: "s" }, true],
  ["a seed", { otp_seed: "s" }, true],
  ["a key", { private_key: "s" }, true],
  ["keys", { private_keys: {} }, true],
  ["none of these", { client_id: "c" }, false],
  ["a text", "client_secret", false],
  ["a text in JSON", '"client_secret"', false],
  ["nothing", "null", false],
  ["a number", "5", false],
])("a value with %s holds a client's credentials: %j: %s", (_, value, expected) => {
  expect(holdsCredentials(new Sensitive(typeof value === "string" ? value : JSON.stringify(value)))).toBe(expected);
});

describe("a stored value", () => {
  it("reads as what it says", () => {
    const { accessToken, otherFields, ...rest } = ours(full);
    expect(accessToken.reveal()).toBe("abc");
    expect(otherFields.reveal()).toBe("{}");
    expect(rest).toEqual({
      tokenType: "Bearer",
      tokenId: "tok_lt_1",
      scopes: ["jobs:submit"],
      issuedAt: full.issued_at,
      expiresAt: full.expires_at,
      clientId: "c2m_client",
      baseUrl: full.base_url,
    });
  });

  it("reads with both of its ids, and is written with them", () => {
    const both = { ...full, header_token_id: "tok_lt_2" };
    expect(ours(both)).toMatchObject({ tokenId: "tok_lt_1", headerTokenId: "tok_lt_2" });
    expect(written(ours(both))).toEqual(both);
  });

  it("of an earlier release reads with nothing but the token, its end and its client", () => {
    const token = ours({ access_token: "abc", expires_at: "2026-03-02T00:00:00Z", client_id: "c2m_client" });
    expect(token).toMatchObject({ tokenType: "Bearer", tokenId: undefined, scopes: undefined, issuedAt: undefined });
    expect(token.baseUrl).toBeUndefined();
  });

  it("has no id where that is empty", () => {
    expect(ours({ ...full, token_id: "" }).tokenId).toBeUndefined();
  });

  it("is written as it was read, fields that somebody else added included", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (added) => {
        const text = JSON.stringify({ ...added, ...full });
        expect(written(ours(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("is written without the fields that are not known", () => {
    const minimal = { access_token: "abc", expires_at: "2026-03-02T00:00:00Z", client_id: "c2m_client" };
    expect(written(ours(minimal))).toEqual({ ...minimal, token_type: "Bearer" });
  });

  it.each([
    ["access_token", undefined],
    ["access_token", ""],
    ["access_token", 5],
    ["expires_at", undefined],
    ["expires_at", "soon"],
    ["client_id", undefined],
    ["issued_at", "then"],
    ["scopes", "jobs:submit"],
    ["scopes", [1]],
    ["token_id", 7],
  ])("is foreign when its %s is %j", (field, value) => {
    expect(parse({ ...full, [field]: value })).toMatchObject({ kind: "foreign", token: undefined });
    const { base_url: _, ...answer } = full;
    const parsed = parse({ ...answer, [field]: value });
    expect(parsed.kind).toBe("foreign");
    // Its token can be told from another all the same.
    const text = parsed.kind === "foreign" ? parsed.token?.reveal() : undefined;
    expect(text).toBe(field === "access_token" ? undefined : full.access_token);
  });

  it.each(["[]", "null", "5", '"text"', "{}"])("is foreign, and not known to be a token, as the JSON %s", (text) => {
    expect(parse(text)).toMatchObject({ kind: "foreign", token: undefined });
  });

  it("is foreign, and may be a token, as a plain text without spaces", () => {
    for (const text of ["an-old-token", "!", "~"]) {
      const value = new Sensitive(text);
      const parsed = parseValue(value);
      expect(parsed.kind === "foreign" && parsed.token?.reveal()).toBe(text);
    }
  });

  it.each(["two words", "", "täglich", "line\nbreak", " x", "x "])("is foreign and no token as %j", (text) => {
    expect(parse(text)).toMatchObject({ kind: "foreign", token: undefined });
  });

  it("is never the reason for an error, whatever it holds", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => ["ours", "foreign"].includes(parse(text).kind)));
  });
});
