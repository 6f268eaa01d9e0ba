import { change } from "../changes.ts";
import { type Context, liveSecret } from "../context.ts";
import type { Input } from "../shapes.ts";

export function tagResource(context: Context, input: Input<"TagResource">): Record<string, never> {
  const secret = liveSecret(context, input.SecretId);
  change(context, secret, "tags", (state) => {
    const values = new Map([...state.tags, ...input.Tags].map((tag) => [tag.Key, tag.Value]));
    state.tags = [...values].map(([Key, Value]) => ({ Key, Value }));
    return undefined;
  });
  return {};
}

/** A key that is not there is no error. */
export function untagResource(context: Context, input: Input<"UntagResource">): Record<string, never> {
  const secret = liveSecret(context, input.SecretId);
  change(context, secret, "tags", (state) => {
    state.tags = state.tags.filter((tag) => !input.TagKeys.includes(tag.Key));
    return undefined;
  });
  return {};
}
