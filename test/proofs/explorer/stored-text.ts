import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import type { SecretValue } from "../../../local-cloud/secrets-manager/value.ts";

/** What is read of values, by their text: a world has few, and each is looked at after every effect. */
const known = new Map<string, { accessToken: string; fields: Record<string, unknown> }>();

/** The text of a version's value. */
export function valueText(value: SecretValue | undefined): string | undefined {
  return value && "text" in value ? value.text : undefined;
}

/** The token in a version's value: the field of our JSON, or the whole text. Independent of the product's own reader. */
export function tokenTextOf(value: SecretValue | undefined): string | undefined {
  const text = valueText(value);
  return text === undefined ? undefined : read(text).accessToken;
}

/** Whether a version of a secret holds the token of this text. */
export function holdsToken({ state }: Secret, accessToken: string | undefined): boolean {
  return [...state.versions.values()].some(({ value }) => tokenTextOf(value) === accessToken);
}

/** The fields of a value: those of our JSON, or the whole text as the token. Not to be changed. */
export function storedFields(text: string): Record<string, unknown> {
  return read(text).fields;
}

function read(text: string) {
  let found = known.get(text);
  if (!found) {
    if (known.size > 10_000) known.clear();
    const fields = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : { access_token: text };
    found = { accessToken: String(fields.access_token), fields };
    known.set(text, found);
  }
  return found;
}
