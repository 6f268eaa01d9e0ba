import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploy } from "../../../local-cloud/pulumi/deploy.ts";
import { plan } from "../../harness/program.ts";
import { currentToken, emptyCloud, hour, stackConfig, type TestCloud } from "../../harness/stack.ts";

const { config, secretKeys = [] } = stackConfig({ schedule: "rate(4 hours)" });
const second = {
  credentialsSecretName: "second/credentials",
  runbook: "second.md",
  tokens: '[{"name":"second/token"}]',
};
const [first, forgetful] = await Promise.all([
  plan({ config, secretKeys }),
  plan({ config: { ...config, ...second }, secretKeys, stack: "second" }),
]);

describe("a second stack that forgets its name", () => {
  let world: TestCloud;

  beforeAll(async () => {
    world = await emptyCloud();
    await deploy(world.cloud, first);
  });

  afterAll(() => world.cloud.stop());

  it("is refused at its log group, before anything of the first is overwritten", async () => {
    await expect(deploy(world.cloud, forgetful)).rejects.toThrow(/already exists/);
    const state = JSON.stringify(world.cloud.metrics.alarm("c2m-token-rotation-rotator-errors"));
    expect(state).toContain("docs/runbook.md#rotator-errors");
    expect(state).not.toContain("second.md");
    expect(
      world.cloud.secretsManager.engine
        .listSecrets({})
        .SecretList?.map(({ Name }) => Name)
        .sort(),
    ).toEqual(["c2m/api-token", "c2m/client-credentials"]);
  });

  it("leaves the first rotating", async () => {
    const token = currentToken(world.cloud).token_id;
    await world.clock.advanceBy(6 * hour);
    expect(currentToken(world.cloud).token_id).not.toBe(token);
  });
});
