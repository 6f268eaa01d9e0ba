import type { Ledger } from "../../src/formats/ledger.ts";
import { parseValue, type StoredToken } from "../../src/formats/stored-token.ts";
import { PermanentError, RetryableError, type RollbackCode } from "../../src/ports/errors.ts";
import type { SecretDescription } from "../../src/ports/secret-store.ts";
import { versionAt } from "../../src/ports/secret-store.ts";
import type { SecretContext } from "../../src/rotation/context.ts";
import { detachPending } from "../../src/rotation/detach.ts";
import { promote } from "../../src/rotation/promote.ts";
import { proveToken } from "../../src/rotation/prove.ts";

/** How a rollback ended. */
export interface Rollback {
  /** The version that was current and keeps its grace. */
  replacedVersionId: string;
  /** The version that is current now. */
  versionId: string;
  tokenId: string | undefined;
  /** ISO 8601. */
  expiresAt: string;
}

/** Kept back of the time for moving the label back, in ms. */
const reserveMs = 5_000;

/** Whether the previous token could be promoted, as far as can be told without C2M. Changes nothing. */
export async function planRollback(context: SecretContext, secretId: string, ledger: Ledger): Promise<RollbackPlan> {
  const { store, clock } = context;
  const secret = await store.describe(secretId);
  const [currentId, previousId] = [versionAt(secret, "AWSCURRENT"), versionAt(secret, "AWSPREVIOUS")];
  if (currentId === undefined || previousId === undefined) {
    throw refusal("no_previous", "There is no previous version to go back to.");
  }
  const version = await store.read(secret.arn, previousId);
  const parsed = version && parseValue(version.value);
  if (parsed?.kind !== "ours") {
    throw refusal(
      "previous_foreign",
      "The previous version holds no token of ours, so nothing tells whether it works.",
    );
  }
  const { token } = parsed;
  if (Date.parse(token.expiresAt) <= clock.now()) {
    throw refusal("previous_expired", `The previous token expired at ${token.expiresAt}.`);
  }
  // C2M may let a revoked token in for minutes yet: the exchange alone does not tell.
  if (await isRevoked(ledger, token)) throw refusal("previous_revoked", "The previous token was revoked.");
  return { secret, currentId, previousId, token };
}

export interface RollbackPlan {
  secret: SecretDescription;
  currentId: string;
  previousId: string;
  token: StoredToken;
}

/**
 * Makes the previous token current again while it lives: takes AWSPENDING off an open rotation, exchanges the previous
 * token, promotes it, and exchanges it again, since it may have been revoked in between; then it moves the label back.
 *
 * @throws PermanentError `no_previous`, `previous_foreign`, `previous_expired`, `previous_revoked`, `previous_dead`
 *   (AWSCURRENT is where it was in each case)
 */
export async function rollback(context: SecretContext, secretId: string, ledger: Ledger): Promise<Rollback> {
  const plan = await planRollback(context, secretId, ledger);
  const { secret, currentId, previousId, token } = plan;
  const pendingId = versionAt(secret, "AWSPENDING", "AWSCURRENT");
  if (pendingId !== undefined) {
    await detachPending(context, pendingId, "a rollback overtook its rotation");
  }
  if ((await proveToken(context, token, reserveMs)) !== "works") throw dead();
  await moveCurrent(context, token, currentId, previousId);
  if (!(await stillWorks(context, plan, ledger))) {
    await moveCurrent(context, token, previousId, currentId);
    throw dead();
  }
  return { replacedVersionId: currentId, versionId: previousId, tokenId: token.tokenId, expiresAt: token.expiresAt };
}

/** No answer is no rejection: it worked a moment ago, and the label stays. */
async function stillWorks(context: SecretContext, { token }: RollbackPlan, ledger: Ledger): Promise<boolean> {
  try {
    if ((await proveToken(context, token, reserveMs)) !== "works") return false;
    return !(await isRevoked(ledger, token));
  } catch (error) {
    if (error instanceof RetryableError) return true;
    if (error instanceof PermanentError) return false;
    throw error;
  }
}

async function moveCurrent(context: SecretContext, token: StoredToken, from: string, to: string): Promise<void> {
  await promote(context, {
    versionId: to,
    c2m: token,
    tries: 1,
    check: async (secret) => {
      if (versionAt(secret, "AWSCURRENT") !== from) throw moved();
    },
  });
}

async function isRevoked(ledger: Ledger, { tokenId, issuedAt }: StoredToken): Promise<boolean> {
  if (tokenId === undefined) return false;
  const { entries } = await ledger.read(Date.parse(issuedAt ?? "") || 0);
  return entries.some(({ event, fields }) => event === "token.revoked" && fields.token_id === tokenId);
}

function moved(): RetryableError {
  return new RetryableError("labels_moved", "AWSCURRENT was moved meanwhile. `c2m-tokens status` says where it is.");
}

function dead(): PermanentError {
  return refusal("previous_dead", "C2M rejects the previous token.");
}

function refusal(code: RollbackCode, message: string): PermanentError {
  return new PermanentError(code, `${message} Rotate instead.`);
}
