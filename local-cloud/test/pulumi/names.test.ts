import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LocalCloud } from "../../cloud.ts";
import { type Deployment, deploy, UpdateFailed } from "../../pulumi/deploy.ts";
import type { PlannedResource } from "../../pulumi/plan.ts";
import { alarmInputs, emptyCloud, functionWithRole, type Kind, planned, planOf, region, trust } from "./planned.ts";

let cloud: LocalCloud;
beforeEach(async () => {
  ({ cloud } = await emptyCloud());
});
afterEach(() => cloud.stop());

const topicArn = `arn:aws:sns:${region}:123456789012:news`;

/** A stack that failed, as it stands. */
async function failed(promise: Promise<unknown>): Promise<UpdateFailed> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UpdateFailed)) throw new Error(`It did not fail in the middle, but: ${String(error)}`);
  return error;
}

describe("a name that is taken", () => {
  const twice: [Kind, code: string, (stack: string) => PlannedResource[]][] = [
    ["Secret", "ResourceExistsException", (stack) => [planned("Secret", "s", { name: "app" }, { stack })]],
    [
      "Role",
      "EntityAlreadyExists",
      (stack) => [planned("Role", "r", { name: "App", assumeRolePolicy: trust }, { stack })],
    ],
    ["LogGroup", "ResourceAlreadyExistsException", (stack) => [planned("LogGroup", "g", { name: "app" }, { stack })]],
    ["Function", "ResourceConflictException", (stack) => functionWithRole("app", { options: { stack } })],
    [
      "Alias",
      "AlreadyExistsException",
      (stack) => [planned("Alias", "a", { name: "alias/app", targetKeyId: "k" }, { stack })],
    ],
  ];

  it.each(twice)("is refused for a %s (%s)", async (_, code, resources) => {
    await deploy(cloud, planOf(...resources("one")));
    const { cause } = await failed(deploy(cloud, planOf(...resources("two"))));
    expect(cause).toMatchObject({ code });
  });

  it("of a role is taken in whatever case it is written", async () => {
    await deploy(cloud, planOf(planned("Role", "r", { name: "App", assumeRolePolicy: trust })));
    const other = planned("Role", "r", { name: "aPP", assumeRolePolicy: trust }, { stack: "two" });
    expect((await failed(deploy(cloud, planOf(other)))).cause).toMatchObject({ code: "EntityAlreadyExists" });
  });

  const overwritten: [Kind, (stack: string, value: number) => PlannedResource[], changed: string][] = [
    [
      "MetricAlarm",
      (stack, threshold) => [planned("MetricAlarm", "a", alarmInputs("app", { threshold }), { stack })],
      "threshold",
    ],
    [
      "Dashboard",
      (stack, x) => [
        planned("Dashboard", "d", { dashboardName: "app", dashboardBody: `{"widgets":[],"x":${x}}` }, { stack }),
      ],
      "dashboardBody",
    ],
    [
      "EventRule",
      (stack, days) => [
        planned("EventRule", "r", { name: "app", scheduleExpression: `rate(${days} days)` }, { stack }),
      ],
      "scheduleExpression",
    ],
  ];

  it.each(overwritten)(
    "of a %s is overwritten without a word, which the first stack's refresh shows",
    async (_, resources, changed) => {
      const first = await deploy(cloud, planOf(...resources("one", 2)));
      expect((await first.refresh()).drift).toEqual([]);
      const second = await deploy(cloud, planOf(...resources("two", 3)));
      const seen = await first.refresh();
      expect(seen.drift).toMatchObject([{ isGone: false, changed: [changed] }]);
      // What was read is what the next update starts from: it puts the first stack's own back.
      const repaired = await seen.deployment.update(planOf(...resources("one", 2)));
      expect((await repaired.refresh()).drift).toEqual([]);
      await second.destroy();
      expect((await repaired.refresh()).drift).toMatchObject([{ isGone: true }]);
    },
  );

  it("of a topic gives back the one that is there, where it has the same settings; and refuses it else", async () => {
    const topic = (stack: string, displayName: string, tags = {}) =>
      planOf(planned("Topic", "t", { name: "news", displayName, tags }, { stack }));
    await deploy(cloud, topic("one", "News"));
    cloud.topics.setPolicy(topicArn, JSON.stringify({ Version: "2012-10-17", Statement: [] }));
    const second = await deploy(cloud, topic("two", "News"));
    expect(cloud.topics.topic(topicArn)?.policy).toBeDefined();
    const other = await failed(deploy(cloud, topic("three", "Other")));
    expect(other.message).toBe("Invalid parameter: Attributes Reason: Topic already exists with different attributes");
    expect((await failed(deploy(cloud, topic("four", "News", { a: "b" })))).message).toMatch(/with different tags$/);
    await second.destroy();
    expect(cloud.topics.topic(topicArn)).toBeUndefined();
  });
});

describe("two stacks in one account", () => {
  const stackOf = (stack: string, prefix: string, threshold = 1) => {
    const options = { stack };
    const group = planned("LogGroup", "group", { name: `/aws/lambda/${prefix}` }, options);
    const [role, deployed] = functionWithRole(`${prefix}-function`, { options });
    const alarm = planned("MetricAlarm", "alarm", alarmInputs(`${prefix}-alarm`, { threshold }), options);
    const rule = planned("EventRule", "rule", { scheduleExpression: "rate(1 hour)" }, options);
    const target = planned(
      "EventTarget",
      "target",
      { rule: rule.outputs.name, arn: deployed.outputs.arn },
      { ...options, needs: [rule, deployed] },
    );
    return planOf(group, role, deployed, alarm, rule, target);
  };

  it("with names of their own stand and go side by side", async () => {
    const one = await deploy(cloud, stackOf("one", "a"));
    const two = await deploy(cloud, stackOf("two", "b"));
    await one.destroy();
    expect((await two.refresh()).drift).toEqual([]);
    await two.destroy();
    expect(cloud.metrics.alarms()).toEqual([]);
  });

  it("with the same names: the second overwrites what can be overwritten before the first refusal, and its destroy deletes that", async () => {
    const one = await deploy(cloud, stackOf("one", "a"));
    const { cause, deployment } = await failed(deploy(cloud, stackOf("two", "a", 99)));
    expect(cause).toMatchObject({ name: "AwsError" });
    expect(cloud.metrics.alarm("a-alarm")?.threshold).toBe(99);
    expect((await one.refresh()).drift).toMatchObject([{ name: "alarm", changed: ["threshold"] }]);
    await deployment.destroy();
    expect((await one.refresh()).drift).toMatchObject([{ name: "alarm", isGone: true }]);
  });
});

describe("an update that broke off", () => {
  it("goes on where it stopped", async () => {
    const broken = planOf(
      planned("LogGroup", "fine", { name: "fine" }),
      planned("LogGroup", "odd", { name: "odd name" }),
    );
    const { deployment } = await failed(deploy(cloud, broken));
    expect(deployment.plan.resources.map(({ name }) => name)).toEqual(["fine"]);
    const mended: Deployment = await deployment.update(
      planOf(planned("LogGroup", "fine", { name: "fine" }), planned("LogGroup", "odd", { name: "odd-name" })),
    );
    expect((await mended.refresh()).drift).toEqual([]);
  });
});

describe("a name that Pulumi makes", () => {
  it("has eight characters more than the resource's, and is another one in another stack", async () => {
    for (const stack of ["one", "two"]) {
      await deploy(cloud, planOf(planned("EventRule", "hourly", { scheduleExpression: "rate(1 hour)" }, { stack })));
    }
    const [one, two] = ["one", "two"].map((stack) => planned("EventRule", "hourly", {}, { stack }).outputs.name);
    expect(one).toMatch(/^hourly-\w{7}$/);
    expect(one).not.toBe(two);
    expect(cloud.eventRules.rule(String(two))).toBeDefined();
  });

  it.each<[Kind, number, Record<string, unknown>]>([
    ["Role", 64, { assumeRolePolicy: trust }],
    ["EventRule", 64, { scheduleExpression: "rate(1 hour)" }],
  ])("of a %s may have %i characters with them", async (kind, most, inputs) => {
    await deploy(cloud, planOf(planned(kind, "n".repeat(most - 8), inputs)));
    const { message } = await failed(deploy(cloud, planOf(planned(kind, "n".repeat(most - 7), inputs))));
    expect(message).toBe(`name '${"n".repeat(most - 7)}-' plus 7 random chars is longer than maximum length ${most}`);
  });
});
