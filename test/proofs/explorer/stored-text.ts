import type { SecretValue } from "../../../local-cloud/secrets-manager/value.ts";

/** What is read of values, by their text: a world has few, and each is looked at after every effect. */
const known = new Map<string, { accessToken: string }>();

/** The text of a version's value. */
export function valueText(value: SecretValue | undefined): string | undefined {
  return value && "text" in value ? value.text : undefined;
}

/** The token in a version's value: the field of our JSON, or the whole text. Independent of the product's own reader. */
export function tokenTextOf(value: SecretValue | undefined): string | undefined {
  const text = valueText(value);
  if (text === undefined) return undefined;
  let read = known.get(text);
  if (!read) {
    if (known.size > 10_000) known.clear();
    read = { accessToken: text.startsWith("{") ? String(JSON.parse(text).access_token) : text };
    known.set(text, read);
  }
  return read.accessToken;
}
