import { describe, expect, it } from "vitest";
import { type ParsedValue, parseValue, type StoredToken } from "../../src/formats/stored-token.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { compareToken, isSameC2m, isSameToken, type Revocable } from "../../src/rotation/same-token.ts";

const here = { baseUrl: "https://c2m.test/v2", clientId: "c2m_client" };
const token = (fields: Partial<Revocable> & { text?: string } = {}): Revocable => {
  const { text, ...named } = fields;
  const accessToken = text === undefined ? {} : { accessToken: new Sensitive(text) };
  return { tokenId: undefined, expiresAt: undefined, ...here, ...accessToken, ...named };
};
const ours = (fields: Partial<StoredToken> & { text: string }): ParsedValue => ({
  kind: "ours",
  token: {
    accessToken: new Sensitive(fields.text),
    tokenType: "Bearer",
    tokenId: undefined,
    headerTokenId: undefined,
    scopes: undefined,
    issuedAt: undefined,
    expiresAt: "2026-03-01T00:00:00Z",
    otherFields: new Sensitive("{}"),
    ...here,
    ...fields,
  },
});
const plain = (text?: string): ParsedValue => ({
  kind: "foreign",
  token: text === undefined ? undefined : new Sensitive(text),
});

describe("two tokens", () => {
  it.each([
    [{}, {}, true],
    [{ clientId: undefined }, {}, true],
    [{}, { clientId: undefined }, true],
    [{ clientId: "c2m_other" }, {}, false],
    [{ baseUrl: undefined }, {}, true],
    [{}, { baseUrl: undefined }, true],
    [{ baseUrl: "https://c2m.test/v2/" }, {}, true],
    [{ baseUrl: "https://other.test/v2" }, {}, false],
  ])("are of one C2M as far as both say: %o and %o: %s", (one, other, expected) => {
    expect(isSameC2m({ ...here, ...one }, { ...here, ...other })).toBe(expected);
  });

  it.each([
    ["the same text, whatever their ids", { text: "a", tokenId: "1" }, { text: "a", tokenId: "2" }, true],
    ["another text and the same id", { text: "a", tokenId: "1" }, { text: "b", tokenId: "1" }, true],
    ["one id of two in common", { tokenId: "1", headerTokenId: "2" }, { tokenId: "2" }, true],
    ["a text on one side, and no id in common", { text: "a", tokenId: "1" }, { tokenId: "2" }, false],
    ["a text on the other side, and no id in common", { tokenId: "1" }, { text: "a", tokenId: "2" }, false],
    ["the same id at another C2M", { tokenId: "1", baseUrl: "https://other.test" }, { tokenId: "1" }, false],
    ["no id on either side", {}, {}, false],
  ])("with %s are the same or not", (_, one, other, expected) => {
    expect(isSameToken(token(one), token(other))).toBe(expected);
  });
});

describe("a token beside what a secret holds", () => {
  it.each([
    ["the same text", token({ text: "a" }), ours({ text: "a" }), "same"],
    ["the same text at another C2M", token({ text: "a", clientId: "other" }), ours({ text: "a" }), "same"],
    ["the text of a plain value", token({ text: "a" }), plain("a"), "same"],
    ["another text than a plain value", token({ text: "a" }), plain("b"), "different"],
    ["the same id", token({ tokenId: "1" }), ours({ text: "a", tokenId: "1" }), "same"],
    ["the other id", token({ tokenId: "2" }), ours({ text: "a", tokenId: "1", headerTokenId: "2" }), "same"],
    ["another id", token({ tokenId: "2" }), ours({ text: "a", tokenId: "1" }), "different"],
    [
      "its id only, and that of another C2M",
      token({ tokenId: "1", clientId: "other" }),
      ours({ text: "a", tokenId: "1" }),
      "different",
    ],
    ["no id, at another C2M", token({ clientId: "other" }), ours({ text: "a" }), "different"],
    ["its id only, and a value without one", token({ tokenId: "1" }), ours({ text: "a" }), "unknown"],
    ["no id, and a value with one", token(), ours({ text: "a", tokenId: "1" }), "unknown"],
    ["its id only, and a plain value", token({ tokenId: "1" }), plain("a"), "unknown"],
    ["its text, and foreign JSON", token({ text: "a", tokenId: "1" }), plain(), "unknown"],
    [
      "its text, and foreign JSON without it",
      token({ text: "abc" }),
      parseValue(new Sensitive('{"t":"ab"}')),
      "unknown",
    ],
  ] as const)("by %s", (_, one, held, expected) => {
    expect(compareToken(one, held)).toBe(expected);
  });

  it.each(["abc\n", " abc", '"abc"', '{"C2M_TOKEN":"abc"}', "Bearer abc", "C2M_TOKEN=abc\nC2M_URL=x\n", '["abc"]'])(
    "is the one in a value that holds its text somehow: %j (row 8)",
    (value) => {
      expect(compareToken(token({ text: "abc", tokenId: "1" }), parseValue(new Sensitive(value)))).toBe("same");
    },
  );
});
