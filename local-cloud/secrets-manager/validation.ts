import * as v from "valibot";
import { AwsError } from "../aws/service.ts";
import { badName } from "./errors.ts";
import { type Input, inputs, type Operation } from "./shapes.ts";

const nameCharacters = /^[A-Za-z0-9\-/_+=.@!]+$/;

/**
 * Checks an input against the operation's schema.
 *
 * @throws AwsError SerializationException for a wrong JSON type, ValidationException for a broken limit (both texts are not on record), and the
 * recorded ValidationException for a name with other characters than AWS takes. None repeats the value: it may be secret.
 */
export function checkInput<O extends Operation>(operation: O, input: unknown): Input<O> {
  const result = v.safeParse(inputs[operation], input, { abortEarly: true });
  if (!result.success) throw refusal(result.issues[0]);
  const checked = result.output as Input<O>;
  const secretId = "SecretId" in checked ? checked.SecretId : undefined;
  const name = "Name" in checked ? checked.Name : secretId && nameIn(secretId);
  if (name !== undefined && !nameCharacters.test(name)) throw badName();
  return checked;
}

/** The part of a SecretId that must be made of a name's characters. */
export function nameIn(secretId: string): string {
  return secretId.replace(/^arn:(?:[^:]*:){5}/, "") || secretId;
}

export function isOperation(name: string): name is Operation {
  return Object.hasOwn(inputs, name);
}

function refusal(issue: v.BaseIssue<unknown>): AwsError {
  const field = fieldOf(issue);
  if (issue.kind === "schema" && issue.type !== "picklist" && issue.received !== "undefined") {
    return new AwsError("SerializationException", `${field} must be of type ${issue.expected ?? "unknown"}.`);
  }
  const limit = issue.type in constraint && "requirement" in issue ? ` ${issue.requirement}` : "";
  const rule = issue.received === "undefined" ? "must not be null" : (constraint[issue.type] ?? ruleOf(issue));
  return new AwsError(
    "ValidationException",
    `1 validation error detected: Value at '${field}' failed to satisfy constraint: Member ${rule}${limit}`,
  );
}

function ruleOf({ type, expected }: v.BaseIssue<unknown>): string {
  if (type !== "picklist") return "must be valid";
  const words = String(expected).match(/[\w-]+/g) ?? [];
  return `must satisfy enum value set: [${words.join(", ")}]`;
}

/** As AWS spells it: `secretId`, `filters.1.member.key`. */
function fieldOf({ path }: v.BaseIssue<unknown>): string {
  const parts = (path ?? []).map(({ key }) =>
    typeof key === "number" ? `${key + 1}.member` : String(key).replace(/^[A-Z]/, (first) => first.toLowerCase()),
  );
  return parts.join(".") || "input";
}

const constraint: Record<string, string> = {
  min_length: "must have length greater than or equal to",
  max_length: "must have length less than or equal to",
  max_bytes: "must have length less than or equal to",
  min_value: "must have value greater than or equal to",
  max_value: "must have value less than or equal to",
  regex: "must satisfy regular expression pattern:",
};
