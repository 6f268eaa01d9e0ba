import { describe, expect, it } from "vitest";
import type { Plan, PlannedResource } from "../harness/pulumi/plan.ts";
import { currentToken, day, deployPlan, emptyCloud, logGroup, secretName, stackPlan } from "./stack.ts";

const program = await stackPlan();

/** Deploys a plan and lets one rotation pass. What is wrong with how that went; empty when all is well. */
async function problemsOf(declared: Plan): Promise<string[]> {
  // Whether AWS configures rotation for a secret without a value is not known, so the program must not rely on it.
  const { cloud, clock } = await emptyCloud({ secretsManager: { rotateWithoutValue: "refuse" } });
  const problems: string[] = [];
  try {
    await deployPlan(cloud, declared);
    const first = currentToken(cloud).token_id;
    await clock.advanceBy(7 * day);
    const second = currentToken(cloud).token_id;
    if (second === first) problems.push("the token was not rotated");
    if (
      cloud.c2m
        .liveLongTokens()
        .map(({ id }) => id)
        .join() !== second
    )
      problems.push("another token lives");
    for (const { detail } of cloud.bus.events) {
      if (String(detail.eventName).endsWith("Failed")) problems.push(String(detail.errorMessage ?? detail.eventName));
    }
    const lines = cloud.logs.lines(logGroup);
    if (!lines.some((line) => line.includes('"token.issued"'))) problems.push("the ledger is empty");
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  } finally {
    await cloud.stop();
  }
  return problems;
}

function find(type: string): PlannedResource {
  const found = program.resources.find((resource) => resource.type.endsWith(`:${type}`));
  if (!found) throw new Error(`The program declares no ${type}`);
  return found;
}

function without(type: string): Plan {
  const { urn } = find(type);
  const resources = program.resources
    .filter((resource) => resource.urn !== urn)
    .map((resource) => ({ ...resource, dependencies: resource.dependencies.filter((other) => other !== urn) }));
  return { ...program, resources };
}

function withoutDependency(type: string, on: string): Plan {
  const [{ urn }, { urn: needed }] = [find(type), find(on)];
  const resources = program.resources.map((resource) =>
    resource.urn === urn
      ? { ...resource, dependencies: resource.dependencies.filter((other) => other !== needed) }
      : resource,
  );
  return { ...program, resources };
}

interface Statement {
  Sid: string;
  Action: string | string[];
}

const policy = JSON.parse(String(find("RolePolicy").inputs.policy)) as { Statement: Statement[] };
const grants = policy.Statement.flatMap(({ Sid, Action }) => [Action].flat().map((action) => ({ Sid, action })));

function withoutAction(sid: string, action: string): Plan {
  const Statement = policy.Statement.map((statement) =>
    statement.Sid === sid
      ? { ...statement, Action: [statement.Action].flat().filter((one) => one !== action) }
      : statement,
  ).filter(({ Action }) => Action.length > 0);
  const { urn } = find("RolePolicy");
  const resources = program.resources.map((resource) =>
    resource.urn === urn
      ? { ...resource, inputs: { ...resource.inputs, policy: JSON.stringify({ ...policy, Statement }) } }
      : resource,
  );
  return { ...program, resources };
}

describe("everything that the program declares is needed", () => {
  it("as declared, all is well", async () => {
    expect(await problemsOf(program)).toEqual([]);
  });

  it.each(["Invocation", "Permission", "RolePolicy", "SecretRotation", "SecretVersion"])(
    "without its %s it fails",
    async (type) => {
      expect(await problemsOf(without(type))).not.toEqual([]);
    },
  );

  it.each([
    ["SecretRotation", "Permission"],
    ["SecretRotation", "Invocation"],
    ["Function", "RolePolicy"],
  ])("without the dependency of its %s on its %s it fails", async (type, on) => {
    expect(await problemsOf(withoutDependency(type, on))).not.toEqual([]);
  });

  it.each(grants)("without the permission $action of $Sid it fails", async ({ Sid, action }) => {
    expect(await problemsOf(withoutAction(Sid, action))).not.toEqual([]);
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
    expect(find("SecretVersion").secretInputs).toEqual(["secretString"]);
    expect(JSON.stringify(program.outputs)).not.toContain("stack-client-secret");
  });

  it("protects the token secret from deletion", () => {
    expect(program.resources.filter(({ protect }) => protect).map(({ inputs }) => inputs.name)).toEqual([secretName]);
  });
});
