import * as pulumi from "@pulumi/pulumi";
import { readBaseUrl } from "../../src/c2m/base-url.ts";
import { formatDuration } from "../../src/formats/duration.ts";
import { nearestName } from "../../src/formats/nearest-name.ts";
import { matches, opaque, opaqueList, type Problem, type Rule, text } from "./checks.ts";
import { type CredentialsPlan, planCredentials } from "./credentials-plan.ts";
import { type EventScope, eventScopes } from "./event-scope.ts";
import { type RotationKey, rotationKeys } from "./keys.ts";
import { limits, retentions } from "./limits.ts";
import type { TokenRotationArgs } from "./rotation-args.ts";
import { planToken, type TokenPlan } from "./token-rules.ts";

/**
 * All that a user has said, checked, with defaults filled in and numbers with units. Component, settings file and outputs
 * read it and nothing else. Only what another resource may give is an output.
 */
export interface RotationPlan {
  /** What the names of all resources but the secrets begin with. */
  name: string;
  clientId: pulumi.Output<string>;
  /** Without a trailing slash. */
  baseUrl: pulumi.Output<string>;
  formerBaseUrls: string[];
  paused: boolean;
  sandbox: boolean;
  credentials: CredentialsPlan;
  tokens: TokenPlan[];
  recoveryWindowInDays: number;
  protect: boolean;
  logRetentionDays: number;
  monitoring: boolean;
  /** The text by which Pulumi knows each address, and the address. */
  alarmEmails: { key: string; address: pulumi.Output<string> }[];
  /** What the event rules of each kind are about. */
  eventScopes: EventScope[];
  runbook: string;
  kmsKey: KeyPlan;
  formerKmsKeys: pulumi.Output<string>[];
  logKmsKey: KeyPlan;
  topicKmsKey: KeyPlan;
  replicas: { region: pulumi.Input<string>; keyArn: pulumi.Output<string> | undefined }[];
  readers: pulumi.Output<string[]>;
  /** Those that name the rotation among them. */
  tags: pulumi.Output<Record<string, string>>;
  vpc: { subnetIds: pulumi.Output<string[]>; securityGroupIds: pulumi.Output<string[]> } | undefined;
  proxy: pulumi.Output<string> | undefined;
  noProxy: string[];
  /** PEM. */
  caCertificates: pulumi.Output<string> | undefined;
  tracing: boolean;
  permissionsBoundary: pulumi.Output<string> | undefined;
  /** In MB. */
  memorySize: number;
  /** Of the rotator. */
  reservedConcurrency: number | undefined;
}

/** `create`: the stack's own key; undefined: AWS's, or none. */
export type KeyPlan = "create" | pulumi.Output<string> | undefined;

/** Keys of earlier versions, and what to write in their place. */
const formerKeys: Record<string, string> = {
  credentials:
    "is written without this level now: clientSecret, otpSeed, privateKey, credentialsSecretArn or shortToken",
  replicas: "is replicaRegions now, a list of regions, with replicaKeys for keys of one's own",
};

/** Checks all that is known before anything is deployed, and fills in the defaults. */
export function planRotation(name: string, args: TokenRotationArgs): { plan: RotationPlan; problems: Problem[] } {
  const problems: Problem[] = [];
  const report = (problem: Problem) => void problems.push(problem);
  const at = (key: RotationKey, path: string = key) => ({ path, meaning: rotationKeys[key].meaning });
  const say = (key: RotationKey, rule: string, path: string = key) => report({ ...at(key, path), rule });
  const flag = (key: "protect" | "monitoring" | "tracing" | "paused" | "sandbox" | "spread"): boolean => {
    const value: unknown = args[key] ?? rotationKeys[key].default;
    if (typeof value !== "boolean") say(key, "must be true or false");
    return value === true;
  };
  const key = (name: "kmsKey" | "logKmsKey" | "topicKmsKey"): KeyPlan => {
    const value = args[name];
    return value === undefined || value === "create" ? value : opaque(value, kmsKeyRule, at(name), report);
  };
  const whole = (name: "memorySize" | "reservedConcurrency", least: number, most: number) => {
    const value: unknown = args[name] ?? least;
    if (!Number.isInteger(value) || Number(value) < least || Number(value) > most) {
      say(name, `must be a whole number from ${least} to ${most}`);
    }
  };
  sayUnknownKeys(args, report);
  const monitoring = flag("monitoring");
  checkName(name, monitoring, report);
  const tokens = planTokens(args, flag("spread"), report);
  const names = tokens.map(({ name }) => name);
  const credentialsName = args.credentialsSecretName ?? rotationKeys.credentialsSecretName.default;
  const longestLifetime = Math.max(0, ...tokens.map(({ lifetimeSeconds }) => lifetimeSeconds));
  const plan: RotationPlan = {
    name,
    clientId: opaque(args.clientId ?? "", clientIdRule, at("clientId"), report),
    baseUrl: opaque(args.baseUrl ?? rotationKeys.baseUrl.default, baseUrlRule, at("baseUrl"), report).apply(
      withoutSlash,
    ),
    formerBaseUrls: planFormerBaseUrls(args, report),
    paused: flag("paused"),
    sandbox: flag("sandbox"),
    credentials: planCredentials(args, report) ?? { kind: "shortToken", grantType: undefined },
    tokens,
    recoveryWindowInDays: args.recoveryWindowInDays ?? rotationKeys.recoveryWindowInDays.default,
    protect: flag("protect"),
    logRetentionDays: args.logRetentionDays ?? rotationKeys.logRetentionDays.default,
    monitoring,
    alarmEmails: planEmails(args, report),
    eventScopes: monitoring ? eventScopes(names, credentialsName, report) : [],
    runbook: args.runbook ?? rotationKeys.runbook.default,
    kmsKey: key("kmsKey"),
    formerKmsKeys: planFormerKeys(args, report),
    logKmsKey: key("logKmsKey"),
    topicKmsKey: key("topicKmsKey"),
    replicas: planReplicas(args, report),
    readers: opaqueList(args.readers ?? [], readerRule, anyLength, at("readers"), report),
    tags: planTags(name, args, report),
    vpc: planVpc(args, report),
    proxy: args.proxy === undefined ? undefined : opaque(args.proxy, proxyRule, at("proxy"), report),
    noProxy: args.noProxy ?? [],
    caCertificates:
      args.caCertificates === undefined
        ? undefined
        : opaque(args.caCertificates, pemRule, at("caCertificates"), report),
    tracing: flag("tracing"),
    permissionsBoundary:
      args.permissionsBoundary === undefined
        ? undefined
        : opaque(args.permissionsBoundary, policyRule, at("permissionsBoundary"), report),
    memorySize: args.memorySize ?? rotationKeys.memorySize.default,
    reservedConcurrency: args.reservedConcurrency,
  };
  if (!Array.isArray(plan.noProxy) || plan.noProxy.some((host) => typeof host !== "string")) {
    say("noProxy", "must be a list of texts");
  } else if (plan.noProxy.length > 0 && !plan.proxy) say("noProxy", "goes with proxy only, which is not set");
  whole("memorySize", ...limits.memorySize);
  whole("reservedConcurrency", ...limits.reservedConcurrency);
  const { recoveryWindowInDays: days, logRetentionDays } = plan;
  if (!(days === 0 || (Number.isInteger(days) && days >= 7 && days <= 30))) {
    say("recoveryWindowInDays", "must be 0 or 7 to 30 days");
  }
  if (!retentions.includes(logRetentionDays)) say("logRetentionDays", `must be one of ${retentions.join(", ")} days`);
  if (logRetentionDays * 86_400 < longestLifetime) {
    say("logRetentionDays", `must be at least the longest lifetime, ${formatDuration(longestLifetime)}`);
  }
  return { plan, problems };
}

type Report = (problem: Problem) => void;

const anyLength = () => undefined;
const clientIdRule = matches(/^[\x21-\x7e]{1,512}$/, 'must be the id that C2M gave, as in "c2m_1234"');
const emailRule = matches(/^[^\s@]+@[^\s@]+$/, "must be an e-mail address");
const readerRule = matches(
  /^arn:[^:]+:iam::\d{12}:(root|role\/.+|user\/.+)$/,
  "must be the ARN of a role, a user or an account",
);
/** The full ARN of a key. */
const keyArn = /^arn:[^:]+:kms:[^:]+:\d{12}:key\/.+$/;
const keyArnRule = matches(keyArn, "must be the full ARN of a key (not of an alias, which no policy can name)");
const kmsKeyRule = matches(
  keyArn,
  'must be "create", or the full ARN of a key (not of an alias, which no policy can name)',
);
const proxyRule = matches(
  /^https?:\/\/[^\s/@]+\/?$/,
  'must be a URL without credentials, as in "http://proxy.example.com:3128"',
);
const pemRule = matches(/^\s*-----BEGIN CERTIFICATE-----\r?\n/, "must be certificates in PEM, with their line breaks");
const policyRule = matches(/^arn:[^:]+:iam::(\d{12}|aws):policy\/.+$/, "must be the ARN of a policy");
const regionRule = matches(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region, as in "eu-west-1"');

const baseUrlRule = text((value) => {
  const url = readBaseUrl(value);
  return "problem" in url ? url.problem : undefined;
});

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

function sayUnknownKeys(args: object, report: Report): void {
  const keys = Object.keys(rotationKeys);
  for (const key of Object.keys(args)) {
    if (keys.includes(key)) continue;
    const near = nearestName(key, keys);
    const rule = formerKeys[key] ?? (near === undefined ? `there are ${keys.join(", ")}` : `did you mean ${near}?`);
    report({ path: key, meaning: "not a key of a rotation", rule });
  }
}

function checkName(name: string, monitoring: boolean, report: Report): void {
  const longest = monitoring ? limits.nameLength.withMonitoring : limits.nameLength.withoutMonitoring;
  if (new RegExp(`^[A-Za-z0-9_-]{1,${longest}}$`).test(name)) return;
  const rule = `must be 1 to ${longest} of the characters A-Z a-z 0-9 _ -`;
  report({ path: "name", meaning: "what the names of all resources begin with", rule });
}

function planFormerBaseUrls({ formerBaseUrls = [] }: TokenRotationArgs, report: Report): string[] {
  const { meaning } = rotationKeys.formerBaseUrls;
  if (!Array.isArray(formerBaseUrls)) {
    report({ path: "formerBaseUrls", meaning, rule: "must be a list of texts" });
    return [];
  }
  for (const [index, url] of formerBaseUrls.entries()) {
    const rule = baseUrlRule(url);
    if (rule !== undefined) report({ path: `formerBaseUrls[${index}]`, meaning, rule });
  }
  return formerBaseUrls.map((url) => withoutSlash(String(url)));
}

function planFormerKeys({ formerKmsKeys = [] }: TokenRotationArgs, report: Report): pulumi.Output<string>[] {
  const { meaning } = rotationKeys.formerKmsKeys;
  if (!Array.isArray(formerKmsKeys)) {
    report({ path: "formerKmsKeys", meaning, rule: "must be a list of texts" });
    return [];
  }
  return formerKmsKeys.map((arn, index) =>
    opaque(arn, keyArnRule, { path: `formerKmsKeys[${index}]`, meaning }, report),
  );
}

function planTokens(args: TokenRotationArgs, spread: boolean, report: Report): TokenPlan[] {
  const say = (rule: string, path = "tokens") => report({ path, meaning: rotationKeys.tokens.meaning, rule });
  const given: unknown = args.tokens ?? [];
  if (!Array.isArray(given)) {
    say("must be a list of objects with a name");
    return [];
  }
  if (given.length === 0) say("must name at least one token secret");
  const names: unknown[] = given.map((token) => token?.name);
  const credentialsName = args.credentialsSecretName ?? rotationKeys.credentialsSecretName.default;
  for (const [index, name] of names.entries()) {
    const path = `tokens[${index}].name`;
    if (name === undefined) continue;
    if (names.indexOf(name) < index) say("must be unique among the tokens", path);
    // Pulumi knows the credentials' own resources by this name.
    if (name === "credentials")
      say(
        'must not be "credentials": the stack has resources of that name; write it with a path, as in "c2m/credentials-token"',
        path,
      );
    if (name === credentialsName) say("must not be the name of the secret with the client's credentials", path);
  }
  const tokens = given.flatMap((token, index) => planToken(token, `tokens[${index}]`, report, spread) ?? []);
  if (spread && given.length > 0 && given.every((token) => token?.schedule !== undefined)) {
    const rule = "has nothing to spread: each token has a schedule of its own; leave it out where it shall be spread";
    report({ path: "spread", meaning: rotationKeys.spread.meaning, rule });
  }
  const adopted = tokens.filter(({ secretArn }) => secretArn).map(({ name }) => name.length + limits.arnLength);
  if (adopted.reduce((sum, length) => sum + length, 0) > limits.adoptedArns) {
    say(
      `must be fewer adopted secrets, or shorter names: a role's policies have room for ${limits.adoptedArns} characters of their ARNs; adopt the others in a second rotation`,
    );
  }
  if (args.shortToken === true) {
    for (const { name, scopes } of tokens) {
      if (scopes.includes("tokens:write")) continue;
      say("must hold tokens:write, with which a short token issues the next", `tokens[${names.indexOf(name)}].scopes`);
    }
  }
  return tokens;
}

function planEmails({ alarmEmails = [] }: TokenRotationArgs, report: Report): RotationPlan["alarmEmails"] {
  const { meaning } = rotationKeys.alarmEmails;
  if (!Array.isArray(alarmEmails)) {
    report({ path: "alarmEmails", meaning, rule: "must be a list of texts" });
    return [];
  }
  return alarmEmails.map((address, index) => {
    const path = `alarmEmails[${index}]`;
    if (typeof address === "string" && alarmEmails.indexOf(address) < index) {
      report({ path, meaning, rule: "must be unique among the addresses" });
    }
    const key = typeof address === "string" ? address : `address-${index}`;
    return { key, address: opaque(address, emailRule, { path, meaning }, report) };
  });
}

function planReplicas(
  { replicaRegions = [], replicaKeys = {} }: TokenRotationArgs,
  report: Report,
): RotationPlan["replicas"] {
  const { meaning } = rotationKeys.replicaRegions;
  if (!Array.isArray(replicaRegions)) {
    report({ path: "replicaRegions", meaning, rule: "must be a list of texts" });
    return [];
  }
  for (const region of Object.keys(replicaKeys)) {
    if (replicaRegions.includes(region)) continue;
    report({
      path: `replicaKeys.${region}`,
      meaning: rotationKeys.replicaKeys.meaning,
      rule: "must be one of replicaRegions",
    });
  }
  return replicaRegions.map((region, index) => {
    const path = `replicaRegions[${index}]`;
    const rule = regionRule(region) ?? (replicaRegions.indexOf(region) < index ? "must be there only once" : undefined);
    if (rule !== undefined) report({ path, meaning, rule });
    const key = replicaKeys[region];
    const at = { path: `replicaKeys.${region}`, meaning: rotationKeys.replicaKeys.meaning };
    const keyRule: Rule<string> = (arn) =>
      kmsKeyRule(arn) !== undefined || arn.split(":")[3] !== region
        ? `must be the full ARN of a key in ${region}`
        : undefined;
    return { region, keyArn: key === undefined ? undefined : opaque(key, text(keyRule), at, report) };
  });
}

/** The tag by which the functions' roles know a token secret of theirs. Users can't set it. */
export const ownerTag = "c2m-token-rotation";

/** Tags of ours, which say whose a resource is. */
function ownTags(name: string): Record<string, string> {
  return { Project: "c2m-token-rotation", Rotation: name };
}

function planTags(name: string, { tags = {} }: TokenRotationArgs, report: Report): RotationPlan["tags"] {
  const own = ownTags(name);
  const rule: Rule<Record<string, string>> = (given) => {
    if (typeof given !== "object" || given === null || Array.isArray(given)) return "must be an object of texts";
    // Token secrets have two more.
    const most = limits.tags - Object.keys(own).length - 2;
    if (Object.keys(given).length > most) return `must be at most ${most}, since AWS takes ${limits.tags} with ours`;
    for (const [key, value] of Object.entries(given)) {
      if (key === ownerTag) return `must not have ${ownerTag}, by which the functions know their secrets`;
      const broken = tagRule(key, value);
      if (broken !== undefined) return broken;
    }
    return undefined;
  };
  const at = { path: "tags", meaning: rotationKeys.tags.meaning };
  return opaque(pulumiKnown(tags), rule, at, report).apply((given) => ({ ...own, ...given }));
}

/** The object itself where all of it is known, else one output. */
function pulumiKnown(tags: NonNullable<TokenRotationArgs["tags"]>): pulumi.Input<Record<string, string>> {
  const isObject = typeof tags === "object" && !pulumi.Output.isInstance(tags) && !(tags instanceof Promise);
  const allTexts = isObject && Object.values(tags).every((value) => !pulumi.Output.isInstance(value));
  return (allTexts || (!isObject && typeof tags !== "object") ? tags : pulumi.output(tags)) as pulumi.Input<
    Record<string, string>
  >;
}

function tagRule(key: string, value: unknown): string | undefined {
  const characters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
  if (key.length < 1 || key.length > limits.tagKeyLength || !characters.test(key)) {
    return `must have keys of 1 to ${limits.tagKeyLength} letters, digits, spaces and _ . : / = + - @`;
  }
  if (/^aws:/i.test(key)) return "must have no key that begins with aws:, which AWS keeps for itself";
  if (typeof value !== "string" || value.length > limits.tagValueLength || !characters.test(value)) {
    return `must have values of at most ${limits.tagValueLength} letters, digits, spaces and _ . : / = + - @`;
  }
  return undefined;
}

function planVpc({ vpc }: TokenRotationArgs, report: Report): RotationPlan["vpc"] {
  if (vpc === undefined) return undefined;
  const list = (key: "subnetIds" | "securityGroupIds", pattern: RegExp, most: number) =>
    opaqueList(
      vpc[key] ?? [],
      matches(pattern, "must be an id, as AWS gives it"),
      (ids) => (ids.length >= 1 && ids.length <= most ? undefined : `must be a list of 1 to ${most} ids`),
      { path: `vpc.${key}`, meaning: rotationKeys.vpc.meaning },
      report,
    );
  return {
    subnetIds: list("subnetIds", /^subnet-\S+$/, limits.subnets),
    securityGroupIds: list("securityGroupIds", /^sg-\S+$/, limits.securityGroups),
  };
}
