import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploy } from "../../local-cloud/pulumi/deploy.ts";
import { plan } from "../harness/program.ts";
import { emptyCloud, hour, stackConfig, type TestCloud } from "../harness/stack.ts";

const { config, secretKeys = [] } = stackConfig();
const names = Array.from({ length: 1_000 }, (_, index) => `mail/token-${String(index).padStart(4, "0")}`);
const program = await plan({
  config: {
    ...config,
    kmsKey: "create",
    credentialsSecretName: "credentials/c2m",
    tokens: JSON.stringify(names.map((name) => ({ name }))),
  },
  secretKeys,
});

describe("a thousand tokens in one stack", () => {
  let world: TestCloud;

  beforeAll(async () => {
    world = await emptyCloud();
    await deploy(world.cloud, program);
  }, 600_000);

  afterAll(async () => world.cloud.stop());

  it("fit what AWS takes, each with a token of its own", () => {
    expect(world.cloud.c2m.liveLongTokens()).toHaveLength(names.length);
  });

  it("rotate, and are reconciled", async () => {
    const { engine } = world.cloud.secretsManager;
    const rotated = names.slice(-3);
    for (const SecretId of rotated) engine.rotateSecret({ SecretId, ClientRequestToken: crypto.randomUUID() });
    await world.cloud.secretsManager.idle();
    expect(world.cloud.c2m.liveLongTokens()).toHaveLength(names.length + rotated.length);
    await world.clock.advanceBy(3 * hour);
    expect(world.cloud.c2m.liveLongTokens()).toHaveLength(names.length);
  }, 600_000);
});
