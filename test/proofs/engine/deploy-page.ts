import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { clientId, hour } from "../../harness/stack.ts";
import { EngineStack } from "./engine-stack.ts";

const root = resolve(import.meta.dirname, "../../..");
const page = readFileSync(resolve(root, "docs/deploy.md"), "utf8");
const shiftedTime = resolve(root, "test/harness/shifted-time.mjs");

/** The commands under a heading of docs/deploy.md. */
export function commandsUnder(heading: string): string {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const [, commands] = /^```sh\n(.*?)^```$/ms.exec(section.split("\n## ")[0] ?? "") ?? [];
  if (commands === undefined) throw new Error(`docs/deploy.md has no commands under ${heading}.`);
  return commands;
}

/** Somebody who does what docs/deploy.md says, in an account that has nothing of it yet. */
export class Deployer {
  readonly engine: EngineStack;

  static async start(): Promise<Deployer> {
    return new Deployer(await EngineStack.empty({ startAt: Date.now() }));
  }

  private constructor(engine: EngineStack) {
    this.engine = engine;
  }

  /** Runs commands as they are; `typed` is what somebody enters where a command asks for a value. */
  async run(commands: string, typed = ""): Promise<string> {
    const { clock } = this.engine.world;
    await clock.advanceTo(Date.now());
    // The project is installed already, and its command line stands in the repository. What it waits for has passed.
    const instead = `npm() { :; }; npx() { shift; node --import '${shiftedTime}' '${resolve(root, "cli/main.ts")}' "$@"; }`;
    const ahead = clock.now() - Date.now();
    const printed = await this.engine.sh(`${instead}\nexport SHIFTED_TIME_MS=${ahead}\n${commands}`, typed);
    if (commands.includes(" decommission ")) await clock.advanceBy(hour / 2);
    return printed;
  }

  /** Runs a section's commands. Of all that a user sets only C2M's place differs. */
  async follow(heading: string, typed = ""): Promise<string> {
    const commands = commandsUnder(heading).replace(
      /^pulumi config set clientId .*$/m,
      `pulumi config set clientId ${clientId}\npulumi config set baseUrl ${this.engine.cloud.c2mUrl}`,
    );
    return await this.run(commands, typed);
  }

  describe(SecretId: string) {
    return this.engine.cloud.secretsManager.engine.describeSecret({ SecretId });
  }

  /** The id of a secret's current token. */
  tokenIn(SecretId: string): string {
    const { SecretString = "" } = this.engine.cloud.secretsManager.engine.getSecretValue({ SecretId });
    return JSON.parse(SecretString).token_id;
  }

  /** The ids of the long-term tokens that live. */
  live(): string[] {
    return this.engine.cloud.c2m
      .liveLongTokens()
      .map(({ id }) => id)
      .sort();
  }

  stop(): Promise<void> {
    return this.engine.stop();
  }
}
