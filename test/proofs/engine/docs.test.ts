import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientId, clientSecret, scopes, secretName } from "../../harness/stack.ts";
import { commandsUnder, Deployer } from "./deploy-page.ts";

const another = "c2m/another";
const credentials = "c2m/client-credentials";

// Each of these goes on where the one before it ended.
describe("the commands of docs/deploy.md, as they are written, under the Pulumi CLI", () => {
  let user: Deployer;

  beforeAll(async () => {
    user = await Deployer.start();
  });
  afterAll(() => user.stop());

  it("The first token, as the README has it too", async () => {
    const readme = readFileSync(resolve(import.meta.dirname, "../../../README.md"), "utf8");
    expect(readme).toContain(commandsUnder("The first token"));
    await user.follow("The first token", clientSecret);
    expect(user.live()).toEqual([user.tokenIn(secretName)]);
    expect(user.describe(secretName).RotationRules?.ScheduleExpression).toBe("rate(30 days)");
  });

  it("Change the schedule", async () => {
    const token = user.tokenIn(secretName);
    await user.follow("Change the schedule");
    expect(user.describe(secretName).RotationRules?.ScheduleExpression).toBe("cron(0 8 1 * ? *)");
    expect(user.tokenIn(secretName)).toBe(token);
  });

  it("Add a token", async () => {
    const token = user.tokenIn(secretName);
    await user.follow("Add a token");
    expect(user.tokenIn(secretName)).toBe(token);
    expect(user.describe(another).RotationEnabled).toBe(true);
    expect(user.live()).toHaveLength(2);
  });

  it("Change the client secret: a wrong one fails, with the reason once and the remedy; the right one is proven", async () => {
    user.engine.cloud.c2m.registerClient({ clientId, clientSecret: "the-next-client-secret", scopes });
    const refusal = await user.follow("Change the client secret", "a-mistyped-secret").catch(String);
    const [progress, diagnostics = ""] = refusal.split("\nDiagnostics:\n");
    const reason = "C2M answered HTTP 400 (invalid_grant). Check the client id and the credentials";
    expect(diagnostics.split(reason)).toHaveLength(2);
    // Without a terminal Pulumi says it at each change of the resource's state, too, and with one in a line that it rewrites.
    expect(progress?.split(reason)).toHaveLength(3);
    expect(refusal).not.toMatch(/^\s+at /m);
    expect(refusal).not.toContain("a-mistyped-secret");
    const tokens = user.live();
    await user.follow("Change the client secret", "the-next-client-secret");
    expect(user.live()).toEqual(tokens);
  });

  it("Encrypt the secrets with a key of your own", async () => {
    const tokens = user.live();
    await user.follow("Encrypt the secrets with a key of your own");
    const key = (await user.run("pulumi stack output kmsKeyArn")).trim();
    for (const name of [secretName, another, credentials]) expect(user.describe(name).KmsKeyId).toBe(key);
    expect(user.live()).toEqual(tokens);
  });

  it("Change the key of the secrets: refused without the one before, which stays for what it has encrypted", async () => {
    const { KmsKeyId = "" } = user.describe(secretName);
    const alone = user.run("pulumi config rm kmsKey\npulumi preview");
    await expect(alone).rejects.toThrow(`formerKmsKeys (keys that the secrets had before): must name ${KmsKeyId}`);
    await user.run("pulumi config set kmsKey create");
    await user.follow("Change the key of the secrets");
    for (const name of [secretName, another, credentials]) {
      expect(user.describe(name).KmsKeyId).toBe("alias/aws/secretsmanager");
    }
    expect(user.engine.cloud.keys.key(KmsKeyId.split("/")[1] ?? "")).toBeDefined();
  });

  it("Retire a token", async () => {
    const tokens = user.live();
    await user.follow("Retire a token");
    expect(user.describe(another).RotationEnabled).toBeFalsy();
    expect(user.describe(secretName).RotationEnabled).toBe(true);
    expect(user.live()).toEqual(tokens);
  });

  it("prints no secret in all that", () => {
    for (const secret of user.engine.secrets()) expect(user.engine.printed.includes(secret)).toBe(false);
  });
});
