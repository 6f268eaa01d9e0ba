import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterEach, describe, expect, it } from "vitest";
import { type Deployment, deploy } from "../../../local-cloud/pulumi/deploy.ts";
import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { one } from "../../harness/declared.ts";
import { plan } from "../../harness/program.ts";
import {
  currentToken,
  day,
  emptyCloud,
  hour,
  logGroup,
  secretName,
  stackConfig,
  type TestCloud,
} from "../../harness/stack.ts";

const schedule = "rate(4 hours)";
const other = "c2m/other";
const arnOf = (name: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AdOpTd`;
const { config, secretKeys = [] } = stackConfig();
const planOf = (token: Record<string, unknown>, more: Record<string, string> = {}, ...others: object[]) =>
  plan({
    config: { ...config, ...more, tokens: JSON.stringify([{ name: secretName, schedule, ...token }, ...others]) },
    secretKeys,
  });
const lent = { name: other, schedule, secretArn: arnOf(other) };
const [program, paused, retired, adopted, withTwin, withTwinAndProof] = (await Promise.all([
  planOf({}),
  planOf({}, { paused: "true" }),
  planOf({ retire: true }),
  planOf({ secretArn: arnOf(secretName) }),
  planOf({}, {}, lent),
  planOf({}, { clientSecret: "the-next-secret" }, lent),
])) as [Plan, Plan, Plan, Plan, Plan, Plan];

describe("what is switched in the config of a stack that is deployed", () => {
  let world: TestCloud;
  let deployment: Deployment;

  afterEach(() => world.cloud.stop());

  const deployed = async (declared: Plan, before?: () => void) => {
    world = await emptyCloud();
    before?.();
    deployment = await deploy(world.cloud, declared);
  };
  const update = async (next: Plan) => {
    deployment = await deployment.update(next);
  };
  const secrets = () => world.cloud.secretsManager.engine;
  const live = () => world.cloud.c2m.liveLongTokens().map(({ id }) => id);
  const token = () => String(currentToken(world.cloud).token_id);
  /** The reconciler's last run over everything, or over what is recent. */
  const lastRun = (scope: "all" | "recent") =>
    world.cloud.logs
      .lines(logGroup)
      .map((line) => JSON.parse(line))
      .findLast((line) => line.message === "reconcile.completed" && line.scope === scope);

  it("`paused` begins no rotation and revokes nothing, and says so; without it both go on", async () => {
    await deployed(program);
    const first = token();
    await world.clock.advanceBy(4.5 * hour);
    const second = token();
    expect(second).not.toBe(first);
    await update(paused);
    await world.clock.advanceBy(9 * hour);
    expect(token()).toBe(second);
    expect(live().sort()).toEqual([first, second].sort());
    expect(lastRun("recent")).toMatchObject({ paused: true, held: 1 });
    expect(world.cloud.logs.lines(logGroup).join("\n")).toContain("paused: rotations are paused in the stack's config");
    await update(program);
    await world.clock.advanceBy(9 * hour);
    expect(token()).not.toBe(second);
    expect(live()).not.toContain(first);
    expect(live()).not.toContain(second);
  });

  it("`retire` ends the rotation; what was superseded is revoked, and the current token lives", async () => {
    await deployed(program);
    await world.clock.advanceBy(4.5 * hour);
    const last = token();
    await update(retired);
    expect(secrets().describeSecret({ SecretId: secretName }).RotationEnabled).toBeFalsy();
    await world.clock.advanceBy(2 * day);
    expect(live()).toEqual([last]);
    expect(token()).toBe(last);
    secrets().rotateSecret({
      SecretId: secretName,
      ClientRequestToken: crypto.randomUUID(),
      RotationLambdaARN: String(one(deployment.plan, "Function", "-rotator").outputs.arn),
    });
    await world.cloud.secretsManager.idle();
    expect(live()).toEqual([last]);
  });

  it("`deadVersions` ends the reports of a token without an id that a person knows to be dead", async () => {
    const versionId = crypto.randomUUID();
    await deployed(adopted, () => {
      const input = { Name: secretName, SecretString: "a-token-of-old-times", ClientRequestToken: versionId };
      secretsOf(world).createSecret(input, world.cloud.administrator, "AdOpTd");
    });
    await world.clock.advanceBy(2 * day);
    expect(lastRun("all")).toMatchObject({ unrevocable: 1 });
    expect(world.cloud.metrics.alarming()).toContain("c2m-token-rotation-unrevocable-token");
    await update(await planOf({ secretArn: arnOf(secretName), deadVersions: [versionId] }));
    await world.clock.advanceBy(3 * day);
    expect(lastRun("all")).toMatchObject({ unrevocable: 0 });
    expect(world.cloud.metrics.alarming()).toEqual([]);
  });

  it("a secret that is adopted with another's token is refused before it is deployed; one that is deployed so is told of", async () => {
    await deployed(program);
    const value = JSON.stringify(currentToken(world.cloud));
    const create = { Name: other, SecretString: value, ClientRequestToken: crypto.randomUUID() };
    secrets().createSecret(create, world.cloud.administrator, "AdOpTd");
    await expect(update(withTwin)).rejects.toThrow(/c2m\/api-token.+ and .+c2m\/other.+ hold the same token/);
    expect(secrets().describeSecret({ SecretId: other }).RotationEnabled).toBeFalsy();

    // With a token of its own it is deployed; then somebody copies the other's into it.
    await world.cloud.stop();
    await deployed(program);
    const own = { Name: other, SecretString: "a-token-of-old-times", ClientRequestToken: crypto.randomUUID() };
    secrets().createSecret(own, world.cloud.administrator, "AdOpTd");
    await update(withTwin);
    const copy = { SecretId: other, ClientRequestToken: crypto.randomUUID() };
    const shared = token();
    secrets().putSecretValue(
      { ...copy, SecretString: JSON.stringify(currentToken(world.cloud)) },
      world.cloud.administrator,
    );
    world.cloud.c2m.registerClient({
      clientId: "c2m_client",
      clientSecret: "the-next-secret",
      scopes: ["jobs:submit", "jobs:read", "tokens:revoke"],
    });
    await update(withTwinAndProof);
    const client = new LambdaClient(world.cloud.clientConfig());
    const Payload = JSON.stringify({ Step: "proveCredentials" });
    const answer = await client.send(new InvokeCommand({ FunctionName: "c2m-token-rotation-rotator", Payload }));
    client.destroy();
    expect(JSON.parse(answer.Payload?.transformToString() ?? "")).toMatchObject({
      outcome: "proven",
      duplicates: [[secretName, other]],
    });
    // Each rotation parts them, and neither takes the other's.
    await world.clock.advanceBy(10 * hour);
    const now = [secretName, other].map(
      (SecretId) => JSON.parse(secrets().getSecretValue({ SecretId }).SecretString ?? "").token_id,
    );
    expect(new Set(now).size).toBe(2);
    expect(live()).toEqual(expect.arrayContaining(now));
    expect(live()).not.toContain(shared);
  });
});

function secretsOf({ cloud }: TestCloud) {
  return cloud.secretsManager.engine;
}
