import { describe, expect, test } from "vitest";
import { parseFilterPattern } from "../../logs/filter-pattern.ts";

const line = JSON.stringify({
  event: "token.issued",
  count: 3,
  done: true,
  left: false,
  none: null,
  "dashed-key": "x",
  nested: { id: 'say "hi"', list: [{ a: "first" }, 7] },
});

describe("a JSON pattern", () => {
  test.each([
    ['{ $.event = "token.issued" }', true],
    ['{ $.event = "token.issue" }', false],
    ['{ $.event = "token.*" }', true],
    ['{ $.event = "*issued" }', true],
    ['{ $.event = "token?issued" }', false],
    ['{ $.event != "token.revoked" }', true],
    ['{ $.event != "token.*" }', false],
    ['{ $.absent = "x" }', false],
    ['{ $.absent != "x" }', false],
    ['{ $.nested.id = "say \\"hi\\"" }', true],
    ['{ $.nested.list[0].a = "first" }', true],
    ["{ $.nested.list[1] = 7 }", true],
    ['{ $.dashed-key = "x" }', true],
    ["{ $.count = 3 }", true],
    ["{ $.count != 3 }", false],
    ["{ $.count >= 3.0 }", true],
    ["{ $.count > 3 }", false],
    ["{ $.count < 4 }", true],
    ["{ $.count <= 2 }", false],
    ["{ $.event = 3 }", false],
    ["{ $.done IS TRUE }", true],
    ["{ $.left IS TRUE }", false],
    ["{ $.left IS FALSE }", true],
    ["{ $.none IS NULL }", true],
    ["{ $.count IS NULL }", false],
    ["{ $.absent NOT EXISTS }", true],
    ["{ $.none NOT EXISTS }", false],
    ['{ $.event = "a" || $.count = 3 }', true],
    ['{ $.event = "a" && $.count = 3 }', false],
    ['{ $.event = "a" && $.count = 3 || $.done IS TRUE }', true],
    ['{ $.event = "a" && ($.count = 3 || $.done IS TRUE) }', false],
    ['{($.event="token.issued")&&($.count=3)}', true],
  ])("%s: %s", (pattern, expected) => {
    expect(parseFilterPattern(pattern)(line)).toBe(expected);
  });

  test.each(["START RequestId: 1", "[1]", '"text"', "null"])("matches no line that is no JSON object: %s", (text) => {
    expect(parseFilterPattern('{ $.event = "*" }')(text)).toBe(false);
  });
});

describe("a pattern of terms", () => {
  test.each([
    ["", true],
    ["issued", true],
    ["Issued", false],
    ["issued revoked", false],
    ["token issued", true],
    ['"token.issued"', true],
    ['"token.issued" "count"', true],
    ['"token issued"', false],
  ])("%j: %s", (pattern, expected) => {
    expect(parseFilterPattern(pattern)(line)).toBe(expected);
  });
});

test.each([
  "%regex%",
  "?error ?warn",
  "-error",
  "[ip, user]",
  "{ $.event = token }",
  '{ $.event > "a" }',
  "{ $.event ~ 1 }",
  '{ $.event = "a"',
  '{ $.event = "a" } x',
  '{ event = "a" }',
  "{ $.count = 1 && }",
  "{ $.a IS DONE }",
  "{ $.a NOT THERE }",
  "{ $.event && 1 }",
])("a pattern that is not known here is refused: %s", (pattern) => {
  expect(() => parseFilterPattern(pattern)).toThrow(/^Invalid filter pattern: /);
});
