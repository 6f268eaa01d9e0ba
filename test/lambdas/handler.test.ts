import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { handler as Handler } from "../../lambdas/rotator/handler.ts";
import { RealClock } from "../../local-cloud/clock.ts";
import { LocalCloud } from "../../local-cloud/cloud.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { type SettingsFile, secretNameSaid } from "../../src/formats/settings.ts";
import { clientId, clientSecret, scopes } from "../harness/rotation-world.ts";
import { everythingOf } from "../rotation/invariants.ts";

const secretName = "c2m/api-token";
const credentialsName = "c2m/client-credentials";
const version = "11111111-1111-4111-8111-111111111111";

const noKey = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";

const spares = <Entry>(entry: Entry): Record<string, Entry> =>
  Object.fromEntries([1, 2, 3, 4, 5, 6, "AbCdEf"].map((index) => [`c2m/spare-${index}`, entry]));

describe("the rotator's handler, in a warm process", () => {
  let cloud: LocalCloud;
  let folder: string;
  let handler: typeof Handler;
  let arn: string;
  let printed: string;

  beforeAll(async () => {
    const clock = new RealClock((error) => {
      throw error;
    });
    cloud = await LocalCloud.start({ clock, c2m: { rateLimitPerMinute: Number.POSITIVE_INFINITY } });
    cloud.c2m.registerClient({ clientId, clientSecret, scopes });
    const { engine } = cloud.secretsManager;
    const token = (name: string) => ({ Name: name, ClientRequestToken: crypto.randomUUID() });
    arn = engine.createSecret(token(secretName), cloud.administrator).ARN;
    engine.createSecret({ ...token(credentialsName), SecretString: credentials(clientSecret) }, cloud.administrator);
    folder = mkdtempSync(join(tmpdir(), "rotator-"));
    const entry = {
      clientId,
      baseUrl: cloud.c2mUrl,
      credentialsSecretId: credentialsName,
      scopes,
      lifetimeSeconds: 7_200,
      graceSeconds: 0,
      pendingMaxAgeSeconds: 3_600,
      revocation: true,
    };
    const settings: SettingsFile = {
      rotatorTimeoutSeconds: 60,
      tokens: { [secretName]: entry, "c2m/second-token": entry, ...spares(entry) },
    };
    writeFileSync(join(folder, "tokens.json"), JSON.stringify(settings));
    const { endpoint, region, credentials: key } = cloud.clientConfig();
    vi.stubEnv("LAMBDA_TASK_ROOT", folder);
    vi.stubEnv("AWS_ENDPOINT_URL", endpoint);
    vi.stubEnv("AWS_REGION", region);
    vi.stubEnv("AWS_ACCESS_KEY_ID", key.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", key.secretAccessKey);
    // It reads its environment when it is loaded.
    ({ handler } = await import("../../lambdas/rotator/handler.ts"));
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    await bootstrap();
  });

  afterAll(async () => {
    await cloud.stop();
    rmSync(folder, { recursive: true });
  });

  beforeEach(() => {
    printed = "";
    vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
      printed += String(chunk);
      return true;
    });
  });

  function credentials(secret: string): string {
    return JSON.stringify({ client_id: clientId, client_secret: secret });
  }

  function storeCredentials(secret: string, base_url?: string): void {
    storeText(JSON.stringify({ ...JSON.parse(credentials(secret)), base_url }));
  }

  function storeText(SecretString: string): void {
    const input = { SecretId: credentialsName, ClientRequestToken: crypto.randomUUID(), SecretString };
    cloud.secretsManager.engine.putSecretValue(input, cloud.administrator);
  }

  function emptySecret(Name: string): string {
    const input = { Name, ClientRequestToken: crypto.randomUUID() };
    return cloud.secretsManager.engine.createSecret(input, cloud.administrator).ARN;
  }

  const run = (event: unknown) => handler(event, { getRemainingTimeInMillis: () => 60_000 });
  const bootstrap = () => run({ Step: "bootstrap", SecretId: arn });

  it("answers the bootstrap with what it did and no secret, and a step with nothing", async () => {
    expect(await bootstrap()).toEqual({
      outcome: "proven",
      versionId: expect.stringMatching(/^bootstrap-/),
      expiresAt: expect.any(String),
    });
    expect(await run({ Step: "setSecret", SecretId: arn, ClientRequestToken: version })).toBeNull();
  });

  it("proves the credentials that are stored now, not those that it has kept", async () => {
    const prove = () => run({ Step: "proveCredentials" });
    expect(await prove()).toEqual({ outcome: "proven" });
    storeCredentials("wrong");
    await expect(prove()).rejects.toMatchObject({ name: "PermanentError", code: "invalid_grant" });
    storeCredentials(clientSecret);
    expect(await prove()).toEqual({ outcome: "proven" });
    expect(cloud.c2m.liveLongTokens()).toHaveLength(1);
  });

  it("reads the credentials again after C2M has rejected those that it kept", async () => {
    await bootstrap();
    const changed = "a-new-client-secret";
    cloud.c2m.registerClient({ clientId, clientSecret: changed, scopes });
    storeCredentials(changed);
    cloud.secretsManager.engine.putSecretValue(
      { SecretId: arn, ClientRequestToken: version, SecretString: "placeholder", VersionStages: ["OTHER"] },
      cloud.administrator,
    );
    const empty = cloud.secretsManager.engine.find(arn)?.state;
    const placeholder = empty?.versions.get(version);
    if (!empty || !placeholder) throw new Error("There is no version.");
    placeholder.value = undefined;
    empty.rotation = {
      enabled: true,
      lambdaArn: "",
      rules: undefined,
      history: { setAt: 0, fulfilledAt: 0 },
      announced: undefined,
      lastRotatedDate: undefined,
      calculatedDays: undefined,
    };
    const create = () => run({ Step: "createSecret", SecretId: arn, ClientRequestToken: version });
    await expect(create()).rejects.toMatchObject({ code: "invalid_grant" });
    expect(await create()).toBeNull();
  });

  it("goes on with the credentials before, where C2M itself refuses the current ones, and rings (row 24)", async () => {
    storeCredentials(clientSecret, cloud.c2mUrl);
    cloud.c2m.registerClient({ clientId, clientSecret, scopes });
    storeCredentials("wrong", cloud.c2mUrl);
    const empty = emptySecret("c2m/second-token");
    expect(await run({ Step: "bootstrap", SecretId: empty })).toMatchObject({ outcome: "issued" });
    expect(printed).toContain('"message":"credentials.fallback"');
    expect(printed).toContain('"CredentialsFallback":1');
    // The proof of the credentials is of those that are stored now.
    await expect(run({ Step: "proveCredentials" })).rejects.toMatchObject({ code: "invalid_grant" });
    storeCredentials(clientSecret, cloud.c2mUrl);
  });

  it.each([
    ["are no JSON", "c2m/spare-1", () => "not-json"],
    ["lack the secret", "c2m/spare-2", () => JSON.stringify({ client_id: clientId })],
    ["hold a key that can't be read", "c2m/spare-3", () => JSON.stringify({ client_id: clientId, private_key: noKey })],
    ["are another client's", "c2m/spare-4", () => JSON.stringify({ client_id: "c2m_other", client_secret: "x" })],
    [
      "are for another C2M",
      "c2m/spare-5",
      () => JSON.stringify({ client_id: clientId, client_secret: "x", base_url: "https://former.test/v2" }),
    ],
  ])("goes on with the credentials before, where the current ones %s, and rings (row 24)", async (_, name, value) => {
    storeCredentials(clientSecret, cloud.c2mUrl);
    storeText(value());
    // What it had kept, it drops with the first failure.
    await expect(run({ Step: "proveCredentials" })).rejects.toMatchObject({ name: "PermanentError" });
    printed = "";
    expect(await run({ Step: "bootstrap", SecretId: emptySecret(name) })).toMatchObject({ outcome: "issued" });
    expect(printed).toContain('"message":"credentials.fallback"');
    expect(printed).not.toContain(clientSecret);
    storeCredentials(clientSecret, cloud.c2mUrl);
  });

  it("writes the ledger under the secret's name where it is called with an ARN without a suffix (row 14)", async () => {
    for (const name of ["c2m/spare-6", "c2m/spare-AbCdEf"]) {
      const full = emptySecret(name);
      printed = "";
      await run({ Step: "bootstrap", SecretId: full.replace(/-[A-Za-z0-9]{6}$/, "") });
      const lines = printed
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const said = lines
        .filter(({ message }) => message?.startsWith("token."))
        .map(({ secret }) => secretNameSaid(secret));
      expect(new Set(said)).toEqual(new Set([name]));
    }
  });

  it("takes a gateway's 401 for no refusal of the credentials (row 24)", async () => {
    storeCredentials("before", cloud.c2mUrl);
    storeCredentials(clientSecret, cloud.c2mUrl);
    const fault = { kind: "gateway", status: 401, body: "html", when: "before" } as const;
    const withdraw = cloud.faults.add({ service: "c2m", operation: "issueLongTermToken", fault });
    await expect(run({ Step: "proveCredentials" })).rejects.toMatchObject({ code: "unauthorized" });
    expect(printed).not.toContain("credentials.fallback");
    withdraw();
  });

  it("issues nothing where Lambda would drop the lines of the ledger (row 23)", async () => {
    vi.stubEnv("AWS_LAMBDA_LOG_LEVEL", "WARN");
    await expect(run({ Step: "proveCredentials" })).rejects.toMatchObject({
      code: "ledger_dropped",
      message: expect.stringContaining("AWS_LAMBDA_LOG_LEVEL"),
    });
  });

  it("issues nothing where the lines of the ledger would go to another log group (row 23)", async () => {
    vi.stubEnv("ROTATION_NAME", "c2m");
    vi.stubEnv("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/c2m-rotator");
    const before = cloud.c2m.tokens.length;
    await expect(run({ Step: "proveCredentials" })).rejects.toMatchObject({
      code: "ledger_dropped",
      message: expect.stringContaining("/aws/lambda/c2m:"),
    });
    expect(cloud.c2m.tokens).toHaveLength(before);
    vi.stubEnv("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/c2m");
    expect(await run({ Step: "proveCredentials" })).toMatchObject({ outcome: "proven" });
  });

  it("refuses a secret that is not in its settings, and events that are nobody's", async () => {
    const other = arn.replace("api-token", "other");
    const step = { Step: "createSecret", SecretId: other, ClientRequestToken: version };
    await expect(run(step)).rejects.toMatchObject({ code: "secret_not_listed" });
    await expect(run({ hello: "world" })).rejects.toMatchObject({ code: "event_invalid" });
  });

  it("writes what failed, and its metric", async () => {
    const step = { Step: "finishSecret", SecretId: arn, ClientRequestToken: "22222222-2222-4222-8222-222222222222" };
    await expect(run(step)).rejects.toMatchObject({ code: "not_pending" });
    const lines = printed
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ message }) => message)).toEqual(["step.started", "step.failed", undefined]);
    expect(lines[2]).toMatchObject({ RotationStepFailed: 1 });
  });

  it("tells of an error that is not ours only its kind, also to Lambda, which prints what is thrown", async () => {
    vi.spyOn(SecretsManagerStore.prototype, "describe").mockRejectedValueOnce(new TypeError("hunter2"));
    const error = await bootstrap().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "unexpected", message: expect.stringContaining("TypeError") });
    expect(everythingOf(error) + printed).not.toContain("hunter2");
  });
});
