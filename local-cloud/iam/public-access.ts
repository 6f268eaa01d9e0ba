import type { Condition, Statement } from "./policy.ts";

/** Keys that narrow a wildcard principal down to somebody known, where their values have no wildcard. */
const narrowing = [
  "aws:principalarn",
  "aws:principalaccount",
  "aws:principalorgid",
  "aws:principalorgpaths",
  "aws:sourceaccount",
  "aws:sourcearn",
  "aws:sourceorgid",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:userid",
];

/**
 * Whether a resource policy lets everybody in, which BlockPublicPolicy refuses: an Allow for the principal `*` that no
 * condition narrows down. AWS decides it by reasoning over the whole policy (Zelkova); this is the documented part of it.
 * Source: Secrets Manager API reference, PutResourcePolicy; S3 user guide, "the meaning of public".
 */
export function allowsEverybody(statements: Statement[]): boolean {
  return statements.some(
    ({ effect, principals, conditions }) =>
      effect === "Allow" && principals?.everyone === true && !conditions.some(narrowsDown),
  );
}

function narrowsDown({ operator, key, values }: Condition): boolean {
  const isPositive = !operator.base.includes("Not") && operator.base !== "Null";
  // With these a request without the key gets through.
  if (!isPositive || operator.ifExists || operator.quantifier === "ForAllValues") return false;
  const isWide = (value: string) =>
    key.toLowerCase() === "aws:sourcearn" ? !/:\d{12}:/.test(value) : /[*?]/.test(value);
  return narrowing.includes(key.toLowerCase()) && !values.some(isWide);
}
