import { quotas } from "../../quotas.ts";
import { change } from "../changes.ts";
import { type Context, writableSecret } from "../context.ts";
import { unrecorded } from "../errors.ts";
import type { Input, Tag } from "../shapes.ts";

/** Throws where AWS would not take these tags: a key twice, one that begins with `aws:`, or more than 50 on the secret afterwards. */
export function checkTags(
  { knobs }: Pick<Context, "knobs">,
  given: readonly Tag[],
  present: readonly Tag[] = [],
): void {
  const keys = new Set(given.map((tag) => tag.Key));
  if (keys.size < given.length) throw unrecorded(knobs.unrecorded.duplicateTag);
  if ([...keys].some((key) => key.toLowerCase().startsWith("aws:"))) throw unrecorded(knobs.unrecorded.systemTag);
  for (const tag of present) keys.add(tag.Key);
  if (keys.size > quotas.tags.most) throw unrecorded(knobs.unrecorded.tooManyTags);
}

export function tagResource(context: Context, input: Input<"TagResource">): Record<string, never> {
  const secret = writableSecret(context, input.SecretId);
  const present = secret.state.tags ?? [];
  checkTags(context, input.Tags, present);
  if (input.Tags.length === 0) return {};
  change(context, secret, "tags", (state) => {
    const values = new Map([...present, ...input.Tags].map((tag) => [tag.Key, tag.Value]));
    state.tags = [...values].map(([Key, Value]) => ({ Key, Value }));
    return undefined;
  });
  return {};
}

/** A key that is not there is no error. */
export function untagResource(context: Context, input: Input<"UntagResource">): Record<string, never> {
  const secret = writableSecret(context, input.SecretId);
  change(context, secret, "tags", (state) => {
    state.tags = state.tags?.filter((tag) => !input.TagKeys.includes(tag.Key));
    return undefined;
  });
  return {};
}
