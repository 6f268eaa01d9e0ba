import * as v from "valibot";
import { PermanentError } from "../ports/errors.ts";
import { Sensitive } from "../ports/sensitive.ts";
import { fitsHeader } from "./answers.ts";
import { type Credentials, otpAlgorithms, type ShortTokenCredentials, signingAlgorithms } from "./credentials.ts";

const text = v.pipe(
  v.string(),
  v.minLength(1, "must not be empty"),
  v.check((value) => value === value.trim(), "must not begin or end with white space; paste it again without"),
);
const headerText = v.pipe(text, v.check(fitsHeader, "must be printable ASCII without spaces"));
const pem = v.pipe(
  v.string(),
  v.check(
    (value) => /^-----BEGIN [A-Z ]+-----\r?\n/.test(value.trim()),
    "must be a private key in PEM, with its line breaks (\\n in JSON)",
  ),
);

const credentialsSecret = v.object({
  client_id: headerText,
  base_url: v.optional(text),
  client_secret: v.optional(text),
  otp_seed: v.optional(
    v.pipe(
      text,
      v.check((seed) => /^[A-Z2-7 ]+=*$/i.test(seed), "must be Base32: letters and the digits 2 to 7"),
    ),
  ),
  otp_algorithm: v.optional(v.picklist(otpAlgorithms)),
  otp_digits: v.optional(v.picklist([6, 7, 8])),
  otp_period: v.optional(
    v.pipe(
      v.number(),
      v.check((seconds) => Number.isInteger(seconds) && seconds > 0, "must be a whole number of seconds"),
    ),
  ),
  private_key: v.optional(pem),
  private_keys: v.optional(v.record(v.string(), pem)),
  key_id: v.optional(text),
  algorithm: v.optional(v.picklist(signingAlgorithms)),
  audience: v.optional(text),
});

/** Fields that make sense beside one mechanism's secret only. */
const companions = {
  client_secret: [],
  otp_seed: ["otp_algorithm", "otp_digits", "otp_period"],
  private_key: ["key_id", "algorithm", "audience"],
  private_keys: ["key_id", "algorithm", "audience"],
} as const;

type SecretField = keyof typeof companions;
const secretFields = Object.keys(companions) as SecretField[];

/**
 * Parses the credentials secret: a JSON object with `client_id`, perhaps `base_url` (the C2M that they are for), and
 * exactly one of
 * - `client_secret`
 * - `otp_seed` (Base32), with `otp_algorithm`, `otp_digits`, `otp_period` where they differ from SHA1, 6, 30
 * - `private_key` (PEM), with `key_id`, `algorithm` and `audience` if C2M needs them
 * - `private_keys` (PEM by key id), where `key_id` names the one to sign with: for changing keys without a gap, add the
 *   new key, have C2M register it, then change `key_id`
 *
 * Fields that are none of these are left alone: notes of the operator's.
 *
 * @throws PermanentError `credentials_invalid`; the message names fields and rules, never values
 */
export function parseCredentials(json: string): Exclude<Credentials, ShortTokenCredentials> {
  const result = v.safeParse(credentialsSecret, parseJson(json));
  if (!result.success) {
    // Only our own rule texts: valibot's quote the value.
    const problems = result.issues.map((issue) => {
      const field = v.getDotPath(issue)?.replace(/^private_keys\..*/s, "a key in private_keys");
      return field === undefined ? "must be a JSON object" : `${field} ${ruleOf(issue)}`;
    });
    throw invalid(problems.join("; "));
  }
  const given = result.output;
  const present = secretFields.filter((field) => given[field] !== undefined);
  const [secretField] = present;
  if (secretField === undefined || present.length > 1) {
    throw invalid(`must hold exactly one of ${secretFields.join(", ")}; it holds ${present.join(" and ") || "none"}`);
  }
  const allowed: readonly string[] = companions[secretField];
  const stray = Object.values(companions)
    .flat()
    .find((field) => given[field] !== undefined && !allowed.includes(field));
  if (stray !== undefined) throw invalid(`${stray} does not belong beside ${secretField}; remove one of them`);
  return toCredentials(given, secretField);
}

type Given = v.InferOutput<typeof credentialsSecret>;

function toCredentials(given: Given, secretField: SecretField): Exclude<Credentials, ShortTokenCredentials> {
  const who = { clientId: given.client_id, ...(given.base_url === undefined ? {} : { baseUrl: given.base_url }) };
  switch (secretField) {
    case "client_secret":
      return { mechanism: "client_secret", ...who, clientSecret: new Sensitive(given.client_secret ?? "") };
    case "otp_seed":
      return {
        mechanism: "otp",
        ...who,
        seed: new Sensitive(given.otp_seed ?? ""),
        algorithm: given.otp_algorithm ?? "SHA1",
        digits: given.otp_digits ?? 6,
        periodSeconds: given.otp_period ?? 30,
      };
    case "private_key":
    case "private_keys":
      return {
        mechanism: "assertion",
        ...who,
        privateKey: new Sensitive(given.private_key ?? activeKey(given)),
        keyId: given.key_id,
        algorithm: given.algorithm,
        audience: given.audience,
      };
  }
}

function activeKey({ private_keys: keys = {}, key_id: keyId }: Given): string {
  const key = keyId !== undefined && Object.hasOwn(keys, keyId) ? keys[keyId] : undefined;
  if (key === undefined) throw invalid("key_id must name one of private_keys: the one to sign with");
  return key;
}

function ruleOf(issue: v.BaseIssue<unknown>): string {
  if (issue.kind === "validation") return issue.message;
  return issue.received === "undefined" ? "is missing" : `must be ${issue.expected}`;
}

function invalid(rule: string): PermanentError {
  return new PermanentError("credentials_invalid", `The credentials secret: ${rule}.`);
}

/** Undefined for what is not JSON: the parser's error would quote it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
