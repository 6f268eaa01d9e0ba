import { describe, expect, test } from "vitest";
import { conditionHolds, contextOf } from "../../iam/condition.ts";
import { parsePolicy } from "../../iam/policy.ts";

const arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";
const absent = undefined;

/** Whether one operator with one expected value holds for a key's actual value. */
function holds(operator: string, expected: string | string[], actual: string | string[] | undefined): boolean {
  const document = {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "*", Resource: "*", Condition: { [operator]: { "a:Key": expected } } },
  };
  const condition = parsePolicy(JSON.stringify(document), "identity")[0]?.conditions[0];
  if (!condition) throw new Error("The policy has no condition.");
  return conditionHolds(condition, contextOf(actual === undefined ? {} : { "A:key": actual }));
}

describe("a condition on one value", () => {
  test.each([
    ["StringEquals", "x", "x", true],
    ["StringEquals", "x", "X", false],
    ["StringEquals", "x*", "xy", false],
    ["StringEquals", ["x", "y"], "y", true],
    ["StringEquals", "x", absent, false],
    ["StringEqualsIfExists", "x", absent, true],
    ["StringEqualsIfExists", "x", "y", false],
    ["StringNotEquals", "x", "x", false],
    ["StringNotEquals", "x", "y", true],
    ["StringNotEquals", ["x", "y"], "y", false],
    ["StringNotEquals", "x", absent, true],
    ["StringLike", "x*", "xy", true],
    ["StringLike", "x?", "x", false],
    ["StringNotLike", "x*", "xy", false],
    ["StringNotLike", "x*", "y", true],
    ["ArnEquals", arn, arn, true],
    ["ArnEquals", "arn:aws:lambda:*:*:function:*", arn, true],
    ["ArnLike", "arn:aws:lambda:*:*:function:*", arn, true],
    ["ArnLike", "arn:aws:lambda:*:function:*", arn, false],
    ["ArnLike", arn, absent, false],
    ["ArnNotEquals", arn, arn, false],
    ["ArnNotLike", "arn:aws:sqs:*:*:*", arn, true],
    ["Bool", "true", "true", true],
    ["Bool", "false", "true", false],
    ["Bool", "true", absent, false],
    ["BoolIfExists", "true", absent, true],
    ["Null", "true", absent, true],
    ["Null", "true", "x", false],
    ["Null", "false", "x", true],
    ["Null", "false", absent, false],
  ])("%s %j holds for %j: %s", (operator, expected, actual, result) => {
    expect(holds(operator, expected, actual)).toBe(result);
  });
});

describe("a condition on several values", () => {
  test.each([
    ["ForAllValues:StringEquals", ["x", "y"], ["x", "y"], true],
    ["ForAllValues:StringEquals", ["x", "y"], ["x", "z"], false],
    ["ForAllValues:StringEquals", "x", absent, true],
    ["ForAllValues:StringNotEquals", "x", ["y", "z"], true],
    ["ForAllValues:StringNotEquals", "x", ["x", "z"], false],
    ["ForAllValues:StringLike", "x*", ["xa", "xb"], true],
    ["ForAnyValue:StringEquals", "x", ["x", "z"], true],
    ["ForAnyValue:StringEquals", "x", ["y", "z"], false],
    ["ForAnyValue:StringEquals", "x", absent, false],
    ["ForAnyValue:StringNotEquals", "x", absent, false],
    ["ForAnyValue:StringEqualsIfExists", "x", absent, true],
    ["ForAnyValue:ArnLike", "arn:aws:lambda:*:*:function:*", ["arn:aws:sqs:a:b:c", arn], true],
  ])("%s %j holds for %j: %s", (operator, expected, actual, result) => {
    expect(holds(operator, expected, actual)).toBe(result);
  });

  test("without ForAllValues or ForAnyValue is refused, as AWS leaves it open", () => {
    expect(() => holds("StringEquals", "x", ["x", "y"])).toThrow("a:Key has several values");
  });
});
