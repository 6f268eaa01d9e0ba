import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientId, clientSecret, currentToken, hour, scopes, secretName } from "../../harness/stack.ts";
import { EngineStack } from "./engine-stack.ts";

const root = resolve(import.meta.dirname, "../../..");
const page = readFileSync(resolve(root, "docs/deploy.md"), "utf8");

/** The commands under a heading of docs/deploy.md. */
function commandsUnder(heading: string): string {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const [, commands] = /^```sh\n(.*?)^```$/ms.exec(section.split("\n## ")[0] ?? "") ?? [];
  if (commands === undefined) throw new Error(`docs/deploy.md has no commands under ${heading}.`);
  return commands;
}

// Each of these goes on where the one before it ended.
describe("the commands of docs/deploy.md, as they are written, under the Pulumi CLI", () => {
  let engine: EngineStack;
  const another = "c2m/another";

  beforeAll(async () => {
    engine = await EngineStack.empty({ startAt: Date.now() });
  });
  afterAll(() => engine.stop());

  /** Runs a section's commands; `typed` is what somebody enters where a command asks for a value. */
  async function follow(heading: string, typed = ""): Promise<void> {
    await engine.world.clock.advanceTo(Date.now());
    // The project is installed already, and its command line stands in the repository.
    const instead = `npm() { :; }; npx() { shift; node '${resolve(root, "cli/main.ts")}' "$@"; }`;
    // Of all that a user sets only C2M's place differs.
    const commands = commandsUnder(heading).replace(
      /^pulumi config set clientId .*$/m,
      `pulumi config set clientId ${clientId}\npulumi config set baseUrl ${engine.cloud.c2mUrl}`,
    );
    await engine.sh(`${instead}\n${commands}`, typed);
  }

  const describeSecret = (SecretId: string) => engine.cloud.secretsManager.engine.describeSecret({ SecretId });
  const tokenId = () => currentToken(engine.cloud).token_id;

  it("The first token, as the README has it too", async () => {
    expect(readFileSync(resolve(root, "README.md"), "utf8")).toContain(commandsUnder("The first token"));
    await follow("The first token", clientSecret);
    expect(engine.cloud.c2m.isLive(String(tokenId()))).toBe(true);
    expect(describeSecret(secretName).RotationRules?.ScheduleExpression).toBe("rate(30 days)");
  });

  it("Change the schedule", async () => {
    const token = tokenId();
    await follow("Change the schedule");
    expect(describeSecret(secretName).RotationRules?.ScheduleExpression).toBe("cron(0 8 1 * ? *)");
    expect(tokenId()).toBe(token);
  });

  it("Add a token", async () => {
    const token = tokenId();
    await follow("Add a token");
    expect(tokenId()).toBe(token);
    expect(describeSecret(another).RotationEnabled).toBe(true);
    expect(engine.cloud.c2m.liveLongTokens()).toHaveLength(2);
  });

  it("Change the client secret: a wrong one fails, the right one is proven", async () => {
    engine.cloud.c2m.registerClient({ clientId, clientSecret: "the-next-client-secret", scopes });
    const refusal = await follow("Change the client secret", "a-mistyped-secret").catch(String);
    expect(refusal).toMatch(/credentials/i);
    expect(refusal).not.toContain("a-mistyped-secret");
    const token = tokenId();
    await follow("Change the client secret", "the-next-client-secret");
    expect(tokenId()).toBe(token);
    expect(engine.cloud.c2m.liveLongTokens()).toHaveLength(2);
  });

  it("Remove a token: Pulumi refuses until it is decommissioned", async () => {
    const live = engine.cloud.c2m.liveLongTokens().length;
    const withoutDecommission = "pulumi config rm --path 'tokens[1]'\npulumi up";
    await expect(engine.sh(withoutDecommission)).rejects.toThrow("because it is protected");
    expect(engine.cloud.c2m.liveLongTokens()).toHaveLength(live);
    await engine.sh(`pulumi config set --plaintext --path 'tokens[1].name' ${another}`);

    await follow("Remove a token");
    expect(describeSecret(another).DeletedDate).toBeDefined();
    expect(engine.cloud.c2m.liveLongTokens().map(({ id }) => id)).toEqual([tokenId()]);
    expect(describeSecret(secretName).RotationEnabled).toBe(true);
  });

  it("Destroy the stack leaves no token alive and no function", async () => {
    await engine.world.clock.advanceBy(hour);
    await follow("Destroy the stack");
    expect(engine.cloud.c2m.liveLongTokens()).toEqual([]);
    expect(describeSecret(secretName).DeletedDate).toBeDefined();
    await expect(engine.sh("pulumi stack output rotatorName")).rejects.toThrow();
  });

  it("prints no secret in all that", () => {
    for (const secret of engine.secrets()) expect(engine.printed.includes(secret)).toBe(false);
  });
});
