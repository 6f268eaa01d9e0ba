import { decisionLabel } from "../../src/formats/labels.ts";
import type { Ledger, LedgerEntry } from "../../src/formats/ledger.ts";
import { secretNameSaid } from "../../src/formats/settings.ts";
import { parseValue, type StoredToken } from "../../src/formats/stored-token.ts";
import { PermanentError, RetryableError, type RollbackCode, RotationError } from "../../src/ports/errors.ts";
import { type SecretDescription, versionAt } from "../../src/ports/secret-store.ts";
import type { SecretContext } from "../../src/rotation/context.ts";
import { isDecommissioned } from "../../src/rotation/decommissioned.ts";
import { detachPending } from "../../src/rotation/detach.ts";
import { ruleOutRevocation } from "../../src/rotation/going-back.ts";
import { type C2mNames, promote } from "../../src/rotation/promote.ts";
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

export interface RollbackRequest {
  ledger: Ledger;
  /** The token's grace in ms; undefined where nothing tells it. */
  graceMs: number | undefined;
  /** For how long a step of the rotator may be at work, in ms. */
  stepMs: number;
  /** Goes back to a token, too, that ends before the next rotation. */
  acceptExpiry: boolean;
}

export interface RollbackPlan {
  secret: SecretDescription;
  currentId: string;
  previousId: string;
  token: StoredToken;
  /** Epoch ms of the next rotation; undefined where none will come. */
  nextRotationAt: number | undefined;
}

const begun = "The previous token was revoked, or its revocation has begun.";

/** Kept back of the time for moving the label back, in ms. */
const reserveMs = 5_000;

/** So long before the end of its grace a token is left to the reconciler, whose clock may differ. In ms. */
const graceMarginMs = 60_000;

/**
 * Whether the previous token could be promoted, as far as can be told without C2M. Changes nothing.
 *
 * @throws PermanentError with a `RollbackCode`
 */
export async function planRollback(context: SecretContext, request: RollbackRequest): Promise<RollbackPlan> {
  const { arn, store, clock } = context;
  const secret = await store.describe(arn);
  const [currentId, previousId] = [versionAt(secret, "AWSCURRENT"), versionAt(secret, "AWSPREVIOUS")];
  if (currentId === undefined || previousId === undefined) {
    throw refusal("no_previous", "There is no previous version to go back to: it is revoked, or there was none.");
  }
  const version = await store.read(arn, previousId);
  const parsed = version && parseValue(version.value);
  if (parsed?.kind !== "ours") {
    throw refusal(
      "previous_foreign",
      "The previous version holds no token of ours, so nothing tells whether it works.",
    );
  }
  const { token } = parsed;
  const expiresAt = Date.parse(token.expiresAt);
  if (expiresAt <= clock.now()) throw refusal("previous_expired", `The previous token expired at ${token.expiresAt}.`);
  const { entries } = await request.ledger.read(Date.parse(token.issuedAt ?? "") || 0);
  const own = entriesOf(secret, entries);
  // C2M may let a revoked token in for minutes yet: the exchange alone does not tell.
  if (revocationBegan(own, token)) throw refusal("previous_revoked", begun);
  if (versionAt(secret, decisionLabel) === previousId) throw refusal("previous_revoked", begun);
  // The clock of the function that wrote the line may be ahead.
  const since = Math.min(supersededAt(secret, currentId, own), clock.now());
  if (request.graceMs === undefined && clock.now() < since + request.stepMs + graceMarginMs) {
    // Without a grace, the step that promoted the current token revokes the previous one.
    const when = iso(since + request.stepMs + graceMarginMs);
    throw refusal(
      "previous_revoked",
      `The current token was promoted only now, and its step may revoke. Wait until ${when}, or name the stack.`,
    );
  }
  if (request.graceMs !== undefined) {
    const endsAt = since + request.graceMs;
    if (clock.now() > endsAt - graceMarginMs) {
      throw refusal(
        "previous_revoked",
        "The previous token's grace is over, or about to be: its revocation may be on its way.",
      );
    }
  }
  const nextRotationAt = secret.rotationEnabled ? secret.nextRotationAt : undefined;
  if (!request.acceptExpiry && (nextRotationAt === undefined || expiresAt <= nextRotationAt)) {
    const next =
      nextRotationAt === undefined ? "no rotation is due" : `the next rotation is due by ${iso(nextRotationAt)}`;
    throw new PermanentError(
      "previous_ends_early",
      `The previous token ends at ${token.expiresAt}, and ${next}. Rotate instead, or use --accept-expiry and rotate before it ends.`,
    );
  }
  return { secret, currentId, previousId, token, nextRotationAt };
}

/**
 * Makes the previous token current again while it lives. Before it moves AWSCURRENT it rules out a revocation, and a
 * revocation that has begun rules it out. AWSPENDING is taken off an open rotation, and off the replaced version. Afterwards the token is exchanged once
 * more; if C2M rejects it then, AWSCURRENT goes back in the same way.
 *
 * @throws PermanentError with a `RollbackCode`, and AWSCURRENT is where it was; RetryableError `labels_moved`
 */
export async function rollback(context: SecretContext, request: RollbackRequest): Promise<Rollback> {
  const { arn } = context;
  const plan = await planRollback(context, request);
  const { secret, currentId, previousId, token } = plan;
  await proveOrRefuse(context, token);
  // AWS may leave it on a version that was rotated in. On one that is not current it is an open rotation, which Secrets
  // Manager would run again, and the next one can't begin.
  const pendingId = versionAt(secret, "AWSPENDING");
  if (pendingId !== undefined) await detachPending(context, pendingId, "a rollback overtook its rotation");
  await makeCurrent(context, secret, { from: currentId, to: previousId, token });
  if (!(await stillWorks(context, plan, request.ledger))) {
    await goBack(context, await context.store.describe(arn), { from: previousId, to: currentId });
    throw refusal("previous_dead", "C2M rejects the previous token.");
  }
  return { replacedVersionId: currentId, versionId: previousId, tokenId: token.tokenId, expiresAt: token.expiresAt };
}

/** Undoes a rollback to a token that turned out to be dead. */
async function goBack(
  context: SecretContext,
  secret: SecretDescription,
  move: { from: string; to: string },
): Promise<void> {
  const version = await context.store.read(context.arn, move.to);
  const parsed = version && parseValue(version.value);
  try {
    await makeCurrent(context, secret, { ...move, token: parsed?.kind === "ours" ? parsed.token : {} });
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    throw new RetryableError(
      "labels_moved",
      "The previous token is current, C2M rejects it, and the way back is closed: the replaced token's revocation has begun, or the labels were moved. Rotate at once.",
      { cause: error },
    );
  }
}

async function proveOrRefuse(context: SecretContext, token: StoredToken): Promise<void> {
  const proof = await proveToken(context, token, reserveMs);
  if (proof === "elsewhere") {
    throw refusal("previous_elsewhere", "The previous token belongs to another C2M, and is sent nowhere.");
  }
  if (proof !== "works") throw refusal("previous_dead", "C2M rejects the previous token.");
}

/** No answer is no rejection: it worked a moment ago, and the label stays. */
async function stillWorks(
  context: SecretContext,
  { secret, token }: Pick<RollbackPlan, "secret" | "token">,
  ledger: Ledger,
): Promise<boolean> {
  try {
    if ((await proveToken(context, token, reserveMs)) !== "works") return false;
    const { entries } = await ledger.read(Date.parse(token.issuedAt ?? "") || 0);
    return !revocationBegan(entriesOf(secret, entries), token);
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    // Whatever a gateway says is no rejection either.
    return error.code !== "invalid_token";
  }
}

/** Moves AWSCURRENT back to the version that it came from. */
async function makeCurrent(
  context: SecretContext,
  secret: SecretDescription,
  { from, to, token }: { from: string; to: string; token: C2mNames },
): Promise<void> {
  const { arn, store } = context;
  if (!(await ruleOutRevocation(context, secret, { currentId: from, previousId: to }))) {
    throw refusal("previous_revoked", begun);
  }
  try {
    await promote(context, {
      versionId: to,
      c2m: token,
      tries: 1,
      check: async (now) => {
        // A decommission revokes every token, whatever has been decided.
        if (versionAt(now, "AWSCURRENT") !== from || isDecommissioned(now)) throw moved();
      },
    });
  } finally {
    // Else it would say of the replaced token that its revocation has begun.
    await store.moveStage({ secretId: arn, stage: decisionLabel, fromVersionId: from });
  }
}

function entriesOf({ name }: SecretDescription, entries: readonly LedgerEntry[]): LedgerEntry[] {
  return entries.filter(({ fields }) => secretNameSaid(fields.secret) === name);
}

/** Lines of whoever tried: that a revocation failed says that it had begun. */
function revocationBegan(entries: readonly LedgerEntry[], token: StoredToken): boolean {
  const ids = [token.tokenId, token.headerTokenId].filter((id) => id !== undefined);
  return entries.some(
    ({ event, fields }) =>
      (event === "token.revoked" || event === "token.revocation.failed" || event === "token.dead") &&
      ids.some((id) => id === fields.token_id || id === fields.header_token_id),
  );
}

/** When the previous version lost AWSCURRENT, epoch ms: as the ledger says if its last word is of the version that is current. */
function supersededAt(secret: SecretDescription, currentId: string, entries: readonly LedgerEntry[]): number {
  const last = entries.filter(({ event }) => event === "token.promoted" || event === "token.promotion.started").at(-1);
  if (last && "version_id" in last.fields && last.fields.version_id === currentId) return last.at;
  return Math.max(secret.lastRotatedAt ?? 0, secret.lastChangedAt ?? 0);
}

function moved(): RetryableError {
  return new RetryableError(
    "labels_moved",
    "The labels were moved meanwhile. `c2m-tokens status` says where they are.",
  );
}

function refusal(code: RollbackCode, message: string): PermanentError {
  return new PermanentError(code, `${message} Rotate instead.`);
}

const iso = (time: number) => new Date(time).toISOString();
