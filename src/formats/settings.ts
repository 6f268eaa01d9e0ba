import * as v from "valibot";
import { PermanentError } from "../ports/errors.ts";

/** Bounds of a token's lifetime (`ttl_seconds` at C2M's issueLongTermToken), in seconds. */
export const lifetimeRange = { min: 3_600, max: 7_776_000 } as const;

const tokenSettings = v.strictObject({
  /** The C2M client that the token is issued to. */
  clientId: v.pipe(v.string(), v.minLength(1, "must not be empty")),
  /** What stands before `/auth`, as in https://api.click2mail.com/v2. Checked by the C2M client; nothing is ever sent to another host. */
  baseUrl: v.string(),
  /** Base URLs of C2Ms that were used before and whose tokens may still live: each is revoked where it was issued. */
  formerBaseUrls: v.optional(v.array(v.string())),
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
  lifetimeSeconds: v.pipe(
    v.number(),
    v.integer("must be a whole number of seconds"),
    v.minValue(lifetimeRange.min, `must be at least ${lifetimeRange.min} (1 hour)`),
    v.maxValue(lifetimeRange.max, `must be at most ${lifetimeRange.max} (90 days)`),
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
  /** True: the secret is not rotated any more; the reconciler goes on until nothing is left to revoke. */
  retire: v.optional(v.boolean()),
  /** Versions that hold a token without an id, which a person knows to be dead. */
  deadVersions: v.optional(v.array(v.string())),
});

/** A file of the last release calls the lifetime `ttlSeconds`. */
const readableTokenSettings = v.pipe(
  v.unknown(),
  v.transform((given) => {
    if (typeof given !== "object" || given === null || !("ttlSeconds" in given)) return given;
    const { ttlSeconds, ...rest } = given;
    return { lifetimeSeconds: ttlSeconds, ...rest };
  }),
  tokenSettings,
);

const settingsFile = v.strictObject({
  /** The time that Lambda gives the rotator, in seconds: for so long a step may still be at work. */
  rotatorTimeoutSeconds: v.pipe(
    v.number(),
    v.integer("must be a whole number of seconds"),
    v.minValue(1, "must be positive"),
  ),
  /** A change freeze: no rotation is begun and nothing is revoked. Default false. */
  paused: v.optional(v.boolean()),
  /** By the NAME of the token secret. */
  tokens: v.record(v.string(), readableTokenSettings),
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
  const name = listedNameOf(settings, secretArn) ?? secretNameOf(secretArn);
  const entry = name === undefined ? undefined : own(settings.tokens, name);
  if (name === undefined || !entry) {
    throw new PermanentError(
      "secret_not_listed",
      `SecretId: ${name === undefined ? "is not the ARN of a secret" : `the secret ${JSON.stringify(name)} is not listed in this function's settings`}. Add it to the stack's tokens, or remove this function from its rotation.`,
    );
  }
  return { ...entry, secretName: name };
}

/**
 * Which of the settings' base URLs a token belongs to that says this one; undefined where it is none of them. A token that
 * does not say any belongs to the settings' own, unless there was another one before.
 */
export function listedBaseUrl(
  { baseUrl, formerBaseUrls = [] }: Pick<TokenSettings, "baseUrl" | "formerBaseUrls">,
  said: string | undefined,
): string | undefined {
  if (said === undefined) return formerBaseUrls.length === 0 ? baseUrl : undefined;
  return [baseUrl, ...formerBaseUrls].find((listed) => isSameBaseUrl(listed, said));
}

/** The other secrets that hold tokens of the same client at the same C2M, by name. */
export function siblingsOf({ tokens }: SettingsFile, { secretName, clientId, baseUrl }: TokenSettings): string[] {
  return Object.entries(tokens).flatMap(([name, other]) =>
    name !== secretName && other.clientId === clientId && isSameBaseUrl(other.baseUrl, baseUrl) ? [name] : [],
  );
}

/** Whether two texts name one C2M: a trailing `/`, a default port and the case of the host make no difference. */
export function isSameBaseUrl(one: string, other: string): boolean {
  // Of a thousand tokens each is compared with each: a million parsed URLs would take a function longer than it has.
  return one === other || normalBaseUrl(one) === normalBaseUrl(other);
}

/** One text for all that name the same C2M. */
export function normalBaseUrl(text: string): string {
  return (URL.parse(text)?.href ?? text).replace(/\/+$/, "");
}

/** The secret's name in its full ARN: `arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>`. */
export function secretNameOf(secretArn: string): string | undefined {
  return /^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:(.+)-[A-Za-z0-9]{6}$/.exec(secretArn)?.[1];
}

/**
 * The name of a secret that a line of the ledger names by its ARN, or by its name where that is not known. A secret that was
 * deleted and made again has another ARN, and its old tokens are its own: lines are told apart by the name.
 */
export function secretNameSaid(said: string): string {
  return secretNameOf(said) ?? said;
}

/**
 * The listed name in an ARN, full or partial: a name may itself end like the suffix that Secrets Manager adds, so the name
 * without a suffix counts first, then the whole.
 */
function listedNameOf({ tokens }: SettingsFile, secretArn: string): string | undefined {
  const whole = /^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:(.+)$/.exec(secretArn)?.[1];
  return [secretNameOf(secretArn), whole].find((name) => name !== undefined && Object.hasOwn(tokens, name));
}

function own<Value>(record: Record<string, Value>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
