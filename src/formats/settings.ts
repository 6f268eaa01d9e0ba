import * as v from "valibot";
import { PermanentError } from "../ports/errors.ts";

/** Bounds of `ttl_seconds` at C2M's issueLongTermToken. */
export const ttlRange = { min: 3_600, max: 7_776_000 } as const;

const tokenSettings = v.strictObject({
  /** The C2M client that the token is issued to. */
  clientId: v.pipe(v.string(), v.minLength(1, "must not be empty")),
  /** What stands before `/auth`, as in https://api.click2mail.com/v2. Checked by the C2M client; nothing is ever sent to another host. */
  baseUrl: v.string(),
  /**
   * Name or ARN of the secret with the client's credentials. Absent: the mechanism `short_token`, where the current
   * token itself authenticates and no credentials are stored.
   */
  credentialsSecretId: v.optional(v.pipe(v.string(), v.minLength(1, "must not be empty"))),
  /** `grant_type` of the mechanism `short_token`, which C2M does not document. Default `client_credentials`. */
  shortTokenGrantType: v.optional(v.pipe(v.string(), v.minLength(1, "must not be empty"))),
  /** The scopes that the token must have. */
  scopes: v.pipe(
    v.array(v.pipe(v.string(), v.minLength(1, "must not be empty"))),
    v.minLength(1, "must name at least one scope"),
  ),
  /** The lifetime to ask for, in seconds: 3600 (1 hour) to 7,776,000 (90 days). */
  ttlSeconds: v.pipe(
    v.number(),
    v.integer("must be a whole number of seconds"),
    v.minValue(ttlRange.min, `must be at least ${ttlRange.min} (1 hour)`),
    v.maxValue(ttlRange.max, `must be at most ${ttlRange.max} (90 days)`),
  ),
  /** How long a superseded token stays alive for apps that still hold it, in seconds. 0: revoked by finishSecret. */
  graceSeconds: v.pipe(
    v.number(),
    v.integer("must be a whole number of seconds"),
    v.minValue(0, "must not be negative"),
  ),
  /** A version that has been pending for longer belongs to no rotation that could still finish. In seconds. */
  pendingMaxAgeSeconds: v.pipe(
    v.number(),
    v.integer("must be a whole number of seconds"),
    v.minValue(1, "must be positive"),
  ),
  /** False: superseded tokens are left to expire. */
  revocation: v.boolean(),
});

const settingsFile = v.strictObject({
  /** The time that Lambda gives the rotator, in seconds: for so long a step may still be at work. */
  rotatorTimeoutSeconds: v.pipe(
    v.number(),
    v.integer("must be a whole number of seconds"),
    v.minValue(1, "must be positive"),
  ),
  /** By the NAME of the token secret. */
  tokens: v.record(v.string(), tokenSettings),
});

export type TokenSettingsEntry = v.InferOutput<typeof tokenSettings>;
export type SettingsFile = v.InferOutput<typeof settingsFile>;

/** The settings of one token secret. */
export interface TokenSettings extends TokenSettingsEntry {
  secretName: string;
}

/** Parses the settings file. PermanentError `settings_invalid` names every field that is wrong and its rule. */
export function parseSettings(text: string): SettingsFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new PermanentError("settings_invalid", "The settings file is not JSON: deploy the function again.");
  }
  const result = v.safeParse(settingsFile, json);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => {
    // Only the path and our own rule texts: valibot's default messages quote the value.
    const rule = issue.kind === "validation" ? issue.message : `must be ${issue.expected}`;
    return `${v.getDotPath(issue) ?? "(the whole)"} ${rule}`;
  });
  throw new PermanentError("settings_invalid", `The settings file is not valid: ${problems.join("; ")}.`);
}

/** The settings of the secret with this ARN. PermanentError `secret_not_listed` when it is none of ours. */
export function settingsOf(settings: SettingsFile, secretArn: string): TokenSettings {
  const name = secretNameOf(secretArn);
  const entry = name === undefined ? undefined : own(settings.tokens, name);
  if (name === undefined || !entry) {
    throw new PermanentError(
      "secret_not_listed",
      `SecretId: ${name === undefined ? "is not the ARN of a secret" : `the secret ${JSON.stringify(name)} is not listed in this function's settings`}. Add it to the stack's tokens, or remove this function from its rotation.`,
    );
  }
  return { ...entry, secretName: name };
}

/** The secret's name in its full ARN: `arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>`. */
export function secretNameOf(secretArn: string): string | undefined {
  return /^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:(.+)-[A-Za-z0-9]{6}$/.exec(secretArn)?.[1];
}

function own<Value>(record: Record<string, Value>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
