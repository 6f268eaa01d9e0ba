import { parseValue, type StoredToken, serializeToken } from "../formats/stored-token.ts";
import { AmbiguousError, PermanentError, RetryableError } from "../ports/errors.ts";
import type { StoredVersion } from "../ports/secret-store.ts";
import type { Sensitive } from "../ports/sensitive.ts";
import type { RotationContext } from "./context.ts";
import { discard } from "./revoke.ts";

/** Waits between looks for a version that may become visible late, in ms. */
const readBackWaitsMs = [200, 500, 1_000, 2_000, 4_000];

/** Kept back of the function's time for what comes after waiting for a version. */
const afterReadBackMs = 5_000;

export interface StoreTarget {
  versionId: string;
  stages: string[];
  rotationToken: Sensitive | undefined;
}

/**
 * Stores a token that was just issued under a version id, and makes sure that a token which does not end up there does
 * not stay alive unseen. Resolves with the token that is stored: another one when another attempt was first.
 */
export async function storeToken(
  context: RotationContext,
  arn: string,
  token: StoredToken,
  target: StoreTarget,
): Promise<StoredToken> {
  const { store, log } = context;
  const value = serializeToken(token);
  try {
    await store.put({ secretId: arn, value, ...target });
  } catch (error) {
    if (error instanceof PermanentError) {
      // Refused for good: this token is in no version, and will be in none.
      await discard(context, arn, token);
      if (error.code !== "version_conflict") throw error;
      return tokenOfWinner(await readBack(context, arn, target.versionId));
    }
    const stored = await readBack(context, arn, target.versionId);
    if (!stored) {
      // It may still land, so it must not be revoked here: the ledger names it, and the reconciler settles it.
      throw new AmbiguousError(
        "store_unknown",
        "Secrets Manager did not say whether it stored the new token, and it is not to be seen. The reconciler revokes the token if it never appears.",
        { cause: error },
      );
    }
    if (!stored.value.equals(value)) {
      await discard(context, arn, token);
      return tokenOfWinner(stored);
    }
  }
  log.event("token.stored", {
    secret: arn,
    version_id: target.versionId,
    token_id: token.tokenId,
    expires_at: token.expiresAt,
  });
  return token;
}

/** Reads a version, again for a while when it is not there: writes may become visible late. */
export async function readBack(
  context: RotationContext,
  arn: string,
  versionId: string,
): Promise<StoredVersion | undefined> {
  const { store, clock } = context;
  for (const wait of [...readBackWaitsMs, undefined]) {
    try {
      const found = await store.read(arn, versionId);
      if (found) return found;
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
    }
    if (wait === undefined || clock.now() + wait > context.deadline - afterReadBackMs) return undefined;
    await clock.sleep(wait);
  }
  return undefined;
}

/** Another attempt stored its token first: that one is the version's. */
function tokenOfWinner(stored: StoredVersion | undefined): StoredToken {
  if (!stored) {
    throw new RetryableError(
      "pending_not_visible",
      "Another attempt has stored its token in this version, and it is not to be seen yet. Repeat the step; in a rotation Secrets Manager does.",
    );
  }
  const parsed = parseValue(stored.value);
  if (parsed.kind === "ours") return parsed.token;
  throw new PermanentError(
    "version_conflict",
    "This version already holds a value that is not a token of ours. Detach AWSPENDING from it and rotate again.",
  );
}
