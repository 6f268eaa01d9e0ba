import type * as pulumi from "@pulumi/pulumi";
import { otpAlgorithms, signingAlgorithms } from "../../src/c2m/credentials.ts";
import { matches, opaque, type Report, text } from "./checks.ts";
import { mechanismKeys, type RotationKey, rotationKeys } from "./keys.ts";
import type { TokenRotationArgs } from "./rotation-args.ts";
import { secretNameRule } from "./token-rules.ts";

/** How the client proves itself. */
export type CredentialsPlan =
  /** Fields of the secret that this program makes, in the secret's own names (src/c2m/credentials-secret.ts reads them). */
  | { kind: "stored"; secretName: string; fields: Record<string, pulumi.Input<string | number>> }
  | { kind: "existing"; secretArn: pulumi.Output<string> }
  /** Nothing is stored: the present token issues the next. */
  | { kind: "shortToken"; grantType: string | undefined };

/** The keys that make sense beside one mechanism only, and the names of their fields in the secret. */
const companions: Partial<Record<RotationKey, { of: (typeof mechanismKeys)[number]; field?: string }>> = {
  otpAlgorithm: { of: "otpSeed", field: "otp_algorithm" },
  otpDigits: { of: "otpSeed", field: "otp_digits" },
  otpPeriod: { of: "otpSeed", field: "otp_period" },
  keyId: { of: "privateKey", field: "key_id" },
  signingAlgorithm: { of: "privateKey", field: "algorithm" },
  audience: { of: "privateKey", field: "audience" },
  shortTokenGrantType: { of: "shortToken" },
};

const secretFields = { clientSecret: "client_secret", otpSeed: "otp_seed", privateKey: "private_key" } as const;

const choices: Partial<Record<RotationKey, readonly (string | number)[]>> = {
  otpAlgorithm: otpAlgorithms,
  otpDigits: [6, 7, 8],
  signingAlgorithm: signingAlgorithms,
};

/** Checks how the client proves itself; undefined where it does not, which `report` gets. */
export function planCredentials(args: TokenRotationArgs, report: Report): CredentialsPlan | undefined {
  const say = (key: RotationKey, rule: string) => report({ path: key, meaning: rotationKeys[key].meaning, rule });
  const given = mechanismKeys.filter((key) => args[key] !== undefined && args[key] !== false);
  for (const [key, { of }] of Object.entries(companions) as [RotationKey, { of: RotationKey }][]) {
    if (args[key as keyof TokenRotationArgs] === undefined) continue;
    if (!given.includes(of as (typeof mechanismKeys)[number])) say(key, `goes with ${of} only, which is not set`);
  }
  for (const [key, allowed] of Object.entries(choices) as [RotationKey, readonly (string | number)[]][]) {
    const value = args[key as keyof TokenRotationArgs];
    if (value !== undefined && !allowed.includes(value as string)) say(key, `must be one of ${allowed.join(", ")}`);
  }
  const { otpPeriod, credentialsSecretName: secretName = rotationKeys.credentialsSecretName.default } = args;
  if (otpPeriod !== undefined && !(Number.isInteger(otpPeriod) && otpPeriod > 0)) {
    say("otpPeriod", "must be a whole number of seconds");
  }
  const nameProblem = secretNameRule(secretName);
  if (nameProblem !== undefined) say("credentialsSecretName", nameProblem);
  const [mechanism, ...others] = given;
  if (mechanism === undefined || others.length > 0) {
    say(
      "clientSecret",
      `must be set, \`pulumi config set --secret clientSecret\`, or one of ${mechanismKeys.slice(1).join(", ")} in its place, and not two of them`,
    );
    return undefined;
  }
  if (mechanism === "shortToken") return { kind: "shortToken", grantType: args.shortTokenGrantType };
  if (mechanism === "credentialsSecretArn") {
    const at = { path: mechanism, meaning: rotationKeys[mechanism].meaning };
    const arn = matches(
      /^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:.+-[A-Za-z0-9]{6}$/,
      "must be the full ARN of a secret, which ends in a hyphen and six characters",
    );
    return { kind: "existing", secretArn: opaque(args.credentialsSecretArn ?? "", arn, at, report) };
  }
  const fields: Record<string, pulumi.Input<string | number>> = {};
  const notEmpty = text((value) => (value === "" ? "must not be empty" : undefined));
  const secret = args[mechanism] ?? "";
  opaque(secret, notEmpty, { path: mechanism, meaning: rotationKeys[mechanism].meaning }, report);
  fields[secretFields[mechanism]] = secret;
  for (const [key, { of, field }] of Object.entries(companions)) {
    const value = args[key as keyof TokenRotationArgs] as pulumi.Input<string | number> | undefined;
    if (of === mechanism && field !== undefined && value !== undefined) fields[field] = value;
  }
  return { kind: "stored", secretName, fields };
}
