import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../iam/policy.ts";

const allow = { Effect: "Allow", Action: "a:B", Resource: "*" };
const document = (statement: unknown, rest: Record<string, unknown> = {}) =>
  JSON.stringify({ Version: "2012-10-17", Statement: statement, ...rest });

test("single values and lists mean the same", () => {
  const single = parsePolicy(document(allow), "identity");
  expect(parsePolicy(document([{ ...allow, Action: ["a:B"], Resource: ["*"] }]), "identity")).toEqual(single);
});

test("JSON's true may stand for the string", () => {
  const [statement] = parsePolicy(
    document({ ...allow, Condition: { Bool: { "aws:SecureTransport": true } } }),
    "identity",
  );
  expect(statement?.conditions[0]?.values).toEqual(["true"]);
});

describe("what the evaluator does not know is refused and named:", () => {
  test.each([
    ["text that is not JSON", "{", "The policy is not JSON."],
    [
      "an old version",
      JSON.stringify({ Version: "2008-10-17", Statement: allow }),
      'Version must be "2012-10-17", not "2008-10-17".',
    ],
    ["an unknown policy field", document(allow, { Colour: 1 }), "Colour not known here"],
    ["NotAction", document({ Effect: "Allow", NotAction: "a:B", Resource: "*" }), "NotAction not known here"],
    ["NotResource", document({ ...allow, NotResource: "x" }), "NotResource not known here"],
    ["a Principal in an identity policy", document({ ...allow, Principal: "*" }), "Principal not known here"],
    ["another effect", document({ ...allow, Effect: "allow" }), 'Effect must be Allow or Deny, not "allow".'],
    ["a missing action", document({ Effect: "Allow", Resource: "*" }), "Action must hold strings, not nothing."],
    ["an empty action list", document({ ...allow, Action: [] }), "Action must not be empty."],
    ["a missing resource", document({ Effect: "Allow", Action: "a:B" }), "an identity policy must name a Resource"],
    [
      "an unknown operator",
      document({ ...allow, Condition: { NumericLessThan: { "a:k": "1" } } }),
      "NumericLessThan is not known here",
    ],
    [
      "NullIfExists",
      document({ ...allow, Condition: { NullIfExists: { "a:k": "true" } } }),
      "NullIfExists is not known here",
    ],
    ["a Bool that is neither", document({ ...allow, Condition: { Bool: { "a:k": "yes" } } }), "must be true or false"],
    [
      "a policy variable",
      document({ ...allow, Resource: ["arn:$", "{aws:username}"].join("") }),
      "policy variables are not known here",
    ],
  ])("%s", (_, text, message) => {
    expect(() => parsePolicy(text, "identity")).toThrow(message);
  });

  test.each([
    ["a resource policy without a principal", { Effect: "Allow", Action: "a:B" }, "must name a Principal"],
    [
      "a resource policy without a resource",
      { Effect: "Allow", Action: "a:B", Principal: "*" },
      "a resource policy must name a Resource",
    ],
    [
      "a federated principal",
      { Effect: "Allow", Action: "a:B", Resource: "*", Principal: { Federated: "x" } },
      "Federated not known here",
    ],
    [
      "NotPrincipal",
      { Effect: "Deny", Action: "a:B", Principal: "*", NotPrincipal: "*" },
      "NotPrincipal not known here",
    ],
  ])("%s", (_, statement, message) => {
    expect(() => parsePolicy(document(statement), "resource")).toThrow(message);
  });
});
