import type { NamedToken } from "../formats/ledger.ts";
import { isSameBaseUrl, listedBaseUrl, type TokenSettings } from "../formats/settings.ts";
import type { ParsedValue } from "../formats/stored-token.ts";
import type { Sensitive } from "../ports/sensitive.ts";

/** A token that is to die: its names, and the token itself where it is at hand. */
export interface Revocable extends NamedToken {
  accessToken?: Sensitive;
  scopes?: readonly string[] | undefined;
}

/** The ids by which it can be revoked. */
export function idsOf({ tokenId, headerTokenId }: Pick<NamedToken, "tokenId" | "headerTokenId">): string[] {
  return [tokenId, headerTokenId].filter((id) => id !== undefined);
}

/** Whether two are of the same C2M, as far as both say: the same base URL and the same client. */
export function isSameC2m(one: Partial<NamedToken>, other: Partial<NamedToken>): boolean {
  if (one.clientId !== undefined && other.clientId !== undefined && one.clientId !== other.clientId) return false;
  return one.baseUrl === undefined || other.baseUrl === undefined || isSameBaseUrl(one.baseUrl, other.baseUrl);
}

/** Whether two are the same token, as far as can be told: by the text, or by an id at one C2M. */
export function isSameToken(one: Revocable, other: Revocable): boolean {
  if (one.accessToken && other.accessToken?.equals(one.accessToken)) return true;
  return isSameC2m(one, other) && idsOf(one).some((id) => idsOf(other).includes(id));
}

/** Whether a token belongs to the C2M that the settings name: to its base URL and its client. */
export function isOfSettings(settings: TokenSettings, token: NamedToken): boolean {
  const isHere = listedBaseUrl(settings, token.baseUrl) === settings.baseUrl;
  return isHere && token.clientId === settings.clientId;
}

/**
 * Whether a token is the one that a secret holds: by the text where both are at hand, somewhere in a value that is not ours,
 * else by the ids. `unknown` where there is nothing to compare.
 */
export function compareToken(token: Revocable, held: ParsedValue): "same" | "different" | "unknown" {
  const heldText = held.kind === "ours" ? held.token.accessToken : held.token;
  if (token.accessToken) {
    if (heldText?.equals(token.accessToken)) return "same";
    // With a line's end, in quotes, in JSON of somebody's own.
    if (held.kind === "foreign" && held.text?.includes(token.accessToken)) return "same";
  }
  if (held.kind === "ours" && !isSameC2m(token, held.token)) return "different";
  const ids = idsOf(token);
  const heldIds = held.kind === "ours" ? idsOf(held.token) : [];
  if (ids.some((id) => heldIds.includes(id))) return "same";
  const comparable = (heldText && token.accessToken) || (ids.length > 0 && heldIds.length > 0);
  return comparable ? "different" : "unknown";
}
