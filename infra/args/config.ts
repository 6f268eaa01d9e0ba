import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { nearestName } from "../../src/formats/nearest-name.ts";
import { describeProblems, type Problem } from "./checks.ts";
import { type Key, type RotationKey, rotationKeys } from "./keys.ts";
import { planRotation } from "./plan.ts";
import type { TokenRotationArgs } from "./rotation-args.ts";

/** The stack's config: the rotation's name, and its arguments. */
export interface StackConfig {
  name: string;
  args: TokenRotationArgs;
}

/** The key of the rotation's name, which is no argument, but what a component is called. */
export const nameKey = {
  type: "string",
  meaning: "what the names of all resources begin with",
  says: "What the names of all resources but the secrets begin with. A second stack in the same account and region needs another one.",
  default: "c2m-token-rotation",
} as const satisfies Key;

const keys = { ...rotationKeys, name: nameKey };

/** What stands in the stack's file as plain text unless it is set with `--secret`. */
const secretKeys: readonly RotationKey[] = ["clientSecret", "otpSeed", "privateKey"];

/**
 * Reads and checks the stack's config as a whole: the keys of keys.ts.
 *
 * @throws {pulumi.RunError} with every problem in one message: the key, what it is for and the rule, and no value
 */
export function readConfig(): StackConfig {
  const config = new pulumi.Config();
  const problems: Problem[] = unknownKeys(config.name);
  const given: Record<string, unknown> = {};
  for (const [key, { type, meaning }] of Object.entries(keys) as [RotationKey | "name", Key][]) {
    const isSecret = secretKeys.includes(key as RotationKey);
    if (isSecret) warnOfPlainText(config, key);
    const { value, rule } = isSecret ? { value: secret(config, key) } : read(config, key, type);
    if (value !== undefined) given[key] = value;
    if (rule !== undefined) problems.push({ path: key, meaning, rule });
  }
  if (!regionIsKnown()) {
    const rule = "must be set, as by `pulumi config set aws:region us-east-1`, or AWS_REGION";
    problems.push({ path: "aws:region", meaning: "where the stack is", rule });
  }
  const { name = nameKey.default, ...args } = given as unknown as { name?: string } & TokenRotationArgs;
  problems.push(...planRotation(name, args).problems);
  // A key that could not be read has been told of; what is made of its absence is no further problem.
  const told = problems.filter(({ path }, index) => problems.findIndex((other) => other.path === path) === index);
  if (told.length > 0) throw new pulumi.RunError(`The stack's config is not valid:\n${describeProblems(told)}`);
  return { name, args };
}

function unknownKeys(project: string): Problem[] {
  const known = Object.keys(keys);
  return Object.keys(pulumi.runtime.allConfig()).flatMap((full) => {
    const [namespace, key = ""] = full.split(":");
    if (namespace !== project || known.includes(key)) return [];
    const near = nearestName(key, known);
    const rule = near === undefined ? "remove it; docs/deploy.md has all keys" : `did you mean ${near}?`;
    return [{ path: key, meaning: "not a key of this project", rule }];
  });
}

/** Empty is what Pulumi.yaml has for a text or an object that is not set. */
function read(config: pulumi.Config, key: string, type: Key["type"]): { value?: unknown; rule?: string } {
  switch (type) {
    case "string":
      return { value: config.get(key) || undefined };
    case "integer":
      return typed(() => config.getNumber(key), isNumber, "must be a number");
    case "boolean":
      return typed(() => config.getBoolean(key), isFlag, "must be true or false");
    case "array": {
      const rule = `must be a list, as in \`pulumi config set --plaintext --path '${key}[0]'\``;
      return typed(() => config.getObject(key), Array.isArray, rule);
    }
    case "object": {
      const rule = "must be an object, as `pulumi config set --plaintext --path` makes it";
      const found = typed(() => config.getObject(key), isObject, rule);
      return isObject(found.value) && Object.keys(found.value).length === 0 ? {} : found;
    }
  }
}

function secret(config: pulumi.Config, key: string): pulumi.Output<string> | undefined {
  // `get` would warn that this one is a secret.
  return pulumi.runtime.getConfig(`${config.name}:${key}`) ? config.getSecret(key) : undefined;
}

/** A stack that runs goes on: it is warned, not refused. */
function warnOfPlainText(config: pulumi.Config, key: string): void {
  const full = `${config.name}:${key}`;
  // The SDK keeps this function to itself; without it nobody is warned.
  const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret?: (key: string) => boolean };
  if (!pulumi.runtime.getConfig(full) || !isConfigSecret || isConfigSecret(full)) return;
  void pulumi.log.warn(
    `${key} stands in the stack's file as plain text. Set it by \`pulumi config set --secret ${key}\`; then renew it, since the old one may be in a repository or a backup.`,
  );
}

/** The AWS provider finds the region in the config, the environment or the shared config file. */
function regionIsKnown(): boolean {
  const { AWS_REGION, AWS_DEFAULT_REGION, AWS_CONFIG_FILE = join(homedir(), ".aws", "config") } = process.env;
  if (pulumi.runtime.getConfig("aws:region") || AWS_REGION || AWS_DEFAULT_REGION) return true;
  return existsSync(AWS_CONFIG_FILE) && /^\s*region\s*=/m.test(readFileSync(AWS_CONFIG_FILE, "utf8"));
}

const isNumber = (value: unknown) => typeof value === "number" && !Number.isNaN(value);
const isFlag = (value: unknown) => typeof value === "boolean";
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// The SDK's own error would quote the value.
function typed(get: () => unknown, is: (value: unknown) => boolean, rule: string): { value?: unknown; rule?: string } {
  try {
    const value = get();
    if (value === undefined) return {};
    return is(value) ? { value } : { rule };
  } catch {
    return { rule };
  }
}
