import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LocalCloud } from "../../cloud.ts";
import { policy } from "../aws/test-cloud.ts";
import { accountId, emptyCloud, trust } from "../pulumi/planned.ts";

let cloud: LocalCloud;
beforeAll(async () => {
  ({ cloud } = await emptyCloud());
  cloud.iam.createRole({ name: "app", arn: roleOf("app"), assumeRolePolicy: trust });
  const input = { Name: "secret", ClientRequestToken: crypto.randomUUID() };
  cloud.secretsManager.engine.createSecret(input, cloud.administrator);
});
afterAll(() => cloud.stop());

const roleOf = (name: string) => `arn:aws:iam::${accountId}:role/${name}`;

/** Puts the policy of a secret; resolves with the code of the refusal, or undefined. */
function put(statement: Record<string, unknown>, BlockPublicPolicy = true): string | undefined {
  const input = { SecretId: "secret", ResourcePolicy: policy(statement), BlockPublicPolicy };
  try {
    cloud.secretsManager.engine.putResourcePolicy(input);
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const read = { Action: "secretsmanager:GetSecretValue", Resource: "*" };
const allow = { Effect: "Allow", ...read };

describe("the policy of a secret that lets everybody in", () => {
  test.each<[string, Record<string, unknown>]>([
    ["by a wildcard", { ...allow, Principal: "*" }],
    ["by a wildcard among AWS principals", { ...allow, Principal: { AWS: ["*", roleOf("app")] } }],
    [
      "under a condition that says nothing of who asks",
      { ...allow, Principal: "*", Condition: { Bool: { "aws:SecureTransport": "true" } } },
    ],
    [
      "under one that holds for whoever lacks the key",
      { ...allow, Principal: "*", Condition: { StringEqualsIfExists: { "aws:SourceVpc": "vpc-1" } } },
    ],
    [
      "under one with a wildcard for a value",
      { ...allow, Principal: "*", Condition: { StringLike: { "aws:PrincipalAccount": "*" } } },
    ],
    [
      "but for one account",
      { ...allow, Principal: "*", Condition: { StringNotEquals: { "aws:PrincipalAccount": accountId } } },
    ],
  ])("%s: is refused with BlockPublicPolicy, and taken without", (_, statement) => {
    expect(put(statement)).toBe("PublicPolicyException");
    expect(put(statement, false)).toBeUndefined();
  });
});

describe("the policy of a secret is taken", () => {
  test.each<[string, Record<string, unknown>]>([
    ["that denies everybody", { Effect: "Deny", ...read, Principal: "*" }],
    ["that lets in a role that is there", { ...allow, Principal: { AWS: roleOf("app") } }],
    ["that lets in the account", { ...allow, Principal: { AWS: accountId } }],
    [
      "that lets in a role of another account, which nobody here knows",
      { ...allow, Principal: { AWS: "arn:aws:iam::999999999999:role/x" } },
    ],
    ["that lets in a service", { ...allow, Principal: { Service: "rds.amazonaws.com" } }],
    [
      "that narrows everybody down to an account",
      { ...allow, Principal: "*", Condition: { StringEquals: { "aws:PrincipalAccount": accountId } } },
    ],
    [
      "that narrows everybody down to an organization",
      { ...allow, Principal: "*", Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } } },
    ],
  ])("%s", (_, statement) => {
    expect(put(statement)).toBeUndefined();
  });
});

describe("the policy of a secret is refused as malformed", () => {
  test.each<[string, Record<string, unknown>]>([
    ["without a Resource", { Effect: "Allow", Action: "secretsmanager:*", Principal: { AWS: accountId } }],
    ["without a Principal", allow],
    ["with a role that is not there", { ...allow, Principal: { AWS: roleOf("none") } }],
    ["with a principal that is none", { ...allow, Principal: { AWS: "app" } }],
    ["with a field that no policy has", { ...allow, Principal: "*", Resources: "*" }],
  ])("%s", (_, statement) => {
    expect(put(statement)).toBe("MalformedPolicyDocumentException");
  });
});

test("a topic's and a key's policy are judged the same way", () => {
  const topic = `arn:aws:sns:us-east-1:${accountId}:t`;
  cloud.topics.create(topic);
  const forNobody = policy({
    Effect: "Allow",
    Action: "sns:Publish",
    Resource: topic,
    Principal: { AWS: roleOf("none") },
  });
  expect(() => cloud.topics.setPolicy(topic, forNobody)).toThrow(/^Invalid parameter: Policy Error: Invalid principal/);
  expect(() => cloud.keys.put("k", { policy: forNobody })).toThrow(
    expect.objectContaining({ code: "MalformedPolicyDocumentException" }),
  );
});
