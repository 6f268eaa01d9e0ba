import { decommissionLabel } from "../../formats/labels.ts";
import { proofOfCredentials } from "../../formats/ledger.ts";
import { normalBaseUrl } from "../../formats/settings.ts";
import { type ParsedValue, parseValue } from "../../formats/stored-token.ts";
import { PermanentError } from "../../ports/errors.ts";
import type { RotationContext } from "../context.ts";
import { issue } from "../issue.ts";
import { discard } from "../revoke.ts";
import { compareToken } from "../same-token.ts";

/** The lifetime of a token that is issued only to prove the credentials, in seconds: the shortest that C2M grants. */
const proofLifetimeSeconds = 3_600;

/** The names of two secrets that hold the same token. */
export type Duplicate = [string, string];

/** What a secret holds. */
interface Held {
  context: RotationContext;
  value: ParsedValue | undefined;
  /** Its tokens are being ended: none is issued in its name. */
  isEnding: boolean;
}

/**
 * Proves each client's credentials once: issues a token that lives for an hour and revokes it. `pulumi up` runs it when
 * credentials change, so that wrong ones fail the deployment and not the next rotation. Refuses a secret that is about to
 * be deployed with the token of another: one's rotation would end the other's.
 *
 * @param contexts of every listed secret
 * @returns the names of secrets that are deployed and hold the same token: the next rotation of one parts them
 * @throws PermanentError `duplicate_token`, and what the issue call throws
 */
export async function proveCredentials(contexts: readonly RotationContext[]): Promise<Duplicate[]> {
  const held: Held[] = [];
  for (const context of contexts) held.push(await heldBy(context));
  const duplicates = await duplicatesOf(held);
  // A token that authenticates itself is proven by its own bootstrap.
  const withCredentials = held.filter(({ context }) => context.settings.credentialsSecretId !== undefined);
  const byClient = Map.groupBy(withCredentials, ({ context: { settings } }) =>
    JSON.stringify([normalBaseUrl(settings.baseUrl), settings.clientId, settings.credentialsSecretId]),
  );
  for (const ofClient of byClient.values()) await proveOne(ofClient);
  return duplicates;
}

/** Without a value where it can't be read: its own bootstrap and the reconciler tell of that. */
async function heldBy(context: RotationContext): Promise<Held> {
  try {
    const current = await context.store.readCurrent(context.arn);
    const isEnding = current?.stages.includes(decommissionLabel) ?? false;
    return { context, value: current && parseValue(current.value), isEnding };
  } catch (error) {
    if (error instanceof PermanentError) return { context, value: undefined, isEnding: false };
    throw error;
  }
}

async function proveOne(held: readonly Held[]): Promise<void> {
  const first = held.find(({ isEnding }) => !isEnding);
  if (!first) return;
  const { context, value } = first;
  const { arn, log, settings } = context;
  const lifetimeSeconds = proofLifetimeSeconds;
  const token = await issue(context, {
    versionId: proofOfCredentials,
    current: value,
    currentIsDead: true,
    lifetimeSeconds,
  });
  // One that lives much longer than was asked for is one that C2M gave before, and may be current where reads are late:
  // the ledger names it, and the reconciler settles it.
  const wasGivenBefore = Date.parse(token.expiresAt) - context.clock.now() > 2 * lifetimeSeconds * 1_000;
  // What the other secrets hold was read just now.
  if (!wasGivenBefore) {
    const others = held.filter((one) => one !== first).map((other) => other.value);
    await discard({ ...context, siblings: [] }, token, [value, ...others]);
  }
  log.event("credentials.proven", { secret: arn, base_url: settings.baseUrl, client_id: settings.clientId });
}

async function duplicatesOf(held: readonly Held[]): Promise<Duplicate[]> {
  const deployed: Duplicate[] = [];
  for (const [index, { context, value }] of held.entries()) {
    const twin = held
      .slice(index + 1)
      .find((other) => holdsTokenOf(value, other.value) || holdsTokenOf(other.value, value));
    if (!twin) continue;
    const pair = [context, twin.context] as const;
    if ((await Promise.all(pair.map(isDeployed))).every(Boolean)) {
      deployed.push([context.settings.secretName, twin.context.settings.secretName]);
      continue;
    }
    const names = pair.map(({ settings }) => JSON.stringify(settings.secretName));
    throw new PermanentError(
      "duplicate_token",
      `tokens: the secrets ${names.join(" and ")} hold the same token, so that one's rotation would end the other's. Have Click2Mail issue a token of its own for one of them and store it, or empty that secret.`,
    );
  }
  return deployed;
}

/** Whether the second one holds the token of the first, as far as can be told. */
function holdsTokenOf(one: ParsedValue | undefined, other: ParsedValue | undefined): boolean {
  if (!one || !other) return false;
  const token = one.kind === "ours" ? one.token : one.token && { ...unnamed, accessToken: one.token };
  return token !== undefined && compareToken(token, other) === "same";
}

/** `pulumi up` switches rotation on as the last of all. */
async function isDeployed({ arn, store, settings }: RotationContext): Promise<boolean> {
  return settings.retire === true || (await store.describe(arn)).rotationEnabled;
}

const unnamed = { tokenId: undefined, expiresAt: undefined };
