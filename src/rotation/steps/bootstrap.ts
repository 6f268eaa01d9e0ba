import { createHash } from "node:crypto";
import { metricNames } from "../../formats/metrics.ts";
import { parseValue, type StoredToken } from "../../formats/stored-token.ts";
import type { SecretDescription, StoredVersion } from "../../ports/secret-store.ts";
import { versionAt } from "../../ports/secret-store.ts";
import type { RotationContext } from "../context.ts";
import { issue } from "../issue.ts";
import { proveOrDiscard, proveToken } from "../prove.ts";
import { discard } from "../revoke.ts";
import { storeToken } from "../store.ts";

/** The lifetime of a token that is issued only to prove the credentials, in seconds: the shortest that C2M grants. */
const proofTtlSeconds = 3_600;

/** Kept back of the function's time, once a token is being proven, for storing it or for revoking it. */
const reserveMs = 15_000;

/** Kept back of the function's time for issuing a token after another one was found dead. */
const issueMs = 40_000;

/** What the bootstrap did, for whoever runs `pulumi up`. Holds no secret. */
export interface BootstrapResult {
  outcome: /** The secret was empty. */
    | "issued"
    /** The token in it was definitely dead. */
    | "replaced"
    /** The token in it works, and the credentials can issue another. */
    | "proven"
    /** A value from before us is kept until the first rotation; the credentials can issue a token. */
    | "adopted";
  /** The version that is current now. */
  versionId: string;
  /** ISO 8601; absent for a value from before us. */
  expiresAt?: string;
}

/**
 * Puts the first token into the secret, or proves that what is there and the credentials work. `pulumi up` runs it when
 * the secret is new and whenever the credentials or the settings change, so that a wrong client secret fails the
 * deployment and not the next rotation.
 */
export async function bootstrap(context: RotationContext, secretArn: string): Promise<BootstrapResult> {
  const secret = await context.store.describe(secretArn);
  const currentId = versionAt(secret, "AWSCURRENT");
  const current = currentId === undefined ? undefined : await context.store.read(secret.arn, currentId);
  if (!current) return await issueFirst(context, secret, undefined);
  const parsed = parseValue(current.value);
  if (parsed.kind === "ours") {
    if (await isDead(context, parsed.token)) return await issueFirst(context, secret, current);
    await proveCredentials(context, secret.arn, current);
    return { outcome: "proven", versionId: current.versionId, expiresAt: parsed.token.expiresAt };
  }
  // Nothing says that this text is a token, so it is not sent to C2M to find out.
  context.log.event("token.adopted", { secret: secret.arn, version_id: current.versionId });
  context.log.event("token.unrevocable", {
    secret: secret.arn,
    token_id: undefined,
    expires_at: undefined,
    reason: "it was there before us and has no token id",
  });
  await proveCredentials(context, secret.arn, current);
  return { outcome: "adopted", versionId: current.versionId };
}

async function issueFirst(
  context: RotationContext,
  secret: SecretDescription,
  replaced: StoredVersion | undefined,
): Promise<BootstrapResult> {
  const { arn } = secret;
  const versionId = await freeVersionId(context, secret, replaced?.versionId ?? "none");
  const token = await issue(context, arn, {
    versionId,
    current: replaced && parseValue(replaced.value),
    ttlSeconds: context.settings.ttlSeconds,
  });
  // The first value of a secret is current as soon as it is stored, so it is proven before.
  await proveOrDiscard(context, arn, token, reserveMs);
  const stored = await storeToken(context, arn, token, { versionId, stages: ["AWSCURRENT"], rotationToken: undefined });
  context.log.event("token.promoted", {
    secret: arn,
    version_id: versionId,
    superseded_version_id: replaced?.versionId,
  });
  context.log.metric(metricNames.promoted);
  return { outcome: replaced ? "replaced" : "issued", versionId, expiresAt: stored.expiresAt };
}

/** Issues a short-lived token with the client's credentials and revokes it again. */
async function proveCredentials(context: RotationContext, arn: string, current: StoredVersion): Promise<void> {
  const token = await issue(context, arn, {
    versionId: current.versionId,
    current: parseValue(current.value),
    ttlSeconds: proofTtlSeconds,
  });
  await discard(context, arn, token);
  context.log.event("credentials.proven", { secret: arn });
}

async function isDead(context: RotationContext, token: StoredToken): Promise<boolean> {
  if (Date.parse(token.expiresAt) <= context.clock.now()) return true;
  return (await proveToken(context, token, reserveMs + issueMs)) === "dead";
}

/**
 * The version id to store under. Derived, so that of two bootstraps at once only one can store its token; a version
 * that already has it (from an earlier replacement of the same version) is passed over.
 */
async function freeVersionId(context: RotationContext, secret: SecretDescription, replaced: string): Promise<string> {
  for (let seed = replaced; ; ) {
    const id = createHash("sha256").update(`${secret.arn}\n${seed}`).digest("hex");
    const versionId = `bootstrap-${id.slice(0, 40)}`;
    const taken = await context.store.read(secret.arn, versionId);
    if (!taken || taken.stages.includes("AWSCURRENT")) return versionId;
    seed = versionId;
  }
}
