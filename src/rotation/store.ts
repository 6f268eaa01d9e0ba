import { tokenFields } from "../formats/ledger.ts";
import { type ParsedValue, parseValue, type StoredToken, serializeToken } from "../formats/stored-token.ts";
import { stepTime } from "../formats/time-table.ts";
import { AmbiguousError, PermanentError, RetryableError } from "../ports/errors.ts";
import type { StoredVersion } from "../ports/secret-store.ts";
import type { Sensitive } from "../ports/sensitive.ts";
import type { RotationContext, SecretContext } from "./context.ts";
import { discard } from "./revoke.ts";

/** Waits between looks for a version that may become visible late, in ms. */
const readBackWaitsMs = [200, 500, 1_000, 2_000, 4_000];

/** Kept back of the function's time for what comes after waiting for a version: the wait is half of its time. In ms. */
const afterReadBackMs = stepTime.readBack / 3;

export interface StoreTarget {
  versionId: string;
  stages: string[];
  rotationToken: Sensitive | undefined;
}

/**
 * Stores a token that was just issued under a version id, and makes sure that a token which does not end up there does
 * not stay alive unseen. Resolves with the token that is stored: another one when another attempt was first.
 *
 * @param current what this run has read at AWSCURRENT
 */
export async function storeToken(
  context: RotationContext,
  token: StoredToken,
  target: StoreTarget,
  current: ParsedValue | undefined,
): Promise<StoredToken> {
  const { arn, store, log } = context;
  const value = serializeToken(token);
  let lost: unknown;
  try {
    const put = await store.put({ secretId: arn, value, ...target });
    if (put === "taken") lost = put;
  } catch (error) {
    if (error instanceof PermanentError) {
      // Refused for good: this token is in no version, and will be in none.
      await discard(context, token, [current]);
      throw error;
    }
    lost = error;
  }
  if (lost !== undefined) {
    const stored = await readBack(context, target.versionId);
    if (lost === "taken" || (stored && !stored.value.equals(value))) {
      return await yieldTo(context, stored, token, current);
    }
    if (!stored) {
      // It may still land, so it must not be revoked here: the ledger names it, and the reconciler settles it.
      throw new AmbiguousError(
        "store_unknown",
        "Secrets Manager did not say whether it stored the new token, and it can't be seen there. The reconciler revokes the token if it never appears.",
        { cause: lost },
      );
    }
  }
  log.event("token.stored", { version_id: target.versionId, ...tokenFields(arn, token) });
  return token;
}

/** Reads a version, again for a while when it is not there: writes may become visible late. */
export async function readBack(
  context: Pick<SecretContext, "arn" | "store" | "clock" | "deadline">,
  versionId: string,
): Promise<StoredVersion | undefined> {
  const { arn, store, clock } = context;
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

/** Another attempt stored its token first: that one is the version's, and ours is to die. */
async function yieldTo(
  context: RotationContext,
  stored: StoredVersion | undefined,
  token: StoredToken,
  current: ParsedValue | undefined,
): Promise<StoredToken> {
  if (!stored) {
    // Whether the winner holds the same token can't be told: the reconciler settles ours from the ledger.
    throw new RetryableError(
      "pending_not_visible",
      "Another attempt has stored its token in this version, and it can't be seen there yet. Repeat the step; in a rotation Secrets Manager does.",
    );
  }
  const winner = parseValue(stored.value);
  await discard(context, token, [current, winner]);
  if (winner.kind === "ours") return winner.token;
  throw new PermanentError(
    "version_not_ours",
    "This version already holds a value that is not a token of ours. Detach AWSPENDING from it and rotate again.",
  );
}
