import { describe, expect, it } from "vitest";
import { one } from "../../harness/declared.ts";
import { plan } from "../../harness/program.ts";
import { secretName, stackConfig, stackPlan } from "../../harness/stack.ts";
import { documentedOnly, isDocumentedOnly } from "./documented-permissions.ts";
import { type Grant, grantsOf, problemsOf, without, withoutDependency, withoutGrant } from "./necessity.ts";

// With all that is optional, so that no permission of it goes without a test.
const { config, secretKeys = [] } = stackConfig({ schedule: "rate(4 hours)" });
const program = await plan({
  config: {
    ...config,
    kmsKey: "create",
    replicaRegions: '["eu-west-1"]',
    readers: '["arn:aws:iam::123456789012:role/app"]',
    vpc: '{"subnetIds":["subnet-1","subnet-2"],"securityGroupIds":["sg-1"]}',
    tracing: "true",
    alarmEmails: '["ops@example.com"]',
  },
  secretKeys,
});

describe("everything that the program declares is needed", () => {
  it("as declared, all is well", async () => {
    expect(await problemsOf(program)).toEqual([]);
  });

  it.each([
    ["Invocation", secretName],
    ["Permission", "rotator"],
    ["Permission", "reconciler"],
    ["RolePolicy", "rotator"],
    ["RolePolicy", "reconciler"],
    ["SecretRotation", ""],
    ["SecretVersion", ""],
    ["EventTarget", "reconciler"],
  ])("without its %s %s it fails", async (type, name) => {
    expect(await problemsOf(without(program, one(program, type, name)))).not.toEqual([]);
  });

  it.each([
    ["SecretRotation", secretName, "Permission", "rotator"],
    ["SecretRotation", secretName, "Invocation", secretName],
    ["Function", "rotator", "RolePolicy", "rotator"],
  ])("without the dependency of its %s %s on its %s %s it fails", async (type, name, on, other) => {
    const changed = withoutDependency(program, one(program, type, name), one(program, on, other));
    expect(await problemsOf(changed)).not.toEqual([]);
  });

  const [documented, provable] = [
    grantsOf(program).filter(({ action }) => isDocumentedOnly(action)),
    grantsOf(program).filter(({ action }) => !isDocumentedOnly(action)),
  ];

  it.each(provable)("without the permission $action of $Sid of $role it fails", async (grant) => {
    expect(await problemsOf(withoutGrant(program, grant))).not.toEqual([]);
  });

  it("but for what AWS documents and no local call can show", () => {
    expect(new Set(documented.map(({ action }) => action))).toEqual(
      new Set(documentedOnly.map(({ action }) => action)),
    );
  });

  it("as declared without anything optional, all is well too, and no more is granted", async () => {
    const plain = await stackPlan({ schedule: "rate(4 hours)" });
    expect(await problemsOf(plain)).toEqual([]);
    const text = ({ role, Sid, action }: Grant) => `${role} ${Sid} ${action}`;
    const more = grantsOf(program).map(text);
    expect(more).toEqual(expect.arrayContaining(grantsOf(plain).map(text)));
    expect(grantsOf(plain).filter(({ action }) => isDocumentedOnly(action))).toEqual([]);
  });
});

describe("the program", () => {
  it("declares no SecretVersion for the token secret: after a rotation it would put the first value back", () => {
    const versions = program.resources.filter(({ type }) => type.endsWith(":SecretVersion"));
    expect(versions.map(({ inputs }) => inputs.secretId)).toEqual([expect.not.stringContaining(secretName)]);
  });

  it("gives the client secret to Pulumi as a secret, in whatever holds it", () => {
    for (const { inputs, secretInputs } of program.resources) {
      for (const [name, value] of Object.entries(inputs)) {
        if (JSON.stringify(value).includes("stack-client-secret")) expect(secretInputs).toContain(name);
      }
    }
    expect(one(program, "SecretVersion").secretInputs).toEqual(["secretString"]);
    expect(JSON.stringify(program.outputs)).not.toContain("stack-client-secret");
  });

  it("protects from deletion the secrets and the log, which is the ledger, and never deletes their key", () => {
    const protectedOnes = program.resources.filter(({ protect }) => protect).map(({ type }) => type.split(":").at(-1));
    expect(protectedOnes.sort()).toEqual(["LogGroup", "Secret", "Secret"]);
    expect(one(program, "Key").retainOnDelete).toBe(true);
    expect(one(program, "Secret", secretName).protect).toBe(true);
  });
});
