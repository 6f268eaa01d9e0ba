import * as pulumi from "@pulumi/pulumi";
import * as v from "valibot";
import { parseBaseUrl } from "../lambdas/c2m/base-url.ts";
import { RotationError } from "../lambdas/rotation/errors.ts";
import { ttlRange } from "../lambdas/rotation/settings.ts";
import { parseDuration } from "./duration.ts";
import type { TokenArgs, TokenRotationArgs } from "./token-rotation.ts";

/** What a token gets where its config says nothing. */
const defaults = {
  scopes: ["jobs:submit", "jobs:read", "tokens:revoke"],
  lifetime: "60 days",
  grace: "1 hour",
  schedule: "rate(30 days)",
} as const;

const tokenConfig = v.strictObject({
  name: v.pipe(
    v.string("must be a text"),
    v.regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/, "must be 1 to 512 of the characters A-Z a-z 0-9 / _ + = . @ -"),
  ),
  scopes: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.minLength(1, "must not be empty")), "must be a list of texts"),
      v.includes("tokens:revoke", "must hold tokens:revoke, without which no superseded token can be revoked"),
    ),
  ),
  lifetime: v.optional(
    duration(ttlRange.min, ttlRange.max, 'must be a duration from "1 hour" to "90 days", which is what C2M grants'),
  ),
  grace: v.optional(duration(0, ttlRange.max, 'must be a duration, as in "0 hours" or "1 hour"')),
  schedule: v.optional(
    v.pipe(
      v.string("must be a text"),
      v.regex(/^(rate|cron)\(.+\)$/, 'must be as in "rate(30 days)" or "cron(0 8 1 * ? *)"'),
    ),
  ),
});

/**
 * Reads and checks the stack's config as a whole.
 *
 * @throws {pulumi.RunError} with every problem in one message, each with its key and the rule, and no value
 */
export function readConfig(): TokenRotationArgs {
  const config = new pulumi.Config();
  const problems: string[] = [];
  const clientId = config.get("clientId");
  const clientSecret = config.getSecret("clientSecret");
  const baseUrl = config.get("baseUrl") ?? "https://api.click2mail.com/v2";
  if (!clientId) problems.push("clientId: must be set to the id of the C2M client, `pulumi config set clientId c2m_…`");
  if (!clientSecret) {
    problems.push("clientSecret: must be set to the client's secret, `pulumi config set --secret clientSecret`");
  }
  const baseUrlRule = problemOfBaseUrl(baseUrl);
  if (baseUrlRule) problems.push(`baseUrl: ${baseUrlRule}`);
  const recoveryWindowInDays = config.getNumber("recoveryWindowInDays") ?? 30;
  if (!(recoveryWindowInDays === 0 || (recoveryWindowInDays >= 7 && recoveryWindowInDays <= 30))) {
    problems.push("recoveryWindowInDays: must be 0 or 7 to 30");
  }
  const tokens = readTokens(config.getObject<unknown>("tokens"), problems);
  if (problems.length > 0 || !clientId || !clientSecret) {
    throw new pulumi.RunError(`The stack's config is not valid:\n${problems.map((text) => `  - ${text}`).join("\n")}`);
  }
  return {
    clientId,
    clientSecret,
    baseUrl,
    credentialsSecretName: config.get("credentialsSecretName") ?? "c2m/client-credentials",
    tokens,
    recoveryWindowInDays,
    protect: config.getBoolean("protect") ?? true,
  };
}

function problemOfBaseUrl(text: string): string | undefined {
  try {
    parseBaseUrl(text);
    return undefined;
  } catch (error) {
    if (error instanceof RotationError) return error.message;
    throw error;
  }
}

function readTokens(value: unknown, problems: string[]): TokenArgs[] {
  if (!Array.isArray(value) || value.length === 0) {
    problems.push(
      "tokens: must name at least one token secret, `pulumi config set --path 'tokens[0].name' c2m/api-token`",
    );
    return [];
  }
  const tokens: TokenArgs[] = [];
  for (const [index, entry] of value.entries()) {
    const parsed = v.safeParse(tokenConfig, entry);
    if (!parsed.success) {
      for (const issue of parsed.issues) {
        const path = v.getDotPath(issue);
        const rule = issue.type === "strict_object" ? ruleOfShape(issue.expected) : issue.message;
        problems.push(`tokens[${index}]${path ? `.${path}` : ""}: ${rule}`);
      }
      continue;
    }
    const {
      name,
      scopes = defaults.scopes,
      lifetime = defaults.lifetime,
      grace = defaults.grace,
      schedule = defaults.schedule,
    } = parsed.output;
    if (tokens.some((other) => other.name === name)) {
      problems.push(`tokens[${index}].name: must be unique among the tokens`);
    }
    tokens.push({
      name,
      scopes: [...scopes],
      lifetimeSeconds: parseDuration(lifetime) ?? 0,
      graceSeconds: parseDuration(grace) ?? 0,
      schedule,
    });
  }
  return tokens;
}

// strictObject reports a missing key by its name, and one too many as "never".
function ruleOfShape(expected: string | null): string {
  return expected === "never"
    ? `is not a setting of a token; there are ${Object.keys(tokenConfig.entries).join(", ")}`
    : "must be set";
}

function duration(min: number, max: number, rule: string) {
  return v.pipe(
    v.string(rule),
    v.check((text) => {
      const seconds = parseDuration(text);
      return seconds !== undefined && seconds >= min && seconds <= max;
    }, rule),
  );
}
