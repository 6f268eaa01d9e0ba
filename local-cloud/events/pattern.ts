import { matchesWildcard } from "../iam/wildcard.ts";
import type { CloudEvent } from "./bus.ts";

type Matcher = (value: unknown) => boolean;
type Fields = { [field: string]: Fields | Matcher };

/**
 * Reads an EventBridge pattern: fields, nested as the event's, each with a list of which one has to fit the event's
 * value, or one of its values where that is a list. It knows texts and the filters `prefix`, `suffix`,
 * `equals-ignore-case`, `wildcard`, `anything-but` and `exists`. Throws for what is no pattern, and for other filters.
 */
export function parsePattern(json: string): (event: CloudEvent) => boolean {
  const fields = fieldsOf(JSON.parse(json), "the pattern");
  return (event) => matches(fields, { ...event });
}

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`"${where}" must be an object or an array`);
  if (Object.keys(value).length === 0) throw new Error("Empty objects are not allowed");
  return Object.fromEntries(
    Object.entries(value).map(([field, wanted]) => {
      if (!Array.isArray(wanted)) return [field, fieldsOf(wanted, field)];
      if (wanted.length === 0) throw new Error("Empty arrays are not allowed");
      const alternatives = wanted.map((one) => matcherOf(one, field));
      return [field, (actual: unknown) => alternatives.some((fits) => fits(actual))];
    }),
  );
}

/** What one entry of a field's list asks of the event's value; a list's values are asked one by one. */
function matcherOf(wanted: unknown, field: string): Matcher {
  if (typeof wanted === "string") return ofTexts((text) => text === wanted);
  const [[filter, operand] = ["", undefined], ...others] = Object.entries((wanted ?? {}) as Record<string, unknown>);
  if (others.length > 0) throw new Error(`Only one key allowed in match expression of ${field}`);
  if (filter === "exists" && typeof operand === "boolean") return (actual) => (actual !== undefined) === operand;
  if (filter === "anything-but") {
    const refused = [operand].flat().map((one) => matcherOf(one, field));
    return (actual) => actual !== undefined && !refused.some((fits) => fits(actual));
  }
  if (typeof operand === "string" && operand !== "") {
    if (filter === "prefix") return ofTexts((text) => text.startsWith(operand));
    if (filter === "suffix") return ofTexts((text) => text.endsWith(operand));
    if (filter === "equals-ignore-case") return ofTexts((text) => text.toLowerCase() === operand.toLowerCase());
    if (filter === "wildcard") return ofTexts((text) => matchesWildcard(operand, text));
  }
  throw new Error(`Unrecognized match type ${filter || JSON.stringify(wanted)} (of ${field})`);
}

function ofTexts(fits: (text: string) => boolean): Matcher {
  return (actual) => [actual].flat().some((value) => typeof value === "string" && fits(value));
}

function matches(fields: Fields, event: Record<string, unknown>): boolean {
  return Object.entries(fields).every(([field, wanted]) => {
    const actual = event[field];
    if (typeof wanted === "function") return wanted(actual);
    return matches(wanted, typeof actual === "object" && actual !== null ? (actual as Record<string, unknown>) : {});
  });
}
