import { metricNames } from "../formats/metrics.ts";
import { type ParsedValue, parseValue } from "../formats/stored-token.ts";
import { PermanentError, RetryableError, RotationError } from "../ports/errors.ts";
import type { Sensitive } from "../ports/sensitive.ts";
import type { RotationContext } from "./context.ts";

/** A token that is to die. */
export interface Revocable {
  tokenId: string | undefined;
  /** ISO 8601; undefined when it is not known. */
  expiresAt: string | undefined;
  /** The client it was issued to. */
  clientId: string | undefined;
  /** The token itself, where it is at hand: a bearer of last resort. */
  accessToken?: Sensitive;
}

export type Revocation = "revoked" | "unrevocable";

/**
 * The one place that revokes. Reads AWSCURRENT immediately before each request, and refuses a token that is held there,
 * or that it can't tell from the one that is. Resolves `unrevocable`, with a report of the expiry, when the token has no
 * id or no bearer may revoke it. Throws RetryableError when it may work later.
 */
export async function revoke(context: RotationContext, secretArn: string, token: Revocable): Promise<Revocation> {
  const { log } = context;
  const fields = { secret: secretArn, token_id: token.tokenId, expires_at: token.expiresAt };
  const { tokenId } = token;
  if (tokenId === undefined) {
    log.event("token.unrevocable", { ...fields, reason: "C2M gave no token id" });
    return "unrevocable";
  }
  const guard = async () => {
    const current = await context.store.readCurrent(secretArn);
    const held = current && parseValue(current.value);
    refuseCurrent(token, held);
    return held;
  };
  try {
    const held = await guard();
    const bearers = bearersFor(token, held);
    if (bearers.length === 0) {
      throw new RetryableError(
        "no_bearer",
        "No token of this client is at hand to revoke with. It can be revoked once a token of the client is current.",
      );
    }
    for (const [index, bearer] of bearers.entries()) {
      if (index > 0) await guard();
      if (await revokeWith(context, { tokenId, bearer, guard })) {
        log.event("token.revoked", fields);
        log.metric(metricNames.revoked);
        return "revoked";
      }
    }
  } catch (error) {
    log.event("token.revocation.failed", { ...fields, code: error instanceof RotationError ? error.code : "unknown" });
    log.metric(metricNames.revocationFailed);
    throw error;
  }
  log.event("token.unrevocable", { ...fields, reason: "C2M lets no token that we hold revoke it" });
  return "unrevocable";
}

/** Revokes a token that we issued and have no use for. What goes wrong is the reconciler's: the ledger names the token. */
export async function discard(context: RotationContext, arn: string, token: Revocable): Promise<void> {
  try {
    await revoke(context, arn, token);
  } catch (error) {
    // revoke has logged it; the error that made the token useless is the one to report.
    if (!(error instanceof RotationError)) throw error;
  }
}

function refuseCurrent(token: Revocable, held: ParsedValue | undefined): void {
  if (!held) return;
  const heldToken = held.kind === "ours" ? held.token.accessToken : held.token;
  const heldId = held.kind === "ours" ? held.token.tokenId : undefined;
  const same = heldId === undefined ? undefined : heldId === token.tokenId;
  const sameText = heldToken && token.accessToken ? heldToken.equals(token.accessToken) : undefined;
  if (same || sameText) {
    throw new RetryableError(
      "revocation_of_current",
      "This token is at AWSCURRENT and is not revoked while it is. If a rotation has just moved the label, the reconciler revokes it once the move is visible.",
    );
  }
  // Without an id on one side and a text on the other there is nothing to compare: it could be the current one.
  if (same === undefined && sameText === undefined) {
    throw new RetryableError(
      "revocation_unsafe",
      "The value at AWSCURRENT names no token id, so this token can't be told from it. The next rotation replaces that value; then this token is revoked.",
    );
  }
}

/** The current token where it belongs to the same client, then the token itself. */
function bearersFor(token: Revocable, held: ParsedValue | undefined): Sensitive[] {
  const bearers: Sensitive[] = [];
  if (held?.kind === "ours" && held.token.clientId === token.clientId) bearers.push(held.token.accessToken);
  if (token.accessToken) bearers.push(token.accessToken);
  return bearers;
}

/** False when this bearer may not revoke it. A label may move while the client waits to try again. */
async function revokeWith(
  context: RotationContext,
  { tokenId, bearer, guard }: { tokenId: string; bearer: Sensitive; guard: () => Promise<unknown> },
): Promise<boolean> {
  const beforeRetry = async () => void (await guard());
  try {
    await context.c2m.revokeToken({ tokenId, bearer, deadline: context.deadline, beforeRetry });
    return true;
  } catch (error) {
    if (error instanceof PermanentError && error.code === "revocation_refused") return false;
    throw error;
  }
}
