import { afterEach, describe, expect, it } from "vitest";
import { type Deployment, deploy } from "../../../local-cloud/pulumi/deploy.ts";
import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { plan } from "../../harness/program.ts";
import {
  clientId,
  clientSecret,
  currentToken,
  emptyCloud,
  hour,
  scopes,
  secretName,
  stackConfig,
  type TestCloud,
} from "../../harness/stack.ts";

const { config, secretKeys = [] } = stackConfig();
const planOf = (tokens: Record<string, unknown>[], more: Record<string, string> = {}) =>
  plan({ config: { ...config, ...more, tokens: JSON.stringify(tokens) }, secretKeys });
const one = { name: secretName, schedule: "rate(4 hours)" };
const other = { name: "c2m/other", schedule: "rate(4 hours)" };
const [program, rescheduled, ofTwo, onlyOther, wrongSecret, unprotected, nextSecret] = (await Promise.all([
  planOf([one]),
  planOf([{ ...one, schedule: "rate(12 hours)" }]),
  planOf([one, other]),
  planOf([other]),
  planOf([one], { clientSecret: "mistyped-secret" }),
  planOf([one, other], { protect: "false" }),
  planOf([one, other], { clientSecret: "the-next-secret" }),
])) as [Plan, Plan, Plan, Plan, Plan, Plan, Plan];

describe("pulumi up, on a stack that is there", () => {
  let world: TestCloud;
  let deployment: Deployment;

  afterEach(async () => world.cloud.stop());

  async function deployed(declared = program): Promise<void> {
    world = await emptyCloud();
    deployment = await deploy(world.cloud, declared);
  }

  const update = async (next: Plan) => {
    deployment = await deployment.update(next);
  };
  const long = () => world.cloud.c2m.tokens.filter(({ kind }) => kind === "long").length;

  it("without a change does nothing at all", async () => {
    await deployed();
    const before = [world.cloud.calls.calls.length, world.cloud.bus.events.length];
    await update(program);
    expect([world.cloud.calls.calls.length, world.cloud.bus.events.length]).toEqual(before);
  });

  it("after three rotations leaves the rotated token where it is", async () => {
    await deployed();
    await world.clock.advanceBy(13 * hour);
    const rotated = currentToken(world.cloud).token_id;
    const issued = long();
    expect(issued).toBeGreaterThanOrEqual(4);
    await update(program);
    expect(currentToken(world.cloud).token_id).toBe(rotated);
    expect(long()).toBe(issued);
  });

  it("with another schedule keeps to it from then on, and rotates nothing at once", async () => {
    await deployed();
    const token = currentToken(world.cloud).token_id;
    await update(rescheduled);
    expect(currentToken(world.cloud).token_id).toBe(token);
    const { RotationRules } = world.cloud.secretsManager.engine.describeSecret({ SecretId: secretName });
    expect(RotationRules?.ScheduleExpression).toBe("rate(12 hours)");
    // It counts from the midnight before, which was twelve hours before noon.
    await world.clock.advanceBy(11 * hour);
    expect(currentToken(world.cloud).token_id).toBe(token);
    await world.clock.advanceBy(2 * hour);
    expect(currentToken(world.cloud).token_id).not.toBe(token);
  });

  it("with one token more issues that one, and leaves the other alone", async () => {
    await deployed();
    const token = currentToken(world.cloud).token_id;
    await update(ofTwo);
    expect(currentToken(world.cloud).token_id).toBe(token);
    const { SecretString } = world.cloud.secretsManager.engine.getSecretValue({ SecretId: "c2m/other" });
    expect(world.cloud.c2m.isLive(JSON.parse(SecretString ?? "").token_id)).toBe(true);
    await world.clock.advanceBy(6 * hour);
    // Each its own, and no more.
    expect(world.cloud.c2m.liveLongTokens()).toHaveLength(2);
  });

  it("with one token less refuses to delete its secret, which would leave the token alive unseen", async () => {
    await deployed(ofTwo);
    await expect(update(onlyOther)).rejects.toThrow(/is protected/);
    expect(currentToken(world.cloud).token_id).toBeDefined();
  });

  it("with one token less and no protection deletes its secret, and the other goes on", async () => {
    await deployed(ofTwo);
    await update(unprotected);
    await update(onlyOther);
    const { engine } = world.cloud.secretsManager;
    expect(engine.describeSecret({ SecretId: secretName }).DeletedDate).toBeDefined();
    await world.clock.advanceBy(6 * hour);
    expect(engine.describeSecret({ SecretId: "c2m/other" }).LastRotatedDate).toBeDefined();
  });

  it("with a mistyped client secret fails, with the reason and without the secret; rotations go on, and the next one mends it", async () => {
    await deployed();
    const failure = await update(wrongSecret).catch((error: unknown) => String(error));
    expect(failure).toMatch(/credentials/i);
    expect(failure).not.toContain("mistyped-secret");
    // The reason, and no lines of code behind it.
    expect(failure).toContain('"trace":[""]');
    expect(failure).not.toContain(clientSecret);
    const token = currentToken(world.cloud).token_id;
    await world.clock.advanceBy(6 * hour);
    expect(currentToken(world.cloud).token_id).not.toBe(token);
    expect(world.cloud.metrics.alarming()).toContain("c2m-token-rotation-credentials-fallback");
    await update(program);
    const rotated = currentToken(world.cloud).token_id;
    await world.clock.advanceBy(6 * hour);
    expect(currentToken(world.cloud).token_id).not.toBe(rotated);
  });

  it("with another client secret asks C2M for one token, whatever the number of secrets, and revokes it", async () => {
    await deployed(ofTwo);
    const live = world.cloud.c2m.liveLongTokens().length;
    const issued = long();
    world.cloud.c2m.registerClient({ clientId, clientSecret: "the-next-secret", scopes });
    await update(nextSecret);
    expect(long()).toBe(issued + 1);
    expect(world.cloud.c2m.liveLongTokens()).toHaveLength(live);
  });
});
