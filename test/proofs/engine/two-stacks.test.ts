import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientId, clientSecret, currentToken, hour, secretName } from "../../harness/stack.ts";
import { EngineStack } from "./engine-stack.ts";

// Each of these goes on where the one before it ended.
describe("two stacks of the project in one account, under the Pulumi engine", () => {
  let engine: EngineStack;
  let first: unknown;

  beforeAll(async () => {
    engine = await EngineStack.create({ config: { "tokens[0].schedule": "rate(4 hours)" } });
    await engine.up();
    first = standing();
  });
  afterAll(() => engine.stop());

  /** What a second stack of the same name would overwrite, and the state of the first's secrets. */
  const standing = () => {
    const { metrics, bus, secretsManager } = engine.cloud;
    const { engine: secrets } = secretsManager;
    return JSON.parse(
      JSON.stringify([
        metrics.alarm("c2m-token-rotation-rotator-errors"),
        Object.keys(bus),
        ["c2m/api-token", "c2m/client-credentials"].map((SecretId) => secrets.describeSecret({ SecretId }).ARN),
      ]),
    );
  };

  it("the second that forgets its name is refused at the log group, and nothing of the first is touched", async () => {
    const token = currentToken(engine.cloud).token_id;
    const second = `pulumi stack init second
      pulumi config set aws:region ${engine.cloud.region}
      pulumi config set clientId ${clientId}
      pulumi config set baseUrl ${engine.cloud.c2mUrl}
      pulumi config set --secret clientSecret
      pulumi config set --plaintext credentialsSecretName mail/c2m-client
      pulumi config set --plaintext --path 'tokens[0].name' mail/c2m-token
      pulumi up`;
    await expect(engine.sh(second, clientSecret)).rejects.toThrow(/log group already exists/);
    expect(standing()).toEqual(first);
    expect(currentToken(engine.cloud).token_id).toBe(token);
  });

  it("with a name of its own it stands beside the first, and goes without it", async () => {
    await engine.sh("pulumi config set name mail\npulumi config set protect false\npulumi up");
    const { engine: secrets } = engine.cloud.secretsManager;
    expect(secrets.describeSecret({ SecretId: "mail/c2m-token" }).RotationEnabled).toBe(true);
    expect(standing()).toEqual(first);
    await engine.sh("pulumi destroy");
    expect(secrets.describeSecret({ SecretId: "mail/c2m-token" }).DeletedDate).toBeDefined();
    expect(standing()).toEqual(first);
  });

  it("the first rotates on, and has nothing to do", async () => {
    const token = currentToken(engine.cloud).token_id;
    await engine.world.clock.advanceBy(5 * hour);
    expect(currentToken(engine.cloud).token_id).not.toBe(token);
    const { same = 0, ...others } = await engine.preview();
    expect(same).toBeGreaterThan(40);
    expect(others).toEqual({});
    expect(engine.cloud.secretsManager.engine.describeSecret({ SecretId: secretName }).RotationEnabled).toBe(true);
  });

  it("another name for a stack that is there is refused, with what it is called", async () => {
    await engine.configure({ name: "another" });
    await expect(engine.preview()).rejects.toThrow();
    expect(engine.printed).toContain("must stay c2m-token-rotation, whose secret c2m/api-token is");
    expect(standing()).toEqual(first);
  });
});
