import { type Context, visibleState } from "./context.ts";
import type { Secret } from "./secret.ts";
import type { Filter } from "./shapes.ts";

/**
 * Whether a secret passes every filter. A filter passes when one of its values does; a value with `!` in front passes when the rest
 * does not match. Values match as prefixes; `description` and `all` don't mind the case, and `all` matches any word of
 * the value at the start of any word of the secret.
 */
export function matchesFilters(context: Context, secret: Secret, filters: readonly Filter[]): boolean {
  return filters.every((filter) =>
    filter.Values.some((value) =>
      value.startsWith("!")
        ? !matches(context, secret, filter.Key, value.slice(1))
        : matches(context, secret, filter.Key, value),
    ),
  );
}

function matches(context: Context, secret: Secret, key: Filter["Key"], value: string): boolean {
  const state = visibleState(context, secret);
  const { description = "", tags } = state;
  switch (key) {
    case "name":
      return secret.name.startsWith(value);
    case "description":
      return description.toLowerCase().startsWith(value.toLowerCase());
    case "tag-key":
      return tags.some((tag) => tag.Key.startsWith(value));
    case "tag-value":
      return tags.some((tag) => tag.Value.startsWith(value));
    case "primary-region":
      return state.replicas.length > 0 && context.home.region.startsWith(value);
    case "owning-service":
      // No secret here is managed by another AWS service.
      return false;
    case "all": {
      const words = [secret.name, description, ...tags.flatMap((tag) => [tag.Key, tag.Value])]
        .flatMap((text) => text.toLowerCase().split(/[\s/_+=.@!-]+/))
        .filter((word) => word !== "");
      const wanted = value.toLowerCase().split(/\s+/);
      return wanted.some((prefix) => prefix !== "" && words.some((word) => word.startsWith(prefix)));
    }
  }
}
