import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkExchange } from "../../../local-cloud/c2m/contract.ts";
import type { C2mExchange } from "../../../local-cloud/c2m/front-door.ts";
import { deploy } from "../../../local-cloud/pulumi/deploy.ts";
import {
  clientId,
  clientSecret,
  currentToken,
  emptyCloud,
  hour,
  logGroup,
  scopes,
  secretName,
  stackPlan,
  type TestCloud,
} from "../../harness/stack.ts";

const program = await stackPlan({ schedule: "rate(4 hours)" });
const rotator = "c2m-token-rotation-rotator";

describe("the deployed program", () => {
  const exchanges: C2mExchange[] = [];
  let world: TestCloud;
  let lambda: LambdaClient;

  beforeAll(async () => {
    world = await emptyCloud({ onC2mExchange: (exchange) => exchanges.push(exchange) });
    await deploy(world.cloud, program);
    lambda = new LambdaClient(world.cloud.clientConfig());
  });

  afterAll(async () => {
    lambda.destroy();
    await world.cloud.stop();
  });

  async function invoke(event: unknown): Promise<{ error: string | undefined; answer: Record<string, string> }> {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: rotator, Payload: JSON.stringify(event) }));
    return { error: answer.FunctionError, answer: JSON.parse(answer.Payload?.transformToString() ?? "null") };
  }

  function secretArn(): string {
    return world.cloud.secretsManager.engine.describeSecret({ SecretId: secretName }).ARN;
  }

  it("puts a working token with its id, scopes and expiry into the secret", async () => {
    const { cloud } = world;
    const client = new SecretsManagerClient(cloud.clientConfig());
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretName }));
    client.destroy();
    const value = JSON.parse(SecretString ?? "{}");
    expect(value).toEqual({
      access_token: cloud.c2m.byId(value.token_id)?.accessToken,
      token_type: "Bearer",
      token_id: expect.stringMatching(/^tok_lt_/),
      scopes: ["jobs:submit", "tokens:revoke"],
      issued_at: "2026-01-01T00:00:00.000Z",
      expires_at: "2026-03-02T00:00:00Z",
      client_id: clientId,
      base_url: cloud.c2mUrl,
    });
  });

  it("rotates every four hours on the schedule, and revokes each predecessor by its id", async () => {
    const { cloud, clock } = world;
    await clock.advanceBy(3 * 4 * hour + 2 * hour);
    const long = cloud.c2m.tokens.filter(({ kind }) => kind === "long");
    // One that proved the credentials, the first, and three rotations.
    expect(long).toHaveLength(5);
    expect(cloud.c2m.liveLongTokens().map(({ id }) => id)).toEqual([currentToken(cloud).token_id]);
    expect(cloud.bus.events.filter(({ detail }) => String(detail.eventName).endsWith("Failed"))).toEqual([]);
  });

  it("sends C2M nothing that the API's description does not allow, and gets nothing else back", () => {
    expect(exchanges.length).toBeGreaterThan(10);
    expect(exchanges.flatMap(({ request, answer }) => checkExchange(request, answer as never))).toEqual([]);
  });

  it("writes no secret to its log", () => {
    const { cloud } = world;
    const text = cloud.logs.lines(logGroup).join("\n");
    expect(text).toContain("token.issued");
    for (const secret of [clientSecret, ...cloud.c2m.tokens.map(({ accessToken }) => accessToken)]) {
      expect(text.includes(secret), "a secret in the log").toBe(false);
    }
  });

  it.each([
    ["an unknown step", () => ({ Step: "create_secret", SecretId: secretArn() }), /Step must be one of createSecret,/],
    ["no step", () => ({ SecretId: secretArn() }), /Step must be one of/],
    ["no version", () => ({ Step: "createSecret", SecretId: secretArn() }), /ClientRequestToken is missing/],
    ["no secret", () => ({ Step: "bootstrap" }), /SecretId is missing/],
    ["a name for the ARN", () => ({ Step: "bootstrap", SecretId: secretName }), /SecretId must be the ARN of a secret/],
    ["a text for the event", () => "createSecret", /must be an object/],
    [
      "a secret that is not listed",
      () => ({ Step: "bootstrap", SecretId: secretArn().replace(secretName, "other/secret") }),
      /SecretId: the secret "other\/secret" is not listed/,
    ],
    [
      "a version that no rotation made",
      () => ({ Step: "createSecret", SecretId: secretArn(), ClientRequestToken: "a".repeat(32) }),
      /ClientRequestToken: the version has no staging label/,
    ],
  ])("refuses %s, says what is wrong, and changes nothing", async (_, event, message) => {
    const { cloud } = world;
    const before = JSON.stringify(cloud.secretsManager.engine.listSecretVersionIds({ SecretId: secretName }));
    const issued = cloud.c2m.tokens.length;
    const { error, answer } = await invoke(event());
    expect(error).toBe("Unhandled");
    expect(answer.errorType).toBe("PermanentError");
    expect(answer.errorMessage).toMatch(message);
    expect(JSON.stringify(cloud.secretsManager.engine.listSecretVersionIds({ SecretId: secretName }))).toBe(before);
    expect(cloud.c2m.tokens).toHaveLength(issued);
  });
});

describe("wrong input", () => {
  it("wrong client credentials fail the deployment, with the reason and without the secret", async () => {
    const { cloud } = await emptyCloud();
    cloud.c2m.registerClient({ clientId, clientSecret: "another-one", scopes });
    const failure = deploy(cloud, program);
    await expect(failure).rejects.toThrow(/invalid_grant|credentials/);
    await expect(failure).rejects.not.toThrow(clientSecret);
    expect(cloud.c2m.liveLongTokens()).toEqual([]);
    await cloud.stop();
  });

  it("a malformed value in a pending version is released, so that the next rotation starts afresh", async () => {
    const { cloud, clock } = await emptyCloud({ secretsManager: { retry: "manual", creatorCheck: "never" } });
    await deploy(cloud, program);
    const { engine } = cloud.secretsManager;
    cloud.faults.add({
      service: "secretsmanager",
      operation: "PutSecretValue",
      fault: { kind: "error", status: 400, code: "AccessDeniedException", message: "no" },
    });
    await clock.advanceBy(4 * hour);
    const versions = engine.describeSecret({ SecretId: secretName }).VersionIdsToStages ?? {};
    const pending = Object.entries(versions).find(([, stages]) => stages.includes("AWSPENDING"))?.[0] ?? "";
    engine.putSecretValue(
      {
        SecretId: secretName,
        ClientRequestToken: pending,
        SecretString: "{not a token",
        VersionStages: ["AWSPENDING"],
      },
      cloud.administrator,
    );
    // Refused, and the unfinished rotation runs again.
    expect(() => engine.rotateSecret({ SecretId: secretName, ClientRequestToken: "b".repeat(36) })).toThrow("complete");
    await cloud.secretsManager.idle();
    expect(
      Object.values(engine.describeSecret({ SecretId: secretName }).VersionIdsToStages ?? {}).flat(),
    ).not.toContain("AWSPENDING");
    await clock.advanceBy(4 * hour + 2 * hour);
    expect(cloud.c2m.liveLongTokens().map(({ id }) => id)).toEqual([currentToken(cloud).token_id]);
    await cloud.stop();
  });
});
