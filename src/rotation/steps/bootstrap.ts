import { createHash } from "node:crypto";
import { tokenFields } from "../../formats/ledger.ts";
import { type ParsedValue, parseValue, type StoredToken } from "../../formats/stored-token.ts";
import { stepTime } from "../../formats/time-table.ts";
import type { SecretDescription, StoredVersion } from "../../ports/secret-store.ts";
import { versionAt } from "../../ports/secret-store.ts";
import type { RotationContext } from "../context.ts";
import { refuseDecommissioned } from "../decommissioned.ts";
import { issue } from "../issue.ts";
import { logPromoted } from "../promote.ts";
import { proveOrDiscard, proveToken } from "../prove.ts";
import { isOfSettings } from "../same-token.ts";
import { storeToken } from "../store.ts";

/** What the bootstrap did, for whoever runs `pulumi up`. Holds no secret. */
export interface BootstrapResult {
  outcome: /** The secret was empty. */
    | "issued"
    /** The token in it was definitely dead, or of another C2M. */
    | "replaced"
    /** The token in it works. */
    | "proven"
    /** A value from before us is kept until the first rotation. */
    | "adopted";
  /** The version that is current now. */
  versionId: string;
  /** ISO 8601; absent for a value from before us. */
  expiresAt?: string;
}

/**
 * Puts the first token into the secret, or proves that what is there works. `pulumi up` runs it when the secret is new and
 * when its C2M changes.
 */
export async function bootstrap(context: RotationContext): Promise<BootstrapResult> {
  const { arn, store, log, settings } = context;
  const secret = await store.describe(arn);
  const currentId = versionAt(secret, "AWSCURRENT");
  const held = currentId === undefined ? undefined : await store.read(arn, currentId);
  if (!held) return await issueFirst(context, secret, undefined, undefined);
  const current = parseValue(held.value);
  if (current.kind === "ours") {
    // Of another C2M nothing is sent to this one: it is replaced, and lives out its grace.
    const isOurs = isOfSettings(settings, current.token);
    if (!isOurs || (await isDead(context, current.token))) return await issueFirst(context, secret, held, current);
    return { outcome: "proven", versionId: held.versionId, expiresAt: current.token.expiresAt };
  }
  // Nothing says that this text is a token, so it is not sent to C2M to find out.
  const { baseUrl, clientId } = settings;
  const adopted = { secret: arn, version_id: held.versionId, base_url: baseUrl, client_id: clientId };
  log.event("token.adopted", adopted);
  const unnamed = tokenFields(arn, { tokenId: undefined, expiresAt: undefined });
  log.event("token.unrevocable", { ...unnamed, reason: "it was there before us and has no token id" });
  return { outcome: "adopted", versionId: held.versionId };
}

async function issueFirst(
  context: RotationContext,
  secret: SecretDescription,
  replaced: StoredVersion | undefined,
  current: ParsedValue | undefined,
): Promise<BootstrapResult> {
  refuseDecommissioned(secret);
  const versionId = await freeVersionId(context, secret, replaced?.versionId ?? "none");
  const { lifetimeSeconds } = context.settings;
  const token = await issue(context, { versionId, current, lifetimeSeconds, currentIsDead: true });
  // The first value of a secret is current as soon as it is stored, so it is proven before.
  await proveOrDiscard(context, token, current);
  const target = { versionId, stages: ["AWSCURRENT"], rotationToken: undefined };
  const stored = await storeToken(context, token, target, current);
  logPromoted(context, { versionId, c2m: stored }, replaced?.versionId);
  return { outcome: replaced ? "replaced" : "issued", versionId, expiresAt: stored.expiresAt };
}

async function isDead(context: RotationContext, token: StoredToken): Promise<boolean> {
  if (Date.parse(token.expiresAt) <= context.clock.now()) return true;
  return (await proveToken(context, token, stepTime.storeOrRevoke + stepTime.issue)) === "dead";
}

/**
 * The version id to store under. Derived, so that of two bootstraps at once only one can store its token; a version
 * that already has it (from an earlier replacement of the same version) is passed over.
 */
async function freeVersionId(
  { arn, store }: RotationContext,
  secret: SecretDescription,
  replaced: string,
): Promise<string> {
  for (let seed = replaced; ; ) {
    const id = createHash("sha256").update(`${secret.arn}\n${seed}`).digest("hex");
    const versionId = `bootstrap-${id.slice(0, 40)}`;
    const taken = await store.read(arn, versionId);
    if (!taken || taken.stages.includes("AWSCURRENT")) return versionId;
    seed = versionId;
  }
}
