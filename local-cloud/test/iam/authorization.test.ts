import { describe, expect, test } from "vitest";
import type { Caller, PermissionNeeded } from "../../aws/service.ts";
import { AwsError } from "../../aws/service.ts";
import { Iam } from "../../iam/iam.ts";

const accountId = "123456789012";
const secret = `arn:aws:secretsmanager:eu-west-1:${accountId}:secret:token-AbCdEf`;
const roleArn = `arn:aws:iam::${accountId}:role/app`;
const role: Caller = {
  kind: "role",
  accountId,
  roleName: "app",
  arn: `arn:aws:sts::${accountId}:assumed-role/app/session`,
};
const operator: Caller = { kind: "administrator", accountId, arn: `arn:aws:iam::${accountId}:user/operator` };
const rotation: Caller = {
  kind: "service",
  accountId,
  principal: "secretsmanager.amazonaws.com",
  sourceArn: secret,
  arn: "secretsmanager.amazonaws.com",
};

const read = { Action: "secretsmanager:GetSecretValue", Resource: secret };
const allow = { Effect: "Allow", ...read };
const deny = { Effect: "Deny", ...read };
const policy = (...statements: Record<string, unknown>[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

/** An account with one role that has these policies. */
function account(...policies: string[]): Iam {
  const iam = new Iam();
  const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  iam.createRole({ name: "app", arn: roleArn, assumeRolePolicy: policy(trust) });
  for (const [index, document] of policies.entries()) iam.putRolePolicy("app", `policy-${index}`, document);
  return iam;
}

function decide(iam: Iam, caller: Caller, more: Partial<PermissionNeeded> = {}): "allowed" | string {
  try {
    iam.authorize(caller, { action: "secretsmanager:GetSecretValue", resource: secret, ...more });
    return "allowed";
  } catch (error) {
    if (error instanceof AwsError && error.code === "AccessDeniedException" && error.status === 400)
      return error.message;
    throw error;
  }
}

const sentence = `User: ${role.arn} is not authorized to perform: secretsmanager:GetSecretValue on resource: ${secret}`;
const noAllow = `${sentence} because no identity-based policy allows the secretsmanager:GetSecretValue action`;
const denied = (kind: string) => `${sentence} with an explicit deny in ${kind} policy`;

describe("a role's session", () => {
  test("is refused with AWS's sentence when nothing allows the call", () => {
    expect(decide(account(), role)).toBe(noAllow);
  });

  test("is allowed by any one of its policies", () => {
    expect(decide(account(policy({ Effect: "Allow", Action: "s3:*", Resource: "*" }), policy(allow)), role)).toBe(
      "allowed",
    );
  });

  test.each([
    ["secretsmanager:*", "*"],
    ["SecretsManager:getsecretvalue", secret],
    ["secretsmanager:Get*", "arn:aws:secretsmanager:*:*:secret:token-??????"],
    ["*", secret],
  ])("is allowed by action %s on %s", (Action, Resource) => {
    expect(decide(account(policy({ Effect: "Allow", Action, Resource })), role)).toBe("allowed");
  });

  test.each([
    ["secretsmanager:GetSecret", secret],
    ["secretsmanager:GetSecretValue", secret.toUpperCase()],
    ["secretsmanager:GetSecretValue", `${secret}x`],
  ])("is not allowed by action %s on %s", (Action, Resource) => {
    expect(decide(account(policy({ Effect: "Allow", Action, Resource })), role)).toBe(noAllow);
  });

  test("is refused by an explicit deny in its policies, whatever allows it", () => {
    const resourcePolicy = policy({ ...allow, Principal: "*" });
    expect(decide(account(policy(allow), policy(deny)), role, { resourcePolicy })).toBe(denied("an identity-based"));
  });

  test("is refused by an explicit deny of the resource", () => {
    expect(decide(account(policy(allow)), role, { resourcePolicy: policy({ ...deny, Principal: "*" }) })).toBe(
      denied("a resource-based"),
    );
  });

  test.each([[roleArn], [role.arn], ["*"]])("is allowed by the resource's policy alone when that names %s", (AWS) => {
    expect(decide(account(), role, { resourcePolicy: policy({ ...allow, Principal: { AWS } }) })).toBe("allowed");
  });

  test.each([[accountId], [`arn:aws:iam::${accountId}:root`]])(
    "is not allowed by a resource policy that names its account as %s: that only delegates",
    (AWS) => {
      const resourcePolicy = policy({ ...allow, Principal: { AWS } });
      expect(decide(account(), role, { resourcePolicy })).toBe(noAllow);
      expect(decide(account(policy(allow)), role, { resourcePolicy })).toBe("allowed");
    },
  );

  test("is denied by a resource policy that denies its account", () => {
    const resourcePolicy = policy({ ...deny, Principal: { AWS: accountId } });
    expect(decide(account(policy(allow)), role, { resourcePolicy })).toBe(denied("a resource-based"));
  });

  test("has its request's condition keys, its own ARN, and TLS", () => {
    const Condition = {
      StringEquals: { "secretsmanager:VersionStage": "AWSCURRENT", "aws:PrincipalAccount": accountId },
      ArnEquals: { "aws:PrincipalArn": roleArn },
      Bool: { "aws:SecureTransport": "true", "aws:PrincipalIsAWSService": "false" },
    };
    const iam = account(policy({ ...allow, Condition }));
    expect(decide(iam, role, { context: { "secretsmanager:VersionStage": "AWSCURRENT" } })).toBe("allowed");
    expect(decide(iam, role, { context: { "secretsmanager:VersionStage": "AWSPENDING" } })).toBe(noAllow);
  });

  test("of a role that isn't there may do nothing", () => {
    expect(decide(new Iam(), role)).toBe(noAllow);
  });

  test("loses what a deleted policy or role allowed", () => {
    const iam = account(policy(allow));
    iam.deleteRolePolicy("app", "policy-0");
    expect(decide(iam, role)).toBe(noAllow);
    iam.putRolePolicy("app", "again", policy(allow));
    expect(decide(iam, role)).toBe("allowed");
    iam.deleteRolePolicy("app", "again");
    iam.deleteRole("app");
    expect(decide(iam, role)).toBe(noAllow);
  });

  test("keeps its policies when the trust policy is replaced", () => {
    const iam = account(policy(allow));
    iam.updateRole({
      name: "app",
      arn: roleArn,
      assumeRolePolicy: policy({ Effect: "Allow", Principal: { AWS: accountId }, Action: "sts:AssumeRole" }),
    });
    expect(decide(iam, role)).toBe("allowed");
    expect(iam.mayBeAssumedBy(roleArn, "lambda.amazonaws.com")).toBe(false);
  });

  test("is refused with the call's own words where AWS has others", () => {
    expect(decide(account(), role, { refusal: "Access to KMS is not allowed" })).toBe("Access to KMS is not allowed");
  });
});

describe("an AWS service", () => {
  const invoke = { action: "lambda:InvokeFunction", resource: `arn:aws:lambda:eu-west-1:${accountId}:function:rotate` };
  const granted = (Condition: Record<string, unknown>, Service = "secretsmanager.amazonaws.com") => ({
    ...invoke,
    resourcePolicy: policy({
      Effect: "Allow",
      Principal: { Service },
      Action: "lambda:InvokeFunction",
      Resource: invoke.resource,
      Condition,
    }),
  });

  test.each([
    ["no condition", {}, true],
    ["the account", { StringEquals: { "AWS:SourceAccount": accountId } }, true],
    ["another account", { StringEquals: { "aws:SourceAccount": "999999999999" } }, false],
    ["the resource it acts for", { ArnLike: { "aws:SourceArn": secret } }, true],
    ["another resource", { ArnLike: { "aws:SourceArn": `${secret}2` } }, false],
  ])("is allowed by the resource's policy under %s: %s %s", (_, condition, expected) => {
    expect(new Iam().isAllowed(rotation, granted(condition))).toBe(expected);
  });

  test("is not allowed by a policy for another service, nor without one", () => {
    expect(new Iam().isAllowed(rotation, granted({}, "events.amazonaws.com"))).toBe(false);
    expect(decide(new Iam(), rotation, invoke)).toContain(
      "because no resource-based policy allows the lambda:InvokeFunction action",
    );
  });
});

describe("the operator", () => {
  test("is allowed everything but what a resource denies", () => {
    expect(decide(account(), operator)).toBe("allowed");
    expect(decide(account(), operator, { resourcePolicy: policy({ ...deny, Principal: "*" }) })).toContain(
      "with an explicit deny in a resource-based policy",
    );
  });
});

describe("a policy that can't be read", () => {
  test("is refused when it is put", () => {
    expect(() => account("{}")).toThrow(expect.objectContaining({ code: "MalformedPolicyDocument" }));
  });

  test("makes the decision fail where it stands on a resource", () => {
    expect(() => decide(account(policy(allow)), role, { resourcePolicy: "{}" })).toThrow("Version must be");
  });

  test("a role that isn't there takes none", () => {
    expect(() => new Iam().putRolePolicy("app", "p", policy(allow))).toThrow(
      expect.objectContaining({ code: "NoSuchEntity" }),
    );
    expect(() => account().deleteRolePolicy("app", "p")).toThrow(expect.objectContaining({ code: "NoSuchEntity" }));
  });
});
