import type { TokenSettings } from "../formats/settings.ts";
import { parseValue } from "../formats/stored-token.ts";
import type { SecretStore } from "../ports/secret-store.ts";
import type { Sensitive } from "../ports/sensitive.ts";
import { idsOf, isOfSettings } from "./same-token.ts";

/**
 * The token at AWSCURRENT that may issue the next one, and its ids; no token where it belongs to another C2M than the
 * settings', which gets nothing of it.
 */
export async function presentToken(
  store: Pick<SecretStore, "readCurrent">,
  arn: string,
  settings: TokenSettings,
): Promise<{ longToken: Sensitive | undefined; longTokenIds?: readonly string[] }> {
  const current = await store.readCurrent(arn);
  const parsed = current && parseValue(current.value);
  if (parsed?.kind !== "ours") return { longToken: parsed?.token };
  const isOwn = isOfSettings(settings, parsed.token);
  return { longToken: isOwn ? parsed.token.accessToken : undefined, longTokenIds: idsOf(parsed.token) };
}
