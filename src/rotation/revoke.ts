import { tokenFields } from "../formats/ledger.ts";
import { metricNames } from "../formats/metrics.ts";
import { type ParsedValue, parseValue } from "../formats/stored-token.ts";
import type { RevokeAnswer, TokenUser } from "../ports/c2m.ts";
import { RetryableError, RotationError } from "../ports/errors.ts";
import type { Sensitive } from "../ports/sensitive.ts";
import type { RotationContext, SecretContext } from "./context.ts";
import { compareToken, idsOf, isSameC2m, type Revocable } from "./same-token.ts";

export type Revocation =
  /** C2M says that it is dead. */
  | "revoked"
  /** So says something that need not be C2M. */
  | "claimed"
  /** Nobody who holds a token may; reported with the expiry. */
  | "unrevocable"
  /** 404, and C2M's code is not there: it may be dead or not. */
  | "not_found"
  /** It is the token of the version that superseded it: C2M has given the same token twice. */
  | "current";

/** A token that is held by the version that was promoted. */
class HeldByPromoted extends Error {}

/** Secrets that are looked at, at the most, to find out whether one of them holds a token too. */
const mostSiblings = 10;

/**
 * The one place that revokes. Reads AWSCURRENT immediately before each request, and refuses a token that is held there,
 * or that it can't tell from the one that is. A token with two ids is dead when both are.
 *
 * @param promotedId the version that is known to have superseded it: where that holds the same token, nothing is to be
 *   revoked
 * @throws RetryableError when it may work later, and what the store throws
 */
export async function revoke(context: SecretContext, token: Revocable, promotedId?: string): Promise<Revocation> {
  const guard = async (): Promise<ParsedValue | undefined> => {
    const current = await context.store.readCurrent(context.arn);
    const held = current && parseValue(current.value);
    if (held && current.versionId === promotedId && compareToken(token, held) === "same") throw new HeldByPromoted();
    if (held) refuseCurrent(token, held);
    return held;
  };
  return await revokeGuarded(context, token, guard);
}

/**
 * Revokes a token that was just issued, is in no version and will be in none. It needs no look at the secret, which may
 * be deleted by now: only what this run has read there could be the same token, since C2M may give one twice.
 *
 * What goes wrong is the reconciler's: the ledger names the token. So is what can't be told.
 *
 * @param known what this run has read at AWSCURRENT, and in the version that another attempt stored
 */
export async function discard(
  context: RotationContext,
  token: Revocable,
  known: readonly (ParsedValue | undefined)[],
): Promise<void> {
  const held = known.filter((value) => value !== undefined);
  if (held.some((value) => compareToken(token, value) === "same")) return;
  let asked = false;
  const guard = async (): Promise<ParsedValue | undefined> => {
    for (const value of held) refuseCurrent(token, value);
    if (!asked) refuseHeld(await siblingThatHolds(context, token));
    asked = true;
    return held[0];
  };
  try {
    await revokeGuarded(context, token, guard);
  } catch (error) {
    // It was logged; the error that made the token useless is the one to report.
    if (!(error instanceof RotationError)) throw error;
  }
}

/** The secret of the same client that holds a token at AWSCURRENT, or may hold it; undefined where none does. */
export async function siblingThatHolds(
  { siblings, store }: RotationContext,
  token: Revocable,
): Promise<string | undefined> {
  // Too many to look at them all: the reconciler does.
  if (siblings.length > mostSiblings) return siblings[0];
  for (const name of siblings) {
    const current = await store.readCurrent(name);
    if (current && compareToken(token, parseValue(current.value)) !== "different") return name;
  }
  return undefined;
}

async function revokeGuarded(
  context: SecretContext,
  token: Revocable,
  guard: () => Promise<ParsedValue | undefined>,
): Promise<Revocation> {
  const { arn, log } = context;
  const only = ([tokenId, headerTokenId]: readonly string[]) => ({ ...token, tokenId, headerTokenId });
  const unrevocable = (reason: string, named: Revocable = token) => {
    log.event("token.unrevocable", { ...tokenFields(arn, named), reason });
    return "unrevocable" as const;
  };
  const ids = idsOf(token);
  if (ids.length === 0) return unrevocable("C2M gave no token id");
  const c2m = context.c2mAt(token.baseUrl);
  if (!c2m) return unrevocable("its C2M is none of the settings' base URLs");
  const answers = new Map<string, RevokeAnswer | "no_bearer">();
  const answered = (answer: RevokeAnswer | "no_bearer") => ids.filter((id) => answers.get(id) === answer);
  try {
    for (const tokenId of ids) {
      // What is said of one id says nothing of the other.
      const answer = await revokeId(context, { token, tokenId, c2m, guard });
      answers.set(tokenId, answer);
      if (answer === "revoked" || answer === "claimed") logRevoked(context, token, tokenId, answer);
    }
    if (answered("unclear").length > 0) {
      throw new RetryableError(
        "revocation_unclear",
        "revokeToken: what stands before C2M answered in its place, so the token may live. Check the base_url and what is between if this repeats.",
      );
    }
  } catch (error) {
    if (error instanceof HeldByPromoted) return "current";
    failed(context, token, error instanceof RotationError ? error.code : "unexpected");
    throw error;
  }
  if (answered("not_found").length > 0) {
    failed(context, only(answered("not_found")), "not_found");
    return "not_found";
  }
  if (answered("no_bearer").length > 0) return unrevocable("no token of its client is at hand to revoke it with");
  const refused = answered("refused");
  if (refused.length > 0) return unrevocable("C2M lets no token that we hold revoke it", only(refused));
  log.metric(metricNames.revoked);
  return answered("claimed").length > 0 ? "claimed" : "revoked";
}

/** Tells of one id of a token that it is revoked, and whether something before C2M could have said so. */
export function logRevoked(
  { arn, log }: Pick<SecretContext, "arn" | "log">,
  token: Revocable,
  tokenId: string,
  answer: "revoked" | "claimed",
): void {
  const fields = tokenFields(arn, { ...token, tokenId, headerTokenId: undefined });
  log.event("token.revoked", { ...fields, ...(answer === "claimed" ? { claimed: true } : {}) });
}

function failed({ arn, log }: SecretContext, token: Revocable, code: string): void {
  log.event("token.revocation.failed", { ...tokenFields(arn, token), code });
  log.metric(metricNames.revocationFailed);
}

/** Tries one bearer after the other, until C2M accepts one. */
async function revokeId(
  { deadline }: SecretContext,
  request: { token: Revocable; tokenId: string; c2m: TokenUser; guard: () => Promise<ParsedValue | undefined> },
): Promise<RevokeAnswer | "no_bearer"> {
  const { token, tokenId, c2m, guard } = request;
  const bearers = bearersFor(token, await guard());
  for (const [index, bearer] of bearers.entries()) {
    if (index > 0) await guard();
    // A label may move while the client waits to try again.
    const answer = await c2m.revokeToken({ tokenId, bearer, deadline, beforeRetry: async () => void (await guard()) });
    if (answer !== "refused") return answer;
  }
  return bearers.length === 0 ? "no_bearer" : "refused";
}

function refuseHeld(name: string | undefined): void {
  if (name === undefined) return;
  throw new RetryableError(
    "revocation_unsafe",
    `The secret ${JSON.stringify(name)} may hold the same token, so the reconciler revokes it when it is the time for it.`,
  );
}

function refuseCurrent(token: Revocable, held: ParsedValue): void {
  const comparison = compareToken(token, held);
  if (comparison === "same") {
    throw new RetryableError(
      "revocation_of_current",
      "This token is at AWSCURRENT and is not revoked while it is. If a rotation has just moved the label, the reconciler revokes it once the move is visible.",
    );
  }
  // Without an id on one side and a text on the other there is nothing to compare: it could be the current one.
  if (comparison === "unknown") {
    throw new RetryableError(
      "revocation_unsafe",
      "The value at AWSCURRENT names no token id, so this token can't be told from it. The next rotation replaces that value; then this token is revoked.",
    );
  }
}

/** The current token where it belongs to the same client of the same C2M, then the token itself. */
function bearersFor(token: Revocable, held: ParsedValue | undefined): Sensitive[] {
  const bearers: Sensitive[] = [];
  if (held?.kind === "ours" && held.token.clientId === token.clientId && isSameC2m(held.token, token)) {
    bearers.push(held.token.accessToken);
  }
  if (token.accessToken) bearers.push(token.accessToken);
  return bearers;
}
