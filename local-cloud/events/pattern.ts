import type { CloudEvent } from "./bus.ts";

type Fields = { [field: string]: Fields | string[] };

/**
 * Reads an EventBridge pattern: fields, nested as the event's, each with a list of texts of which one has to be the
 * event's, or among the event's where that has a list. Throws for what it does not know: prefixes, numbers and the like.
 */
export function parsePattern(json: string): (event: CloudEvent) => boolean {
  const fields = fieldsOf(JSON.parse(json), "the pattern");
  return (event) => matches(fields, { ...event });
}

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${where} is no object.`);
  return Object.fromEntries(
    Object.entries(value).map(([field, wanted]) => {
      if (!Array.isArray(wanted)) return [field, fieldsOf(wanted, field)];
      if (wanted.length === 0 || !wanted.every((text) => typeof text === "string")) {
        throw new Error(`The local EventBridge knows lists of texts only, and not that of ${field}.`);
      }
      return [field, wanted];
    }),
  );
}

function matches(fields: Fields, event: Record<string, unknown>): boolean {
  return Object.entries(fields).every(([field, wanted]) => {
    const actual = event[field];
    if (Array.isArray(wanted)) return [actual].flat().some((value) => wanted.includes(value as string));
    return typeof actual === "object" && actual !== null && matches(wanted, actual as Record<string, unknown>);
  });
}
