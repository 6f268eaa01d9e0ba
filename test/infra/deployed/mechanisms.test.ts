import { generateKeyPairSync } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { C2mClient } from "../../../local-cloud/c2m/clients.ts";
import type { LocalCloud } from "../../../local-cloud/cloud.ts";
import { deploy } from "../../../local-cloud/pulumi/deploy.ts";
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

const otpSeed = "JBSWY3DPEHPK3PXP";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const tokenArn = `arn:aws:secretsmanager:us-east-1:123456789012:secret:${secretName}-AdOpTd`;
const credentialsArn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:their/credentials-AdOpTd";

/** The stack's program with this in place of the client secret, and this for its token. */
function planWith(config: Record<string, string>, token: Record<string, unknown> = {}): Promise<Plan> {
  const { clientSecret: _, ...rest } = stackConfig({ schedule: "rate(4 hours)", ...token }).config;
  return plan({ config: { ...rest, ...config }, secretKeys: ["clientSecret", "otpSeed", "privateKey"] });
}

const withWrite = [...scopes, "tokens:write"];
const [otp, assertion, adoptedCredentials, adoptedToken, adoptedUnprotected, shortToken] = (await Promise.all([
  planWith({ otpSeed }),
  planWith({ privateKey: pem, keyId: "key-1" }),
  planWith({ credentialsSecretArn: credentialsArn }),
  planWith({ clientSecret }, { secretArn: tokenArn }),
  planWith({ clientSecret, protect: "false" }, { secretArn: tokenArn }),
  planWith({ shortToken: "true" }, { secretArn: tokenArn, scopes: withWrite }),
])) as [Plan, Plan, Plan, Plan, Plan, Plan];

/** Puts a secret there that is none of the program's. */
function alreadyThere(cloud: LocalCloud, name: string, value: string): void {
  const { secretsManager, administrator } = cloud;
  secretsManager.engine.createSecret(
    { Name: name, SecretString: value, ClientRequestToken: crypto.randomUUID() },
    administrator,
    "AdOpTd",
  );
}

async function issuedByHand({ c2mUrl }: LocalCloud): Promise<string> {
  const answer = await fetch(`${c2mUrl}/auth/tokens/long`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-client-id": clientId },
    body: JSON.stringify({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      scopes: withWrite,
    }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

describe("the deployed program rotates", () => {
  let world: TestCloud;

  afterEach(async () => world.cloud.stop());

  async function cloudWith(client: Partial<C2mClient>): Promise<LocalCloud> {
    world = await emptyCloud();
    world.cloud.c2m.registerClient({ clientId, scopes: withWrite, ...client });
    return world.cloud;
  }

  /** Lets two rotations pass. */
  async function expectRotations(cloud: LocalCloud): Promise<void> {
    const first = currentToken(cloud).token_id;
    await world.clock.advanceBy(9 * hour);
    const { token_id } = currentToken(cloud);
    expect(token_id).not.toBe(first);
    expect(cloud.c2m.liveLongTokens().map(({ id }) => id)).toContain(token_id);
    expect(cloud.c2m.byId(String(first))?.revokedAt).toBeDefined();
    const failed = cloud.bus.events.filter(({ detail }) => String(detail.eventName).endsWith("Failed"));
    expect(failed).toEqual([]);
  }

  it("with a one-time code in place of the client secret", async () => {
    const cloud = await cloudWith({ otpSeed });
    await deploy(cloud, otp);
    await expectRotations(cloud);
  });

  it("with an assertion, signed with the private key", async () => {
    const cloud = await cloudWith({ publicKeys: { "key-1": publicKey.export({ format: "jwk" }) } });
    await deploy(cloud, assertion);
    await expectRotations(cloud);
  });

  it("with credentials that were stored before, and leaves their secret alone", async () => {
    const cloud = await cloudWith({ clientSecret });
    const stored = JSON.stringify({ client_id: clientId, client_secret: clientSecret, note: "ours" });
    alreadyThere(cloud, "their/credentials", stored);
    const deployment = await deploy(cloud, adoptedCredentials);
    await expectRotations(cloud);
    expect(
      deployment.plan.resources.filter(
        ({ name, type }) => name.endsWith("-credentials") && type.includes("secretsmanager"),
      ),
    ).toEqual([]);
    expect(cloud.secretsManager.engine.getSecretValue({ SecretId: credentialsArn }).SecretString).toBe(stored);
  });

  it("and refuses the present token of another secret, which was put there by hand (row 8)", async () => {
    const cloud = await cloudWith({ clientSecret });
    const token = await issuedByHand(cloud);
    alreadyThere(cloud, secretName, token);
    alreadyThere(cloud, "c2m/other", token);
    const tokens = [secretName, "c2m/other"].map((name) => ({
      name,
      secretArn: tokenArn.replace(secretName, name),
      schedule: "rate(4 hours)",
      scopes: withWrite,
    }));
    await expect(deploy(cloud, await planWith({ shortToken: "true", tokens: JSON.stringify(tokens) }))).rejects.toThrow(
      /hold the same token/,
    );
  });

  it("with the present token, which was put there by hand", async () => {
    const cloud = await cloudWith({ clientSecret });
    alreadyThere(cloud, secretName, await issuedByHand(cloud));
    await deploy(cloud, shortToken);
    await world.clock.advanceBy(4 * hour);
    await expectRotations(cloud);
  });

  it("a plain token that was there before: kept until the first rotation, and its secret's policy is not touched", async () => {
    const cloud = await cloudWith({ clientSecret });
    alreadyThere(cloud, secretName, "plain-token-of-old");
    const { engine } = cloud.secretsManager;
    const theirs = JSON.stringify({ Version: "2012-10-17", Statement: [] });
    engine.putResourcePolicy({ SecretId: secretName, ResourcePolicy: theirs });
    const deployment = await deploy(cloud, adoptedToken);
    expect(engine.getSecretValue({ SecretId: secretName }).SecretString).toBe("plain-token-of-old");
    await world.clock.advanceBy(4 * hour);
    await expectRotations(cloud);
    expect(engine.getResourcePolicy({ SecretId: secretName }).ResourcePolicy).toBe(theirs);
    expect(deployment.plan.outputs.tokenSecretArns).toEqual({ [secretName]: tokenArn });
    await (await deployment.update(adoptedUnprotected)).destroy();
    expect(engine.describeSecret({ SecretId: secretName }).DeletedDate).toBeUndefined();
  });
});

describe("an adopted secret", () => {
  it("that is not there fails the deployment", async () => {
    const { cloud } = await emptyCloud();
    await expect(deploy(cloud, adoptedToken)).rejects.toThrow(/AWS (denied|does not find)/);
    await cloud.stop();
  });
});
