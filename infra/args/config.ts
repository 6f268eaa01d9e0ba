import * as pulumi from "@pulumi/pulumi";
import { checkArgs } from "./check-args.ts";
import type { CredentialsArgs } from "./credentials-args.ts";
import { describeProblems, type Problem } from "./problem.ts";
import type { TokenRotationArgs, VpcArgs } from "./rotation-args.ts";
import type { TokenArgs } from "./token-args.ts";

/** The stack's config: the rotation's name, and its arguments. */
export interface StackConfig {
  name: string;
  args: TokenRotationArgs;
}

/** The config keys of the mechanisms, of which exactly one is set. */
const mechanismKeys = ["clientSecret", "otpSeed", "privateKey", "credentialsSecretArn", "shortToken"] as const;

/**
 * Reads and checks the stack's config as a whole. Its keys and their meaning stand in Pulumi.yaml.
 *
 * @throws {pulumi.RunError} with every problem in one message: the key, what it is for and the rule, and no value
 */
export function readConfig(): StackConfig {
  const config = new ConfigReader();
  const name = config.text("name") ?? "c2m-token-rotation";
  const emails = config.list<string>("alarmEmails");
  const args: TokenRotationArgs = {
    clientId: config.text("clientId") ?? "",
    credentials: readCredentials(config),
    tokens: config.list<TokenArgs>("tokens") ?? [],
    baseUrl: config.text("baseUrl"),
    recoveryWindowInDays: config.number("recoveryWindowInDays"),
    protect: config.flag("protect"),
    logRetentionDays: config.number("logRetentionDays"),
    monitoring: config.flag("monitoring") === false ? false : { emails, runbook: config.text("runbook") },
    kmsKey: config.text("kmsKey"),
    replicas: config.list<string>("replicaRegions")?.map((region) => ({ region: String(region) })),
    readers: config.list<string>("readers"),
    tags: config.object<Record<string, string>>("tags"),
    vpc: config.object<VpcArgs>("vpc"),
    tracing: config.flag("tracing"),
  };
  const problems = [...config.problems, ...checkArgs(name, args).problems.map(inKeysOfTheConfig)];
  // A key that could not be read has been told of; what is made of its absence is no further problem.
  const told = problems.filter(({ path }, index) => problems.findIndex((other) => other.path === path) === index);
  if (told.length > 0) throw new pulumi.RunError(`The stack's config is not valid:\n${describeProblems(told)}`);
  return { name, args };
}

function readCredentials(config: ConfigReader): CredentialsArgs {
  const clientSecret = config.secret("clientSecret");
  const otpSeed = config.secret("otpSeed");
  const privateKey = config.secret("privateKey");
  const secretArn = config.text("credentialsSecretArn");
  const shortToken = config.flag("shortToken") === true;
  const secretName = config.text("credentialsSecretName");
  const set = [clientSecret, otpSeed, privateKey, secretArn, shortToken || undefined].filter(
    (one) => one !== undefined,
  );
  if (set.length !== 1) {
    config.report(
      "clientSecret",
      "how the client proves itself",
      `must be set, \`pulumi config set --secret clientSecret\`, or one of ${mechanismKeys.slice(1).join(", ")} in its place, and not two of them`,
    );
  }
  if (otpSeed) return { otpSeed, secretName };
  if (privateKey) return { privateKey, keyId: config.text("keyId"), audience: config.text("audience"), secretName };
  if (secretArn !== undefined) return { secretArn };
  if (shortToken) return { shortToken: true, grantType: config.text("shortTokenGrantType") };
  return { clientSecret: clientSecret ?? "", secretName };
}

function inKeysOfTheConfig(problem: Problem): Problem {
  const path = problem.path
    .replace(/^replicas\[(\d+)\]\.region$/, "replicaRegions[$1]")
    .replace(/^monitoring\.emails/, "alarmEmails");
  return { ...problem, path };
}

/** Reads one key after the other and collects what is wrong with them. */
class ConfigReader {
  readonly problems: Problem[] = [];
  readonly #config = new pulumi.Config();

  report(path: string, meaning: string, rule: string): void {
    this.problems.push({ path, meaning, rule });
  }

  text(key: string): string | undefined {
    return this.#config.get(key) || undefined;
  }

  secret(key: string): pulumi.Output<string> | undefined {
    // Empty is what Pulumi.yaml has for a secret that is not set. `get` would warn that this one is a secret.
    return pulumi.runtime.getConfig(`${this.#config.name}:${key}`) ? this.#config.getSecret(key) : undefined;
  }

  number(key: string): number | undefined {
    return this.#typed(key, "must be a number", () => this.#config.getNumber(key));
  }

  flag(key: string): boolean | undefined {
    return this.#typed(key, "must be true or false", () => this.#config.getBoolean(key));
  }

  object<T extends object>(key: string): T | undefined {
    const rule = "must be an object, as `pulumi config set --plaintext --path` makes it";
    const value = this.#typed(key, rule, () => this.#config.getObject<T>(key));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    // Empty is what Pulumi.yaml has for an object that is not set.
    if (isObject) return Object.keys(value).length === 0 ? undefined : value;
    if (value !== undefined) this.report(key, "see Pulumi.yaml", rule);
    return undefined;
  }

  list<T>(key: string): T[] | undefined {
    const rule = `must be a list, as in \`pulumi config set --plaintext --path '${key}[0]'\``;
    const value = this.#typed(key, rule, () => this.#config.getObject<T[]>(key));
    if (value === undefined || Array.isArray(value)) return value;
    this.report(key, "see Pulumi.yaml", rule);
    return undefined;
  }

  // The SDK's own error would quote the value.
  #typed<T>(key: string, rule: string, read: () => T): T | undefined {
    try {
      return read();
    } catch {
      this.report(key, "see Pulumi.yaml", rule);
      return undefined;
    }
  }
}
