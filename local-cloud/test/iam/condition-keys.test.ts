import { describe, expect, test } from "vitest";
import { actionHasKey, impossibleGrants, keysOfAction } from "../../iam/condition-keys.ts";
import { Iam } from "../../iam/iam.ts";
import { parsePolicy } from "../../iam/policy.ts";
import { accountId, policy, region, roleArn, roleCaller, trustPolicy } from "../aws/test-cloud.ts";

const secret = `arn:aws:secretsmanager:${region}:${accountId}:secret:app-AbCdEf`;
const key = `arn:aws:kms:${region}:${accountId}:key/1`;

/** Whether a role with one grant under this condition may do this, when the request has all of these keys. */
function mayDo(action: string, condition: object, context: Record<string, string>): boolean {
  const iam = new Iam(accountId);
  iam.createRole({ name: "fn-role", arn: roleArn, assumeRolePolicy: trustPolicy("lambda.amazonaws.com") });
  iam.putRolePolicy(
    "fn-role",
    "grant",
    policy({ Effect: "Allow", Action: action, Resource: "*", Condition: condition }),
  );
  const resource = action.startsWith("kms:") ? key : secret;
  return iam.isAllowed(roleCaller("fn-role"), { action, resource, context });
}

describe("a condition on a key that the action has", () => {
  test.each([
    ["secretsmanager:GetSecretValue", "secretsmanager:VersionStage", "AWSCURRENT"],
    ["secretsmanager:UpdateSecretVersionStage", "secretsmanager:VersionStage", "AWSPENDING"],
    ["secretsmanager:PutSecretValue", "secretsmanager:ResourceTag/app", "mail"],
    ["secretsmanager:GetSecretValue", "secretsmanager:resourcetag/app", "mail"],
    ["secretsmanager:DescribeSecret", "aws:ResourceTag/app", "mail"],
    ["secretsmanager:GetSecretValue", "aws:PrincipalAccount", accountId],
    ["kms:Decrypt", "kms:EncryptionContext:SecretARN", secret],
    ["kms:DescribeKey", "kms:ViaService", `secretsmanager.${region}.amazonaws.com`],
    // Nothing is known of this action's keys.
    ["logs:PutLogEvents", "logs:Anything", "x"],
  ])("matches: %s, %s", (action, name, value) => {
    expect(mayDo(action, { StringEquals: { [name]: value } }, { [name]: value })).toBe(true);
  });
});

describe("a condition on a key that the action does not have never matches, whatever the request holds:", () => {
  test.each([
    ["kms:DescribeKey", "kms:EncryptionContext:SecretARN", secret],
    ["secretsmanager:PutSecretValue", "secretsmanager:VersionStage", "AWSPENDING"],
    ["secretsmanager:DescribeSecret", "secretsmanager:VersionStage", "AWSCURRENT"],
    ["secretsmanager:ListSecrets", "aws:ResourceTag/app", "mail"],
    ["secretsmanager:ListSecrets", "secretsmanager:ResourceTag/app", "mail"],
    ["secretsmanager:GetSecretValue", "secretsmanager:BlockPublicPolicy", "true"],
  ])("%s, %s", (action, name, value) => {
    expect(mayDo(action, { StringEquals: { [name]: value } }, { [name]: value })).toBe(false);
    // As with every key that is absent.
    expect(mayDo(action, { StringNotEquals: { [name]: value } }, { [name]: value })).toBe(true);
    expect(mayDo(action, { StringEqualsIfExists: { [name]: "other" } }, { [name]: value })).toBe(true);
  });
});

test("of what is at hand an action is given its own keys and the global ones", () => {
  const all = { "secretsmanager:VersionStage": "A", "secretsmanager:ResourceTag/a": "b", "aws:SourceVpc": "v" };
  expect(keysOfAction("secretsmanager:PutSecretValue", all)).toEqual({
    "secretsmanager:ResourceTag/a": "b",
    "aws:SourceVpc": "v",
  });
  expect(actionHasKey("SECRETSMANAGER:getsecretvalue", "SecretsManager:VersionStage")).toBe(true);
});

test("the grants of a policy that never match are found", () => {
  const statement = (Action: string[], Condition: object) => ({ Effect: "Allow", Action, Resource: "*", Condition });
  const under = { StringEquals: { "kms:EncryptionContext:SecretARN": secret, "kms:ViaService": "x" } };
  const found = (document: string) => impossibleGrants(parsePolicy(document, "identity"));
  expect(found(policy(statement(["kms:Decrypt", "kms:DescribeKey"], under)))).toEqual([
    { action: "kms:DescribeKey", key: "kms:EncryptionContext:SecretARN" },
  ]);
  const absentIsFine = { StringNotEquals: { "kms:EncryptionContext:SecretARN": secret } };
  expect(found(policy(statement(["kms:DescribeKey"], absentIsFine)))).toEqual([]);
});
