import { describe, expect, it } from "vitest";
import type { Plan, PlannedResource } from "../harness/pulumi/plan.ts";
import { currentToken, deployPlan, emptyCloud, hour, logGroup, secretName, stackPlan } from "./stack.ts";

const program = await stackPlan({ schedule: "rate(4 hours)" });

/**
 * Deploys a plan, lets a rotation and its grace pass, then cancels a rotation in the middle and lets two days pass.
 * What is wrong with how that went; empty when all is well.
 */
async function problemsOf(declared: Plan): Promise<string[]> {
  // Whether AWS configures rotation for a secret without a value is not known, so the program must not rely on it.
  const { cloud, clock } = await emptyCloud({ secretsManager: { rotateWithoutValue: "refuse", retry: "manual" } });
  const problems: string[] = [];
  const failures = () =>
    cloud.bus.events
      .filter(({ detail }) => String(detail.eventName).endsWith("Failed"))
      .map(({ detail }) => String(detail.errorMessage ?? detail.eventName));
  const liveTokens = () => cloud.c2m.liveLongTokens().map(({ id }) => id);
  try {
    await deployPlan(cloud, declared);
    const first = currentToken(cloud).token_id;
    await clock.advanceBy(7 * hour);
    if (currentToken(cloud).token_id === first) problems.push("the token was not rotated");
    if (liveTokens().join() !== currentToken(cloud).token_id) problems.push("another token lives");
    problems.push(...failures());

    cloud.faults.add({
      service: "c2m",
      operation: "issueShortTermToken",
      fault: { kind: "error", status: 400, code: "bad_request", message: "no" },
    });
    const { engine } = cloud.secretsManager;
    engine.rotateSecret({ SecretId: secretName, ClientRequestToken: "stuck".padEnd(36, "-") });
    await cloud.secretsManager.idle();
    engine.cancelRotateSecret({ SecretId: secretName });
    await clock.advanceBy(5 * hour);
    const { VersionIdsToStages = {} } = engine.describeSecret({ SecretId: secretName });
    if (Object.values(VersionIdsToStages).flat().includes("AWSPENDING")) problems.push("AWSPENDING is stuck");
    if (liveTokens().join() !== currentToken(cloud).token_id) problems.push("a token that was given up lives");

    const lines = cloud.logs.lines(logGroup);
    for (const name of ["token.issued", "reconcile.completed"]) {
      if (!lines.some((line) => line.includes(`"${name}"`))) problems.push(`no ${name} in the log`);
    }
    problems.push(...lines.filter((line) => line.includes('"reconcile.failed"')));
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  } finally {
    await cloud.stop();
  }
  return problems;
}

function find(type: string, name = ""): PlannedResource {
  const found = program.resources.find((one) => one.type.endsWith(`:${type}`) && one.name.includes(name));
  if (!found) throw new Error(`The program declares no ${type} ${name}`);
  return found;
}

function without({ urn }: PlannedResource): Plan {
  const resources = program.resources
    .filter((resource) => resource.urn !== urn)
    .map((resource) => ({ ...resource, dependencies: resource.dependencies.filter((other) => other !== urn) }));
  return { ...program, resources };
}

function withoutDependency({ urn }: PlannedResource, { urn: needed }: PlannedResource): Plan {
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

interface Policy {
  Statement: Statement[];
}

const policies = program.resources.filter(({ type }) => type.endsWith(":RolePolicy"));
const policyOf = ({ inputs }: PlannedResource) => JSON.parse(String(inputs.policy)) as Policy;
const grants = policies.flatMap((resource) =>
  policyOf(resource).Statement.flatMap(({ Sid, Action }) =>
    [Action].flat().map((action) => ({ role: resource.name, Sid, action, resource })),
  ),
);

function withoutAction(owner: PlannedResource, sid: string, action: string): Plan {
  const policy = policyOf(owner);
  const Statement = policy.Statement.map((statement) =>
    statement.Sid === sid
      ? { ...statement, Action: [statement.Action].flat().filter((one) => one !== action) }
      : statement,
  ).filter(({ Action }) => Action.length > 0);
  const resources = program.resources.map((resource) =>
    resource.urn === owner.urn
      ? { ...resource, inputs: { ...resource.inputs, policy: JSON.stringify({ ...policy, Statement }) } }
      : resource,
  );
  return { ...program, resources };
}

describe("everything that the program declares is needed", () => {
  it("as declared, all is well", async () => {
    expect(await problemsOf(program)).toEqual([]);
  });

  it.each([
    ["Invocation", ""],
    ["Permission", "rotator"],
    ["Permission", "reconciler"],
    ["RolePolicy", "rotator"],
    ["RolePolicy", "reconciler"],
    ["SecretRotation", ""],
    ["SecretVersion", ""],
    ["EventTarget", ""],
  ])("without its %s %s it fails", async (type, name) => {
    expect(await problemsOf(without(find(type, name)))).not.toEqual([]);
  });

  it.each([
    ["SecretRotation", "Permission"],
    ["SecretRotation", "Invocation"],
    ["Function", "RolePolicy"],
  ])("without the dependency of its %s on its %s it fails", async (type, on) => {
    expect(await problemsOf(withoutDependency(find(type), find(on, on === "Invocation" ? "" : "rotator")))).not.toEqual(
      [],
    );
  });

  it.each(grants)("without the permission $action of $Sid of $role it fails", async ({ resource, Sid, action }) => {
    expect(await problemsOf(withoutAction(resource, Sid, action))).not.toEqual([]);
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
