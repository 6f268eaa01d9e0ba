import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { impossibleGrants } from "../../../local-cloud/iam/condition-keys.ts";
import { parsePolicy } from "../../../local-cloud/iam/policy.ts";
import { type Deployment, deploy, UpdateFailed } from "../../../local-cloud/pulumi/deploy.ts";
import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { all } from "../../harness/declared.ts";
import { plan } from "../../harness/program.ts";
import { currentToken, emptyCloud, stackConfig, type TestCloud } from "../../harness/stack.ts";

const { config, secretKeys = [] } = stackConfig();
const other = {
  name: "other",
  credentialsSecretName: "other/credentials",
  tokens: '[{"name":"other/token"}]',
  protect: "false",
};
const [first, sameNames, otherNames, withKey] = (await Promise.all([
  plan({ config, secretKeys, stack: "first" }),
  plan({ config, secretKeys, stack: "second" }),
  plan({ config: { ...config, ...other }, secretKeys, stack: "second" }),
  plan({ config: { ...config, kmsKey: "create", alarmEmails: '["ops@example.com"]' }, secretKeys }),
])) as [Plan, Plan, Plan, Plan];

describe("two stacks in one account", () => {
  let world: TestCloud;
  let one: Deployment;
  beforeEach(async () => {
    world = await emptyCloud();
    one = await deploy(world.cloud, first);
  });
  afterEach(() => world.cloud.stop());

  it("with names of their own: each is deployed and destroyed without a trace in the other", async () => {
    const two = await deploy(world.cloud, otherNames);
    expect((await one.refresh()).drift).toEqual([]);
    await two.destroy();
    expect((await one.refresh()).drift).toEqual([]);
    expect(world.cloud.c2m.isLive(String(currentToken(world.cloud).token_id))).toBe(true);
  });

  it("with the same names: the second is refused", async () => {
    await expect(deploy(world.cloud, sameNames)).rejects.toThrow(UpdateFailed);
  });

  it("with the same names: nothing of the first is touched, neither by it nor by its end", async () => {
    const failure = await deploy(world.cloud, sameNames).catch((error: unknown) => error);
    expect((await one.refresh()).drift).toEqual([]);
    await (failure as UpdateFailed).deployment.destroy();
    expect((await one.refresh()).drift).toEqual([]);
  });
});

describe("a stack with a key of its own", () => {
  let world: TestCloud;
  let deployment: Deployment;
  beforeAll(async () => {
    world = await emptyCloud();
    deployment = await deploy(world.cloud, withKey);
  });
  afterAll(() => world.cloud.stop());

  it("is for a refresh what was deployed", async () => {
    expect((await deployment.refresh()).drift).toEqual([]);
  });

  it("has no grant that can never match", () => {
    const policies = all(deployment.plan, "RolePolicy").map(({ inputs }) => String(inputs.policy));
    expect(policies).not.toEqual([]);
    expect(policies.flatMap((document) => impossibleGrants(parsePolicy(document, "identity")))).toEqual([]);
  });
});
