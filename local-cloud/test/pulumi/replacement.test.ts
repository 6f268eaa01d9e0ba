import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { VirtualClock } from "../../clock.ts";
import type { LocalCloud } from "../../cloud.ts";
import { deploy } from "../../pulumi/deploy.ts";
import type { PlannedResource } from "../../pulumi/plan.ts";
import { policy } from "../aws/test-cloud.ts";
import {
  accountId,
  alarmInputs,
  emptyCloud,
  functionWithRole,
  type Kind,
  planned,
  planOf,
  region,
  trust,
} from "./planned.ts";

let cloud: LocalCloud;
let clock: VirtualClock;
beforeEach(async () => {
  ({ cloud, clock } = await emptyCloud());
});
afterEach(() => cloud.stop());

const groups = () => ["before", "after"].filter((name) => cloud.logs.group(name));
const group = (name: string, options = {}, more = {}) =>
  planOf(planned("LogGroup", "group", { name, ...more }, options));

describe("a change of what a resource is known by", () => {
  it("replaces it: another one is created, and the old one deleted", async () => {
    const before = await deploy(cloud, group("before"));
    const after = await before.update(group("after"));
    expect(groups()).toEqual(["after"]);
    await after.destroy();
    expect(groups()).toEqual([]);
  });

  it("fails the update of a protected one, before anything else is done", async () => {
    const before = await deploy(cloud, group("before", { protect: true }));
    const alarm = planned("MetricAlarm", "alarm", alarmInputs("alarm"));
    const both = planOf(alarm, ...group("after", { protect: true }).resources);
    await expect(before.update(both)).rejects.toThrow(/is protected, and would be replaced/);
    expect(groups()).toEqual(["before"]);
    expect(cloud.metrics.alarm("alarm")).toBeUndefined();
  });

  it("goes on to what names the old one: a secret's ARN is another, and a policy that names it is changed with it", async () => {
    const stack = (name: string) => {
      const secret = planned("Secret", "secret", { name });
      const role = planned("Role", "role", { assumeRolePolicy: trust });
      const document = policy({
        Effect: "Allow",
        Action: "secretsmanager:GetSecretValue",
        Resource: secret.outputs.arn,
      });
      const grant = planned(
        "RolePolicy",
        "grant",
        { role: role.outputs.name, policy: document },
        { needs: [secret, role] },
      );
      return planOf(secret, role, grant);
    };
    const arnNow = () => {
      const document = cloud.iam.rolePolicy(
        String(deployed.plan.resources[1]?.outputs.name),
        String(deployed.plan.resources[2]?.id),
      );
      return JSON.parse(document ?? "").Statement[0].Resource as string;
    };
    let deployed = await deploy(cloud, stack("one"));
    const first = arnNow();
    deployed = await deployed.update(stack("two"));
    expect(arnNow()).toMatch(/:secret:two-/);
    // Back again the name is still that of the first one, which is deleted but not yet gone.
    await expect(deployed.update(stack("one"))).rejects.toThrow(/already scheduled for deletion/);
    await clock.advanceBy(31 * 86_400_000);
    deployed = await deployed.update(stack("one"));
    expect(arnNow()).toMatch(/:secret:one-/);
    expect(arnNow()).not.toBe(first);
    expect(cloud.secretsManager.engine.find(arnNow())).toBeDefined();
  });

  const arn = `arn:aws:sns:${region}:${accountId}:t`;
  const kinds: [Kind, inputs: object, stays: object, replaces: object, needs?: (PlannedResource | undefined)[]][] = [
    ["Secret", { name: "a" }, { description: "other" }, { name: "b" }],
    ["Role", { assumeRolePolicy: trust, name: "a" }, { description: "other" }, { name: "b" }],
    ["LogGroup", { name: "a" }, { retentionInDays: 7 }, { name: "b" }],
    ["EventRule", { name: "a", scheduleExpression: "rate(1 hour)" }, { description: "other" }, { name: "b" }],
    ["MetricAlarm", alarmInputs("a"), { threshold: 2 }, { name: "b" }],
    ["Topic", { name: "a" }, { displayName: "other" }, { name: "b" }],
    [
      "Dashboard",
      { dashboardName: "a", dashboardBody: '{"widgets":[]}' },
      { dashboardBody: '{"widgets":[{}]}' },
      { dashboardName: "b" },
    ],
    ["Alias", { name: "alias/a", targetKeyId: "1" }, { targetKeyId: "2" }, { name: "alias/b" }],
    [
      "Key",
      { policy: policy({ Effect: "Deny", Principal: "*", Action: "kms:*", Resource: "*" }) },
      { description: "other" },
      { multiRegion: true },
    ],
    [
      "TopicPolicy",
      { arn, policy: policy({ Effect: "Deny", Principal: "*", Action: "sns:*", Resource: "*" }) },
      { policy: policy({ Effect: "Deny", Principal: "*", Action: "sns:Publish", Resource: "*" }) },
      { arn: `${arn}2` },
      [planned("Topic", "t", { name: "t" }), planned("Topic", "t2", { name: "t2" })],
    ],
    [
      "TopicSubscription",
      { topic: arn, protocol: "email", endpoint: "a@example.com" },
      {},
      { endpoint: "b@example.com" },
      [planned("Topic", "t", { name: "t" })],
    ],
  ];

  it.each(kinds)("of a %s", async (kind, inputs, stays, replaces, needs = []) => {
    const others = needs.filter((one) => one !== undefined);
    const one = (more: object) => planOf(...others, planned(kind, "one", { ...inputs, ...more }, { needs: others }));
    const idOf = (deployment: { plan: { resources: PlannedResource[] } }) => deployment.plan.resources.at(-1)?.id;
    const created = await deploy(cloud, one({}));
    const changed = await created.update(one(stays));
    expect(idOf(changed)).toBe(idOf(created));
    expect((await changed.refresh()).drift).toEqual([]);
    const replaced = await changed.update(one({ ...stays, ...replaces }));
    expect(idOf(replaced)).not.toBe(idOf(created));
    expect((await replaced.refresh()).drift).toEqual([]);
    await replaced.destroy();
    expect((await replaced.refresh()).deployment.plan.resources).toEqual([]);
  });
});

describe("what a resource's options ask for", () => {
  it("ignoreChanges: those inputs stay what they are", async () => {
    const stack = (name: string, retentionInDays: number) => {
      const [one] = group(name, {}, { retentionInDays }).resources;
      return planOf({ ...(one as PlannedResource), ignoreChanges: ["name"] });
    };
    const before = await deploy(cloud, stack("before", 7));
    await before.update(stack("after", 14));
    expect(groups()).toEqual(["before"]);
    expect(cloud.logs.group("before")?.retentionInDays).toBe(14);
  });

  it("retainOnDelete: what is replaced, taken out or destroyed stays in the cloud", async () => {
    const stack = (name: string) => planOf(...group(name).resources.map((one) => ({ ...one, retainOnDelete: true })));
    const deployment = await (await deploy(cloud, stack("before"))).update(stack("after"));
    expect(groups()).toEqual(["before", "after"]);
    await deployment.destroy();
    expect(groups()).toEqual(["before", "after"]);
  });
});

describe("aws.lambda.Invocation", () => {
  const source =
    "let runs = 0; exports.handler = async ({ fails }) => { if (fails) throw new Error('no'); console.log('run', ++runs); };";

  /** How often the function was invoked after each of these changes. */
  async function runsAfter(...changes: object[]): Promise<number[]> {
    const logGroup = planned("LogGroup", "group", { name: "/aws/lambda/f" });
    const [role, deployed] = functionWithRole("f", {
      source,
      loggingConfig: { logFormat: "Text", logGroup: "/aws/lambda/f" },
    });
    const document = policy({ Effect: "Allow", Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: "*" });
    const grant = planned("RolePolicy", "grant", { role: role.outputs.name, policy: document }, { needs: [role] });
    const stack = (more: object) =>
      planOf(
        logGroup,
        role,
        grant,
        deployed,
        planned("Invocation", "i", { functionName: "f", input: "{}", ...more }, { needs: [deployed, grant, logGroup] }),
      );
    let runs = 0;
    cloud.logs.onLine(({ message }) => {
      if (message.includes("run")) runs += 1;
    });
    let deployment = await deploy(cloud, stack({}));
    const counts = [runs];
    for (const change of changes) {
      deployment = await deployment.update(stack(change));
      counts.push(runs);
    }
    await deployment.destroy();
    return [...counts, runs];
  }

  it("invokes when it is created and whenever input or triggers change, and never else, nor at its end", async () => {
    const changes = [
      {},
      { triggers: { a: "1" } },
      { triggers: { a: "1" } },
      { triggers: { a: "2" } },
      { input: '{"b":1}' },
    ];
    expect(await runsAfter(...changes)).toEqual([1, 1, 2, 2, 3, 4, 4]);
  });

  it("fails the update with what the function said", async () => {
    await expect(runsAfter({ input: '{"fails":true}' })).rejects.toThrow(
      /^Lambda function \(f\) returned error: .*"errorMessage":"no"/,
    );
  });
});

describe("a log group's deletion protection", () => {
  it("refuses the deletion until it is switched off, which leaving the input out does not do", async () => {
    let deployment = await deploy(cloud, group("before", {}, { deletionProtectionEnabled: true }));
    await expect(deployment.destroy()).rejects.toThrow(/deletion protection/);
    deployment = await deployment.update(group("before"));
    await expect(deployment.destroy()).rejects.toThrow(/deletion protection/);
    deployment = await deployment.update(group("before", {}, { deletionProtectionEnabled: false }));
    await deployment.destroy();
    expect(groups()).toEqual([]);
  });
});
