import { deploy } from "../../../local-cloud/pulumi/deploy.ts";
import type { Plan, PlannedResource } from "../../../local-cloud/pulumi/plan.ts";
import { one } from "../../harness/declared.ts";
import { currentToken, emptyCloud, hour, logGroup, secretName } from "../../harness/stack.ts";

/**
 * Deploys a plan, lets a rotation and its grace pass, then cancels a rotation in the middle and lets a day pass.
 * What is wrong with how that went; empty when all is well.
 */
export async function problemsOf(declared: Plan): Promise<string[]> {
  // Whether AWS configures rotation for a secret without a value is not known, so the program must not rely on it.
  const { cloud, clock } = await emptyCloud({ secretsManager: { rotateWithoutValue: "refuse", retry: "manual" } });
  // Whom the program names as a reader has to be there.
  const reader = {
    name: "app",
    arn: "arn:aws:iam::123456789012:role/app",
    assumeRolePolicy: '{"Version":"2012-10-17","Statement":[]}',
  };
  cloud.iam.createRole(reader);
  const problems: string[] = [];
  const failures = () =>
    cloud.bus.events
      .filter(({ detail }) => String(detail.eventName).endsWith("Failed"))
      .map(({ detail }) => String(detail.errorMessage ?? detail.eventName));
  const liveTokens = () => cloud.c2m.liveLongTokens().map(({ id }) => id);
  try {
    await deploy(cloud, declared);
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
    // The daily run alone looks at versions without a label.
    await clock.advanceBy(25 * hour);
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

/** The program without a resource. */
export function without(program: Plan, { urn }: PlannedResource): Plan {
  const resources = program.resources
    .filter((resource) => resource.urn !== urn)
    .map((resource) => ({ ...resource, dependencies: resource.dependencies.filter((other) => other !== urn) }));
  return { ...program, resources };
}

/** The program in which one resource does not wait for another. */
export function withoutDependency(program: Plan, { urn }: PlannedResource, { urn: needed }: PlannedResource): Plan {
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

/** One action that one statement of one role's policy grants. */
export interface Grant {
  /** The name of the role's policy. */
  role: string;
  Sid: string;
  action: string;
}

/** Every action of every statement of every role. */
export function grantsOf(program: Plan): Grant[] {
  return program.resources
    .filter(({ type }) => type.endsWith(":RolePolicy"))
    .flatMap((resource) =>
      policyOf(resource).Statement.flatMap(({ Sid, Action }) =>
        [Action].flat().map((action) => ({ role: resource.name, Sid, action })),
      ),
    );
}

/** The program in which a role lacks one action of one statement. */
export function withoutGrant(program: Plan, { role, Sid: sid, action }: Grant): Plan {
  const owner = one(program, "RolePolicy", role);
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

function policyOf({ inputs }: PlannedResource): Policy {
  return JSON.parse(String(inputs.policy)) as Policy;
}
