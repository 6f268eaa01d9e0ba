import { metricNames } from "../formats/metrics.ts";
import type { ParsedValue, StoredToken } from "../formats/stored-token.ts";
import type { IssuedToken } from "../ports/c2m.ts";
import { AmbiguousError, PermanentError, RotationError } from "../ports/errors.ts";
import { Sensitive } from "../ports/sensitive.ts";
import type { RotationContext } from "./context.ts";
import { missingScopes } from "./prove.ts";
import { discard } from "./revoke.ts";

/** Kept back of the function's time when a token is issued: enough to store it, or to read AWSCURRENT and revoke it. */
const reserveMs = 20_000;

/** How far our clock and C2M's may be apart, the way of the request included. In ms. */
const clockSkewMs = 10 * 60_000;

export interface IssueOptions {
  /** The version that the token is for. */
  versionId: string;
  /** What is at AWSCURRENT now, if anything. */
  current: ParsedValue | undefined;
  ttlSeconds: number;
}

/**
 * Issues a long token, and writes the ledger: started before the call leaves, and one outcome after it. The token
 * has the scopes that were asked for; one that lacks some is revoked again.
 */
export async function issue(context: RotationContext, arn: string, options: IssueOptions): Promise<StoredToken> {
  const { clock, log, settings } = context;
  const { versionId, current, ttlSeconds } = options;
  const attempt = { secret: arn, version_id: versionId, attempt_id: context.randomId() };
  const askedAt = clock.now();
  // The request may reach C2M as late as the deadline, and the lifetime counts from then.
  const latestExpiresAt = new Date(
    Math.max(context.deadline, askedAt) + ttlSeconds * 1_000 + clockSkewMs,
  ).toISOString();
  log.event("token.issue.started", {
    ...attempt,
    client_id: settings.clientId,
    latest_expires_at: latestExpiresAt,
  });
  let issued: IssuedToken;
  try {
    issued = await context.c2m.issueLongTermToken({
      scopes: settings.scopes,
      ttlSeconds,
      current: current?.kind === "ours" ? current.token.accessToken : current?.token,
      deadline: context.deadline - reserveMs,
    });
  } catch (error) {
    throw await settleFailedIssue(context, attempt, error, latestExpiresAt);
  }
  log.event("token.issued", {
    ...attempt,
    token_id: issued.tokenId,
    expires_at: issued.expiresAt,
    client_id: settings.clientId,
  });
  const token: StoredToken = {
    ...issued,
    issuedAt: new Date(askedAt).toISOString(),
    clientId: settings.clientId,
    baseUrl: settings.baseUrl,
    otherFields: current?.kind === "ours" ? current.token.otherFields : new Sensitive("{}"),
  };
  await checkGranted(context, arn, token, options, askedAt);
  return token;
}

async function settleFailedIssue(
  context: RotationContext,
  attempt: { secret: string; version_id: string; attempt_id: string },
  error: unknown,
  latestExpiresAt: string,
): Promise<unknown> {
  const { log, settings } = context;
  if (error instanceof AmbiguousError) {
    log.metric(metricNames.issueAmbiguous);
    log.event("token.issue.ambiguous", { ...attempt, code: error.code });
    if (error.tokenId === undefined) return error;
    // The answer was unusable, but it named the token: that is enough to put it in the ledger and to revoke it.
    const { tokenId } = error;
    log.event("token.issued", {
      ...attempt,
      token_id: tokenId,
      expires_at: latestExpiresAt,
      client_id: settings.clientId,
    });
    await discard(context, attempt.secret, { tokenId, expiresAt: latestExpiresAt, clientId: settings.clientId });
    return error;
  }
  if (error instanceof RotationError) log.event("token.issue.refused", { ...attempt, code: error.code });
  return error;
}

async function checkGranted(
  context: RotationContext,
  arn: string,
  token: StoredToken,
  options: IssueOptions,
  askedAt: number,
): Promise<void> {
  const { log, settings } = context;
  const missing = missingScopes(settings.scopes, token.scopes);
  if (missing.length > 0) {
    await discard(context, arn, token);
    throw new PermanentError(
      "scopes_missing",
      `scopes: C2M issued a token without ${missing.join(", ")}. Have Click2Mail allow these scopes for the client, or take them out of the stack's settings.`,
    );
  }
  const expiresAt = Date.parse(token.expiresAt);
  const grantedMs = expiresAt - askedAt;
  if (grantedMs >= options.ttlSeconds * 1_000 - clockSkewMs) return;
  log.event("token.lifetime.clamped", {
    secret: arn,
    version_id: options.versionId,
    asked_seconds: options.ttlSeconds,
    granted_seconds: Math.floor(grantedMs / 1_000),
  });
  log.metric(metricNames.lifetimeClamped);
  log.metric(metricNames.lifetimeGranted, Math.floor(grantedMs / 1_000));
  const { current } = options;
  if (current?.kind === "ours" && Date.parse(current.token.expiresAt) >= expiresAt) {
    await discard(context, arn, token);
    throw new PermanentError(
      "lifetime_clamped",
      `ttlSeconds: C2M granted ${Math.floor(grantedMs / 1_000)} s where ${options.ttlSeconds} s were asked for, so the new token would expire before the current one, which stays. Ask Click2Mail for the lifetime, or lower ttlSeconds.`,
    );
  }
}
