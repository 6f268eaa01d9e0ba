import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deploy } from "../../../local-cloud/pulumi/deploy.ts";
import { currentToken, day, emptyCloud, hour, secretName, stackPlan, type TestCloud } from "../../harness/stack.ts";

const program = await stackPlan();
const reconciler = "c2m-token-rotation-reconciler";

describe("the deployed reconciler", () => {
  let world: TestCloud;
  let lambda: LambdaClient;

  beforeAll(async () => {
    world = await emptyCloud();
    await deploy(world.cloud, program);
    lambda = new LambdaClient(world.cloud.clientConfig());
    await world.clock.advanceBy(7 * day);
  });

  afterAll(async () => {
    lambda.destroy();
    await world.cloud.stop();
  });

  async function invoke(event: unknown) {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: reconciler, Payload: JSON.stringify(event) }));
    return { error: answer.FunctionError, answer: JSON.parse(answer.Payload?.transformToString() ?? "null") };
  }

  it("refuses a secret that is not listed, and wrong fields, by name and rule", async () => {
    expect((await invoke({ secrets: ["other/secret"] })).answer.errorMessage).toContain('"other/secret" is not listed');
    expect((await invoke({ graceSeconds: -1 })).answer.errorMessage).toContain("graceSeconds must not be negative");
    expect((await invoke({ scope: "some" })).answer.errorMessage).toContain("scope must be");
  });

  it("ends the grace at once when it is invoked by hand", async () => {
    const { cloud } = world;
    expect(cloud.c2m.liveLongTokens()).toHaveLength(2);
    const { error, answer } = await invoke({ graceSeconds: 0, secrets: [secretName] });
    expect(error).toBeUndefined();
    expect(answer.secrets).toEqual([expect.objectContaining({ name: secretName, revoked: [expect.any(String)] })]);
    expect(cloud.c2m.liveLongTokens().map(({ id }) => id)).toEqual([currentToken(cloud).token_id]);
  });

  it("reports without secrets, and runs every hour", async () => {
    const { cloud, clock } = world;
    const runs = () => cloud.metrics.datapoints("AWS/Lambda", "Invocations", { FunctionName: reconciler }).length;
    const before = runs();
    await clock.advanceBy(3 * hour);
    expect(runs()).toBe(before + 3);
    const { answer } = await invoke({ scope: "all" });
    for (const { accessToken } of cloud.c2m.tokens) expect(JSON.stringify(answer).includes(accessToken)).toBe(false);
  });

  it("can't store, promote, or read the client's credentials: its role does not let it", async () => {
    const { cloud } = world;
    const role = program.resources.find(({ type, name }) => type.endsWith(":Role") && name.includes("reconciler"));
    const roleName = String(role?.outputs.name);
    const arn = `arn:aws:sts::${cloud.accountId}:assumed-role/${roleName}/${reconciler}`;
    const client = new SecretsManagerClient(
      cloud.clientConfig({ kind: "role", accountId: cloud.accountId, roleName, arn }),
    );
    const { VersionIdsToStages = {} } = cloud.secretsManager.engine.describeSecret({ SecretId: secretName });
    const [previous] = Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes("AWSPREVIOUS")) ?? [];
    const [current] = Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes("AWSCURRENT")) ?? [];
    const denied = { name: "AccessDeniedException" };
    await expect(
      client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secretName,
          VersionStage: "AWSCURRENT",
          MoveToVersionId: previous,
          RemoveFromVersionId: current,
        }),
      ),
    ).rejects.toMatchObject(denied);
    await expect(
      client.send(new PutSecretValueCommand({ SecretId: secretName, SecretString: "x" })),
    ).rejects.toMatchObject(denied);
    await expect(client.send(new GetSecretValueCommand({ SecretId: "c2m/client-credentials" }))).rejects.toMatchObject(
      denied,
    );
    client.destroy();
  });
});
