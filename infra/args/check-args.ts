import { parseBaseUrl } from "../../src/c2m/base-url.ts";
import { formatDuration } from "../../src/formats/duration.ts";
import { RotationError } from "../../src/ports/errors.ts";
import { mechanismKeys } from "./credentials-args.ts";
import type { Problem } from "./problem.ts";
import { rotationDefaults, type TokenRotationArgs } from "./rotation-args.ts";
import { planToken, type TokenPlan } from "./token-rules.ts";

/** The retention times that CloudWatch Logs takes, in days. */
const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const meanings: Record<keyof TokenRotationArgs, string> = {
  clientId: "the C2M client that the tokens are issued to",
  credentials: "how the client proves itself",
  tokens: "the token secrets to keep fresh",
  baseUrl: "the C2M API",
  recoveryWindowInDays: "how long a deleted secret can be restored",
  protect: "whether Pulumi refuses to delete the secrets, their key and the log",
  logRetentionDays: "how long the log is kept, which is the ledger of tokens",
  monitoring: "alarms, event rules and dashboard",
  kmsKey: "what the secrets are encrypted with",
  replicas: "regions with a copy of each token secret",
  readers: "who may read the token secrets",
  tags: "tags for everything",
  vpc: "where the functions run",
  tracing: "whether X-Ray traces the functions",
};

/**
 * Checks all arguments that are known before anything is deployed.
 *
 * @returns the tokens with their defaults filled in (those without a problem), and every problem
 */
export function checkArgs(name: string, args: TokenRotationArgs): { tokens: TokenPlan[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const say = (key: keyof TokenRotationArgs, rule: string, path: string = key) =>
    problems.push({ path, meaning: meanings[key], rule });

  if (!/^[A-Za-z0-9_-]{1,48}$/.test(name)) {
    const rule = "must be 1 to 48 of the characters A-Z a-z 0-9 _ -";
    problems.push({ path: "name", meaning: "what the names of all resources begin with", rule });
  }
  if (!/^[\x21-\x7e]+$/.test(args.clientId)) say("clientId", 'must be the id that C2M gave, as in "c2m_1234"');
  const mechanisms = mechanismKeys.filter((key) => key in args.credentials);
  if (mechanisms.length !== 1) say("credentials", `must have exactly one of ${mechanismKeys.join(", ")}`);
  checkBaseUrl(args.baseUrl ?? rotationDefaults.baseUrl, (rule) => say("baseUrl", rule));

  const tokens = args.tokens.flatMap(
    (token, index) => planToken(token, `tokens[${index}]`, (problem) => problems.push(problem)) ?? [],
  );
  if (args.tokens.length === 0) say("tokens", "must name at least one token secret");
  const names = args.tokens.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (name !== undefined && names.indexOf(name) < index)
      say("tokens", "must be unique among the tokens", `tokens[${index}].name`);
  }
  if ("shortToken" in args.credentials) {
    for (const [index, { scopes }] of tokens.entries()) {
      if (scopes.includes("tokens:write")) continue;
      say("tokens", "must hold tokens:write, with which a short token issues the next", `tokens[${index}].scopes`);
    }
  }

  const { recoveryWindowInDays: days = rotationDefaults.recoveryWindowInDays } = args;
  if (!(days === 0 || (Number.isInteger(days) && days >= 7 && days <= 30))) {
    say("recoveryWindowInDays", "must be 0 or 7 to 30 days");
  }
  const { logRetentionDays = rotationDefaults.logRetentionDays } = args;
  if (!retentions.includes(logRetentionDays)) say("logRetentionDays", `must be one of ${retentions.join(", ")} days`);
  const longestLifetime = Math.max(0, ...tokens.map(({ lifetimeSeconds }) => lifetimeSeconds));
  if (logRetentionDays * 86_400 < longestLifetime) {
    say("logRetentionDays", `must be at least the longest lifetime, ${formatDuration(longestLifetime)}`);
  }
  if (typeof args.kmsKey === "string" && !/^(create|arn:[^:]+:kms:[^:]+:\d{12}:key\/.+)$/.test(args.kmsKey)) {
    say("kmsKey", 'must be "create", or the full ARN of a key (not of an alias, which no policy can name)');
  }
  for (const [index, reader] of (args.readers ?? []).entries()) {
    if (typeof reader === "string" && !/^arn:[^:]+:iam::\d{12}:(root|role\/.+|user\/.+)$/.test(reader)) {
      say("readers", "must be the ARN of a role, a user or an account", `readers[${index}]`);
    }
  }
  if (args.vpc) {
    for (const key of ["subnetIds", "securityGroupIds"] as const) {
      if (!Array.isArray(args.vpc[key]) || args.vpc[key].length === 0)
        say("vpc", "must be a list of ids", `vpc.${key}`);
    }
  }
  for (const [index, { region }] of (args.replicas ?? []).entries()) {
    if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
      say("replicas", 'must be a region, as in "eu-west-1"', `replicas[${index}].region`);
    }
  }
  if (args.monitoring) {
    for (const [index, email] of (args.monitoring.emails ?? []).entries()) {
      if (!/^\S+@\S+$/.test(email)) say("monitoring", "must be an e-mail address", `monitoring.emails[${index}]`);
    }
  }
  return { tokens, problems };
}

function checkBaseUrl(text: string, say: (rule: string) => void): void {
  try {
    parseBaseUrl(text);
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    say(error.message);
  }
}
