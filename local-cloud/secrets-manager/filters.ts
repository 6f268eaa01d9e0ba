import { type Context, primaryRegionOf, visibleState } from "./context.ts";
import { filterWithoutKey, filterWithoutValues } from "./errors.ts";
import type { Secret } from "./secret.ts";
import type { Filter } from "./shapes.ts";

interface WholeFilter {
  key: NonNullable<Filter["Key"]>;
  values: string[];
}

/**
 * Whether a secret passes every filter, also where several have the same key. A filter passes when one of its values does; a value with `!` in front
 * passes when the rest does not match. `name` and tags match as prefixes, in their case. `description` and `all` match word by
 * word, in any order and case: each word of the value begins a word of the description, or of one of all attributes.
 */
export function matchesFilters(context: Context, secret: Secret, filters: readonly Filter[]): boolean {
  return filters
    .map(whole)
    .every(({ key, values }) =>
      values.some((value) =>
        value.startsWith("!") ? !matches(context, secret, key, value.slice(1)) : matches(context, secret, key, value),
      ),
    );
}

/** Throws where a filter lacks its key or its values, as no secret has to be there for that. */
export function checkFilters(filters: readonly Filter[] = []): void {
  filters.forEach(whole);
}

function whole({ Key: key, Values: values }: Filter): WholeFilter {
  if (key === undefined) throw filterWithoutKey();
  if (values === undefined) throw filterWithoutValues(key);
  return { key, values };
}

function matches(context: Context, secret: Secret, key: WholeFilter["key"], value: string): boolean {
  const state = visibleState(context, secret);
  const { description = "", tags = [] } = state;
  switch (key) {
    case "name":
      return secret.name.startsWith(value);
    case "description":
      return matchesWords(value, description);
    case "tag-key":
      return tags.some((tag) => tag.Key.startsWith(value));
    case "tag-value":
      return tags.some((tag) => tag.Value.startsWith(value));
    case "primary-region":
      return primaryRegionOf(context, state)?.startsWith(value) === true;
    case "owning-service":
      // No secret here is managed by another AWS service.
      return false;
    case "all":
      return [secret.name, description, ...tags.flatMap((tag) => [tag.Key, tag.Value])].some((text) =>
        matchesWords(value, text),
      );
  }
}

function matchesWords(value: string, text: string): boolean {
  const [wanted, words] = [wordsOf(value), wordsOf(text)];
  return wanted.length > 0 && wanted.every((prefix) => words.some((word) => word.startsWith(prefix)));
}

/**
 * AWS splits at spaces, at the special characters of names, and where the case changes: `prod/AppBeta` is prod, app, beta; of several capitals the
 * last begins the next word: `COMPANYthings` is compan, ythings.
 */
function wordsOf(text: string): string[] {
  return text
    .split(/[\s/_+=.@!-]+/)
    .flatMap((part) => part.match(/[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+/g) ?? [])
    .map((word) => word.toLowerCase());
}
