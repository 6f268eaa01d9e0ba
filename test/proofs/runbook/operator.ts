import {
  GetSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  StopReplicationToReplicaCommand,
} from "@aws-sdk/client-secrets-manager";
import { anyC2mUrl } from "../../../local-cloud/pulumi/program.ts";
import type { Ended, OperatedStack } from "../../harness/operated-stack.ts";
import { plan } from "../../harness/program.ts";
import { clientId, stackConfig } from "../../harness/stack.ts";
import type { Command } from "./runbook-page.ts";

/** Does what the page says, as written: our command line in a process, the two others by what they would do. */
export class Operator {
  readonly #stack: OperatedStack;
  /** What is typed where the page has a secret asked for, by its key. */
  readonly #typed: Record<string, string>;
  /** The name of the stack that the page has made; else the one that stands is meant. */
  #newStack: string | undefined;
  #config: Record<string, unknown>;

  constructor(stack: OperatedStack, typed: Record<string, string>) {
    this.#stack = stack;
    this.#typed = typed;
    const { config } = stackConfig();
    this.#config = { ...config, tokens: JSON.parse(config.tokens ?? "[]") };
  }

  async follow({ program, args }: Command): Promise<Ended> {
    switch (program) {
      case "c2m-tokens":
        return this.#ops(args);
      case "pulumi":
        return ended(() => this.#pulumi(args));
      case "aws":
        return ended(() => this.#aws(args));
    }
  }

  async #ops(args: readonly string[]): Promise<Ended> {
    const timing = args[0] === "rotate" || args[0] === "compromised" ? ["--interval", "0.05"] : [];
    const impatience = ["verify", "doctor"].includes(args[0] ?? "") ? ["--timeout", "2"] : [];
    const PATH = await this.#stack.pulumiPath(undefined, this.#newStack);
    return this.#stack.start([...args, ...timing, ...impatience], { PATH }).ended;
  }

  async #pulumi([command, ...args]: string[]): Promise<void> {
    const [first = "", key = "", value = ""] = args.filter(
      (arg) => !["--plaintext", "--path", "--secret"].includes(arg),
    );
    if (command === "stack" && first === "init") {
      this.#newStack = key;
      this.#config = { baseUrl: anyC2mUrl };
    } else if (command === "config" && first === "set") {
      this.#set(key, args.includes("--secret") ? this.#typed[key] : value);
    } else if (command === "up") {
      const { "aws:region": _, tokens, ...config } = this.#config;
      const declared = await plan({
        config: { ...(config as Record<string, string>), tokens: JSON.stringify(tokens) },
        secretKeys: ["clientSecret"],
        ...(this.#newStack === undefined ? {} : { stack: this.#newStack }),
        region: this.#stack.cloud.region,
      });
      await this.#stack.up(declared, { refresh: args.includes("--refresh") });
    } else {
      throw new Error(`The operator does not know pulumi ${command} ${args.join(" ")}.`);
    }
  }

  #set(path: string, value: unknown): void {
    const [, index, key] = /^tokens\[(\d+)\]\.(\w+)$/.exec(path) ?? [];
    if (index === undefined || key === undefined) {
      this.#config[path] = path === "clientId" ? clientId : value;
      return;
    }
    const tokens = (this.#config.tokens ?? []) as Record<string, unknown>[];
    this.#config.tokens = tokens;
    tokens[Number(index)] = {
      ...tokens[Number(index)],
      [key]: key === "secretArn" ? this.#arnLike(String(value)) : value,
    };
  }

  /** The page's ARN ends in an example's six characters. */
  #arnLike(example: string): string {
    const name = example.split(":secret:")[1]?.slice(0, -7) ?? "";
    return this.#stack.cloud.secretsManager.engine.describeSecret({ SecretId: name }).ARN ?? "";
  }

  async #aws([service, operation, ...args]: string[]): Promise<void> {
    const option = (name: string) => args[args.indexOf(`--${name}`) + 1];
    if (service !== "secretsmanager") throw new Error(`The operator does not know aws ${service}.`);
    const { cloud } = this.#stack;
    const region = args.includes("--region") ? (option("region") ?? "") : cloud.region;
    const client = new SecretsManagerClient({ ...cloud.clientConfig(), region });
    const SecretId = option("secret-id");
    try {
      if (operation === "get-secret-value") await client.send(new GetSecretValueCommand({ SecretId }));
      else if (operation === "restore-secret") await client.send(new RestoreSecretCommand({ SecretId }));
      else if (operation === "stop-replication-to-replica")
        await client.send(new StopReplicationToReplicaCommand({ SecretId }));
      else throw new Error(`The operator does not know aws secretsmanager ${operation}.`);
    } finally {
      client.destroy();
    }
  }
}

async function ended(done: () => Promise<void>): Promise<Ended> {
  try {
    await done();
    return { code: 0, stdout: "", stderr: "" };
  } catch (error) {
    return { code: 1, stdout: "", stderr: String(error) };
  }
}
