import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientSecret, secretName } from "../../harness/stack.ts";
import { commandsUnder, Deployer } from "./deploy-page.ts";

const another = "c2m/another";
const renamed = "c2m/new-name";
const credentials = "c2m/client-credentials";

const hasAws = !spawnSync("aws", ["--version"]).error;

// Each of these goes on where the one before it ended. Without AWS's command line run.ts says that they are not run.
describe.skipIf(!hasAws)(
  "the commands of docs/deploy.md that end something, as they are written, under the Pulumi CLI",
  () => {
    let user: Deployer;

    beforeAll(async () => {
      user = await Deployer.start();
      await user.follow("The first token", clientSecret);
      await user.follow("Add a token");
    });
    afterAll(() => user.stop());

    it("Remove a token: refused until it is decommissioned, with the command that does it", async () => {
      const before = user.live();
      const command = "npx c2m-tokens decommission --stack dev --secret c2m/another --yes c2m/another";
      await expect(user.run("pulumi config rm --path 'tokens[1]'\npulumi up")).rejects.toThrow(command);
      expect(commandsUnder("Remove a token")).toContain(command);
      expect(user.live()).toEqual(before);
      await user.run(`pulumi config set --plaintext --path 'tokens[1].name' ${another}`);

      await user.follow("Remove a token");
      expect(user.describe(another).DeletedDate).toBeDefined();
      expect(user.live()).toEqual([user.tokenIn(secretName)]);
      expect(user.describe(secretName).RotationEnabled).toBe(true);
    });

    it("Rename a token: a new name in the old one's place is refused, one beside it is issued", async () => {
      const inPlace = `pulumi config set --plaintext --path 'tokens[0].name' ${renamed}\npulumi preview`;
      await expect(user.run(inPlace)).rejects.toThrow(`must still hold ${secretName}`);
      await user.run(`pulumi config set --plaintext --path 'tokens[0].name' ${secretName}`);
      await user.follow("Rename a token");
      expect(user.live()).toEqual([user.tokenIn(secretName), user.tokenIn(renamed)].sort());
    });

    it("Restore a deleted secret: its dead token is replaced, and it rotates again", async () => {
      const before = user.live();
      await user.follow("Restore a deleted secret");
      expect(user.live()).toEqual([...before, user.tokenIn(another)].sort());
      expect(user.describe(another).RotationEnabled).toBe(true);
    });

    it("Destroy the stack leaves no token alive and no function", async () => {
      await user.run(`
      npx c2m-tokens decommission --stack dev --secret ${renamed} --yes ${renamed}
      npx c2m-tokens decommission --stack dev --secret ${another} --yes ${another} --delete-lent
      pulumi config rm --path 'tokens[2]'
      pulumi config rm --path 'tokens[1]'
      pulumi up --refresh`);
      expect(user.live()).toEqual([user.tokenIn(secretName)]);
      await user.follow("Destroy the stack");
      expect(user.live()).toEqual([]);
      expect(user.describe(secretName).DeletedDate).toBeDefined();
      await expect(user.run("pulumi stack output rotatorName")).rejects.toThrow();
    });

    it("Deploy again after that: refused by AWS until the secrets are gone", async () => {
      await expect(user.run("pulumi up")).rejects.toThrow("already scheduled for deletion");
      await user.follow("Deploy again after that");
      expect(user.live()).toEqual([user.tokenIn(secretName)]);
      expect(user.describe(secretName).RotationEnabled).toBe(true);
    });

    it("Change the name of the credentials' secret: the credentials are proven, and the rotation goes on", async () => {
      const atOnce = "pulumi config set --plaintext credentialsSecretName c2m/mail-client\npulumi preview";
      await expect(user.run(atOnce)).rejects.toThrow(/protect/);
      await user.run("pulumi config rm credentialsSecretName");
      const token = user.tokenIn(secretName);
      await user.follow("Change the name of the credentials' secret");
      expect(user.tokenIn(secretName)).toBe(token);
      expect(user.describe(credentials).DeletedDate).toBeDefined();
      const { secretsManager } = user.engine.cloud;
      secretsManager.engine.rotateSecret({ SecretId: secretName, ClientRequestToken: crypto.randomUUID() });
      await secretsManager.idle();
      expect(user.tokenIn(secretName)).not.toBe(token);
    });

    it("prints no secret in all that", () => {
      for (const secret of user.engine.secrets()) expect(user.engine.printed.includes(secret)).toBe(false);
    });
  },
);
