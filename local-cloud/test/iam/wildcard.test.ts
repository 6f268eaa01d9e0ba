import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesArn, matchesWildcard } from "../../iam/wildcard.ts";

const letters = fc.constantFrom("a", "b", ":", "/", "*", "?", ".");

test("a wildcard pattern matches what the equivalent regular expression matches", () => {
  const text = fc.array(letters, { maxLength: 10 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, text, (pattern, candidate) => {
      const escaped = pattern.replace(/[.+^${}()|[\]\\/]/g, "\\$&");
      const oracle = new RegExp(`^${escaped.replaceAll("*", "[^]*").replaceAll("?", "[^]")}$`);
      expect(matchesWildcard(pattern, candidate)).toBe(oracle.test(candidate));
    }),
    { numRuns: 5000 },
  );
});

test("a pattern with many stars is decided without backtracking over all of them", () => {
  expect(matchesWildcard(`${"*a".repeat(40)}b`, "a".repeat(4000))).toBe(false);
});

const lambda = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";

test.each([
  [lambda, lambda, true],
  ["arn:aws:lambda:*:123456789012:function:*", lambda, true],
  ["arn:aws:lambda:*:function:rotate", lambda, false],
  ["arn:*:rotate", lambda, false],
  ["arn:aws:lambda:eu-west-?:123456789012:function:rotate", lambda, true],
  ["*", lambda, false],
  ["arn:aws:lambda:eu-west-1:123456789012:*", "rotate", false],
])("an ARN pattern is compared part by part: %s against %s is %s", (pattern, arn, expected) => {
  expect(matchesArn(pattern, arn)).toBe(expected);
});
