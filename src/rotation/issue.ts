import { type NamedToken, tokenFields } from "../formats/ledger.ts";
import { metricNames } from "../formats/metrics.ts";
import type { ParsedValue, StoredToken } from "../formats/stored-token.ts";
import { stepTime } from "../formats/time-table.ts";
import type { IssuedToken } from "../ports/c2m.ts";
import { AmbiguousError, PermanentError, RotationError } from "../ports/errors.ts";
import { Sensitive } from "../ports/sensitive.ts";
import type { RotationContext } from "./context.ts";
import { missingScopes, proveToken } from "./prove.ts";
import { discard } from "./revoke.ts";
import { isSameToken } from "./same-token.ts";

/** How far our clock and C2M's may be apart, the way of the request included. In ms. */
const clockSkewMs = 10 * 60_000;

/** So much less than was asked for is none that was clamped. */
const toleratedSeconds = 60;

export interface IssueOptions {
  /** The version that the token is for. */
  versionId: string;
  /** What this run has read at AWSCURRENT, if anything. */
  current: ParsedValue | undefined;
  lifetimeSeconds: number;
  /** Whether the current token is known to be dead: then any lifetime is better. */
  currentIsDead?: boolean;
}

interface Attempt {
  secret: string;
  version_id: string;
  attempt_id: string;
  client_id: string;
  base_url: string;
}

/**
 * Issues a long token, and writes the ledger: started before the call leaves, and one outcome after it. The token
 * has the scopes that were asked for; one that lacks some is revoked again.
 */
export async function issue(context: RotationContext, options: IssueOptions): Promise<StoredToken> {
  const { arn, clock, log, settings } = context;
  if (context.ledgerFault) {
    const { what, remedy } = context.ledgerFault;
    throw new PermanentError("ledger_dropped", `${what}, which say which token was issued, so none is. ${remedy}`);
  }
  const { versionId, current, lifetimeSeconds } = options;
  const { clientId, baseUrl } = settings;
  const attempt = {
    secret: arn,
    version_id: versionId,
    attempt_id: context.randomId(),
    client_id: clientId,
    base_url: baseUrl,
  };
  const askedAt = clock.now();
  // The request may reach C2M as late as the deadline, and the lifetime counts from then.
  const latestExpiresAt = new Date(
    Math.max(context.deadline, askedAt) + lifetimeSeconds * 1_000 + clockSkewMs,
  ).toISOString();
  log.event("token.issue.started", { ...attempt, latest_expires_at: latestExpiresAt });
  let issued: IssuedToken;
  try {
    issued = await context.issuer.issueLongTermToken({
      scopes: settings.scopes,
      lifetimeSeconds,
      deadline: context.deadline - stepTime.storeOrRevoke,
    });
  } catch (error) {
    throw await settleFailedIssue(context, attempt, error, latestExpiresAt, current);
  }
  const { lifetimeSeconds: granted, ...given } = issued;
  const token: StoredToken = {
    ...given,
    issuedAt: new Date(askedAt).toISOString(),
    clientId,
    baseUrl,
    otherFields: current?.kind === "ours" ? current.token.otherFields : new Sensitive("{}"),
  };
  log.event("token.issued", { ...attempt, ...tokenFields(arn, token) });
  await checkScopes(context, token, current);
  // By C2M's own clock where it says so: ours may be wrong.
  const grantedSeconds = granted ?? Math.floor((Date.parse(token.expiresAt) - askedAt) / 1_000);
  const tolerated = granted === undefined ? clockSkewMs / 1_000 : toleratedSeconds;
  if (grantedSeconds < lifetimeSeconds - tolerated) await acceptClamped(context, token, options, grantedSeconds);
  return token;
}

async function settleFailedIssue(
  context: RotationContext,
  attempt: Attempt,
  error: unknown,
  latestExpiresAt: string,
  current: ParsedValue | undefined,
): Promise<unknown> {
  const { log } = context;
  if (error instanceof AmbiguousError) {
    log.metric(metricNames.issueAmbiguous);
    log.event("token.issue.ambiguous", { ...attempt, code: error.code });
    if (error.tokenId === undefined) return error;
    // The answer was unusable, but it named the token: that is enough to put it in the ledger and to revoke it.
    const token: NamedToken = {
      tokenId: error.tokenId,
      headerTokenId: error.headerTokenId,
      expiresAt: latestExpiresAt,
      clientId: attempt.client_id,
      baseUrl: attempt.base_url,
    };
    log.event("token.issued", { ...attempt, ...tokenFields(attempt.secret, token) });
    await discard(context, token, [current]);
    return error;
  }
  if (error instanceof RotationError) log.event("token.issue.refused", { ...attempt, code: error.code });
  return error;
}

async function checkScopes(
  context: RotationContext,
  token: StoredToken,
  current: ParsedValue | undefined,
): Promise<void> {
  const missing = missingScopes(context.settings.scopes, token.scopes);
  if (missing.length === 0) return;
  await discard(context, token, [current]);
  throw new PermanentError(
    "scopes_missing",
    `scopes: C2M issued a token without ${missing.join(", ")}. Have Click2Mail allow these scopes for the client, or take them out of the stack's settings.`,
  );
}

/**
 * A lifetime that is shorter than was asked for is better than none, unless the current token works and outlives it. C2M may
 * give the current one again, of which less is left.
 */
async function acceptClamped(
  context: RotationContext,
  token: StoredToken,
  { versionId, current, currentIsDead = false, lifetimeSeconds }: IssueOptions,
  grantedSeconds: number,
): Promise<void> {
  const { arn, log } = context;
  log.event("token.lifetime.clamped", {
    secret: arn,
    version_id: versionId,
    asked_seconds: lifetimeSeconds,
    granted_seconds: grantedSeconds,
    base_url: token.baseUrl,
    client_id: token.clientId,
  });
  log.metric(metricNames.lifetimeClamped);
  log.metric(metricNames.lifetimeGranted, grantedSeconds);
  if (currentIsDead || current?.kind !== "ours") return;
  if (Date.parse(current.token.expiresAt) < Date.parse(token.expiresAt) || isSameToken(token, current.token)) return;
  if (!(await isKnownToWork(context, current.token))) return;
  await discard(context, token, [current]);
  throw new PermanentError(
    "lifetime_clamped",
    `lifetime: C2M granted ${grantedSeconds} s where ${lifetimeSeconds} s were asked for, so the new token would expire before the current one, which stays. Ask Click2Mail for the lifetime, or lower "lifetime" in the stack's tokens.`,
  );
}

async function isKnownToWork(context: RotationContext, token: StoredToken): Promise<boolean> {
  try {
    return (await proveToken(context, token, stepTime.storeOrRevoke)) === "works";
  } catch (error) {
    if (error instanceof RotationError) return false;
    throw error;
  }
}
