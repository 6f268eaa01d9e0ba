import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalCloud } from "../../cloud.ts";
import { deploy } from "../../pulumi/deploy.ts";
import type { PlannedResource } from "../../pulumi/plan.ts";
import { quotas } from "../../quotas.ts";
import { policy } from "../aws/test-cloud.ts";
import { after, alarm, group, items, key, limited, role, rule, secret, text, topic } from "./limited.ts";
import { accountId, emptyCloud, functionWithRole, planned, planOf } from "./planned.ts";

let cloud: LocalCloud;
beforeAll(async () => {
  ({ cloud } = await emptyCloud());
});
afterAll(() => cloud.stop());

describe("a resource that takes the whole of a quota is deployed, and one that takes more is refused:", () => {
  it.each(limited)("%s", async (name, resources, code) => {
    const { most } = quotas[name];
    const whole = await deploy(cloud, planOf(...resources(most)));
    await whole.destroy();
    const error = await deploy(cloud, planOf(...resources(most + 1))).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "UpdateFailed", cause: { name: "AwsError", code } });
    await (error as { deployment: typeof whole }).deployment.destroy();
  });

  it("every quota that a stack can meet by its resources' sizes is in the table", () => {
    // Of these a test would have to make too much: they are tried by themselves, or are of an account.
    const apart = [
      "scheduleExpression",
      "rolesPerAccount",
      "alarmsPerRegion",
      "functionCode",
      "functionCodeZipped",
      "statementId",
      "tags",
      "tagKey",
      "tagValue",
    ];
    expect(Object.keys(quotas).sort()).toEqual([...limited.map(([name]) => name as string), ...apart].sort());
  });
});

describe("tags", () => {
  const kinds: [string, (tags: object) => PlannedResource[], code: string][] = [
    ["EventRule", (tags) => rule({ tags }), "ValidationException"],
    ["Role", (tags) => role({ tags }), "InvalidInput"],
    ["Function", (tags) => functionWithRole("f", { tags }), "InvalidParameterValueException"],
    ["MetricAlarm", (tags) => alarm({ tags }), "ValidationError"],
    ["LogGroup", (tags) => group({ tags }), "InvalidParameterException"],
    ["Topic", (tags) => topic({ tags }), "InvalidParameter"],
    ["Key", (tags) => key({ tags }), "TagException"],
    ["Secret", (tags) => secret({ tags }), "InvalidParameterException"],
  ];
  const tagsOf = (count: number) => Object.fromEntries(items(count).map((name) => [name, "v"]));

  it.each(kinds)("of a %s: fifty, and none that begins with aws:", async (kind, resources, code) => {
    await (await deploy(cloud, planOf(...resources(tagsOf(50))))).destroy();
    for (const tags of [tagsOf(51), { "aws:mine": "v" }, { [text(129)]: "v" }, { long: text(257) }]) {
      const error = await deploy(cloud, planOf(...resources(tags))).catch((thrown: unknown) => thrown);
      // Secrets Manager has two codes for what is wrong with tags.
      expect(error).toMatchObject({ cause: { code: kind === "Secret" ? expect.stringMatching(/Exception$/) : code } });
      await (error as { deployment: { destroy(): Promise<void> } }).deployment.destroy();
    }
  });

  it("of a role are the same in whatever case their keys are written", async () => {
    const error = await deploy(cloud, planOf(...role({ tags: { Project: "a", project: "b" } }))).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ cause: { code: "InvalidInput", message: /^Duplicate tag keys found/ } });
  });
});

describe("what AWS refuses by its form:", () => {
  it.each<[string, PlannedResource[], string]>([
    ["a schedule of one in the plural", rule({ scheduleExpression: "rate(1 hours)" }), "ValidationException"],
    ["a schedule of several in the singular", rule({ scheduleExpression: "rate(2 hour)" }), "ValidationException"],
    ["a schedule of no time", rule({ scheduleExpression: "rate(0 hours)" }), "ValidationException"],
    ["a rule of nothing", [planned("EventRule", "r", {})], "ValidationException"],
    ["a rule's name with a slash", rule({ name: "a/b" }), "ValidationException"],
    ["a pattern that is no JSON", [planned("EventRule", "r", { eventPattern: "{" })], "InvalidEventPatternException"],
    [
      "a role's policy without a Resource",
      after(role({ name: "r" })[0] as PlannedResource, (needs) => [
        planned("RolePolicy", "p", { role: "r", policy: policy({ Effect: "Allow", Action: "s3:Get" }) }, { needs }),
      ]),
      "MalformedPolicyDocument",
    ],
    [
      "a trust policy with a Resource",
      role({ assumeRolePolicy: policy({ Effect: "Allow", Principal: "*", Action: "sts:AssumeRole", Resource: "*" }) }),
      "MalformedPolicyDocument",
    ],
    [
      "a trust policy for a role that is not there",
      role({
        assumeRolePolicy: policy({
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${accountId}:role/none` },
          Action: "sts:AssumeRole",
        }),
      }),
      "MalformedPolicyDocument",
    ],
    ["a function's name with a slash", functionWithRole("a/b"), "ValidationException"],
    ["a function of no memory", functionWithRole("f", { memorySize: 64 }), "ValidationException"],
    ["an alarm over more than a day of minutes", alarm({ period: 60, evaluationPeriods: 1_441 }), "ValidationError"],
    ["an alarm over more than a week of hours", alarm({ period: 3_600, evaluationPeriods: 169 }), "ValidationError"],
    ["an alarm's period of 90 seconds", alarm({ period: 90 }), "ValidationError"],
    ["an alarm of three periods out of two", alarm({ datapointsToAlarm: 3, evaluationPeriods: 2 }), "ValidationError"],
    ["a retention of 100 days", group({ retentionInDays: 100 }), "InvalidParameterException"],
    ["a log group's name with a space", group({ name: "a b" }), "InvalidParameterException"],
    ["a topic's name with a dot", topic({ name: "a.b" }), "InvalidParameter"],
    [
      "a dashboard that is no JSON",
      [planned("Dashboard", "d", { dashboardName: "d", dashboardBody: "{" })],
      "InvalidParameterInput",
    ],
    ["an alias without its prefix", [planned("Alias", "a", { name: "app", targetKeyId: "k" })], "ValidationException"],
  ])("%s", async (_, resources, code) => {
    const error = await deploy(cloud, planOf(...resources)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "UpdateFailed", cause: { code } });
    await (error as { deployment: { destroy(): Promise<void> } }).deployment.destroy();
  });

  it("and an alarm over a week of hours is taken", async () => {
    await (await deploy(cloud, planOf(...alarm({ period: 3_600, evaluationPeriods: 168 })))).destroy();
  });

  it("the code of a function that is over 250 MB unzipped", () => {
    const [, deployed] = functionWithRole("f");
    const definition = {
      name: "f",
      arn: String(deployed.outputs.arn),
      handler: "index.handler",
      environment: {},
      timeoutSeconds: 3,
      memorySizeMb: 128,
      roleArn: "none",
      logGroup: "g",
    };
    const files = { "a.js": text(quotas.functionCode.most / 2), "b.js": text(quotas.functionCode.most / 2 + 1) };
    expect(() => cloud.lambda.createFunction({ ...definition, files })).toThrow(/^Unzipped size must be smaller/);
  });
});
