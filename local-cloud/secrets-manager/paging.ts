import type { Context } from "./context.ts";
import { unrecorded } from "./errors.ts";

/** One page of a list. NextToken is opaque to callers. */
export function page<T>(
  context: Context,
  all: readonly T[],
  input: { MaxResults?: number | undefined; NextToken?: string | undefined },
): { items: T[]; NextToken?: string } {
  const { lastPageToken, unrecorded: texts } = context.knobs;
  const size = input.MaxResults ?? 100;
  const first = input.NextToken === undefined || (input.NextToken === "" && lastPageToken === "empty");
  const from = first ? 0 : offsetIn(input.NextToken ?? "");
  if (Number.isNaN(from)) throw unrecorded(texts.badPage);
  const items = all.slice(from, from + size);
  if (from + size < all.length) return { items, NextToken: tokenFor(from + size) };
  return lastPageToken === "empty" ? { items, NextToken: "" } : { items };
}

function tokenFor(offset: number): string {
  return Buffer.from(`from:${offset}`).toString("base64url");
}

function offsetIn(token: string): number {
  const [, digits] = /^from:(\d+)$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  return Number(digits ?? Number.NaN);
}
