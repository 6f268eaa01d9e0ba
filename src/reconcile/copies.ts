import { type ParsedValue, parseValue, type StoredToken } from "../formats/stored-token.ts";
import { PermanentError } from "../ports/errors.ts";
import type { SecretContext } from "../rotation/context.ts";
import { compareToken, isSameToken } from "../rotation/same-token.ts";
import type { Candidate } from "./situation.ts";

/**
 * Leaves out what a secret holds as a text, copied from a version that this run has not read: by its id alone a token
 * can't be told from a text. A token that was never in a version can't have been copied.
 *
 * @param currents what is at AWSCURRENT of the secrets
 */
export async function withoutCopies(
  { arn, store }: Pick<SecretContext, "arn" | "store">,
  candidates: readonly Candidate[],
  currents: readonly ParsedValue[],
): Promise<Candidate[]> {
  const left: Candidate[] = [];
  for (const candidate of candidates) {
    const like = candidate.stored ? [] : currents.filter((held) => compareToken(candidate, held) === "unknown");
    const token = like.length > 0 ? await tokenIn({ arn, store }, candidate.versionId) : undefined;
    // Another attempt may have stored its token in the version.
    const isCopied =
      token && isSameToken(candidate, token) && like.some((held) => compareToken(token, held) === "same");
    if (!isCopied) left.push(candidate);
  }
  return left;
}

async function tokenIn(
  { arn, store }: Pick<SecretContext, "arn" | "store">,
  versionId: string,
): Promise<StoredToken | undefined> {
  try {
    const version = await store.read(arn, versionId);
    const parsed = version && parseValue(version.value);
    return parsed?.kind === "ours" ? parsed.token : undefined;
  } catch (error) {
    // The ledger may name what is no version: an operator's line, or the proof of the credentials.
    if (error instanceof PermanentError && error.code === "store_invalid") return undefined;
    throw error;
  }
}
