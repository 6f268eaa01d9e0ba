import { type Condition, type Operator, PolicyError } from "./policy.ts";
import { matchesArn, matchesWildcard } from "./wildcard.ts";

/** Condition keys (lower case: they are case-insensitive) and their values in a request. */
export type Context = ReadonlyMap<string, string[]>;

/** Builds a context; a later layer's key replaces an earlier one's. */
export function contextOf(...layers: (Record<string, string | string[]> | undefined)[]): Context {
  const entries = layers.flatMap((layer) => Object.entries(layer ?? {}));
  return new Map(entries.map(([key, value]) => [key.toLowerCase(), [value].flat()]));
}

/**
 * Whether a condition holds. A key that the request lacks fails a positive operator, holds for a negative one, and
 * holds always with IfExists and ForAllValues. Source: IAM user guide, "condition operators" and "multivalued context keys".
 * @throws PolicyError when a key has several values and the operator no ForAllValues or ForAnyValue: AWS leaves open what that means.
 */
export function conditionHolds({ operator, key, values }: Condition, context: Context): boolean {
  const actual = context.get(key.toLowerCase());
  if (operator.base === "Null") return values.includes(String(actual === undefined));
  const negative = operator.base.includes("Not");
  if (actual === undefined) {
    if (operator.ifExists || operator.quantifier === "ForAllValues") return true;
    return negative && operator.quantifier !== "ForAnyValue";
  }
  const holdsFor = (text: string) => values.some((expected) => matches(operator, expected, text)) !== negative;
  if (operator.quantifier === "ForAllValues") return actual.every(holdsFor);
  if (operator.quantifier === "ForAnyValue") return actual.some(holdsFor);
  if (actual.length > 1)
    throw new PolicyError(`${key} has several values: ${operator.base} needs ForAllValues or ForAnyValue.`);
  return actual.some(holdsFor);
}

function matches(operator: Operator, expected: string, actual: string): boolean {
  switch (operator.base) {
    case "StringEquals":
    case "StringNotEquals":
      return expected === actual;
    case "StringLike":
    case "StringNotLike":
      return matchesWildcard(expected, actual);
    case "Bool":
      return expected.toLowerCase() === actual.toLowerCase();
    case "ArnEquals":
    case "ArnNotEquals":
    case "ArnLike":
    case "ArnNotLike":
      return matchesArn(expected, actual);
    case "Null":
      throw new PolicyError("Null compares no values.");
  }
}
