import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { clientConfig } from "../../src/aws/client-config.ts";
import { type FunctionLog, functionLog, ledgerFault } from "../../src/aws/function-log.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { type C2mClient, createC2mClient } from "../../src/c2m/client.ts";
import { connectTokenUser } from "../../src/c2m/connect.ts";
import type { Credentials } from "../../src/c2m/credentials.ts";
import { metricNames } from "../../src/formats/metrics.ts";
import type { ProofResult } from "../../src/formats/proof-result.ts";
import {
  listedBaseUrl,
  parseSettings,
  secretNameOf,
  settingsOf,
  siblingsOf,
  type TokenSettings,
} from "../../src/formats/settings.ts";
import { stepTime } from "../../src/formats/time-table.ts";
import type { TokenUser } from "../../src/ports/c2m.ts";
import { systemClock as clock } from "../../src/ports/clock.ts";
import { PermanentError, presentable } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import type { RotationContext } from "../../src/rotation/context.ts";
import { presentToken } from "../../src/rotation/present-token.ts";
import { ProvenVersions } from "../../src/rotation/proven.ts";
import type { BootstrapResult } from "../../src/rotation/steps/bootstrap.ts";
import { runBootstrap, runProveCredentials, runStep } from "../../src/rotation/steps/run-step.ts";
import { CredentialsCache } from "./credentials-cache.ts";
import { parseEvent, type RotationEvent } from "./event.ts";

const store = new SecretsManagerStore(new SecretsManagerClient(clientConfig()));
const credentials = new CredentialsCache(store, clock);
const proven = new ProvenVersions(clock);
const settings = parseSettings(readFileSync(join(process.env.LAMBDA_TASK_ROOT ?? ".", "tokens.json"), "utf8"));

/** What the deployment gets. Holds no secret. */
type Result = BootstrapResult | ProofResult | null;

/** Runs one step of a rotation, the bootstrap of a secret, or the proof of the clients' credentials. */
export async function handler(event: unknown, lambda: { getRemainingTimeInMillis(): number }): Promise<Result> {
  const parsed = parseEvent(event);
  const log = functionLog();
  const deadline = clock.now() + lambda.getRemainingTimeInMillis() - stepTime.answer;
  const issuers: C2mClient[] = [];
  const contextOf = (token: TokenSettings, arn: string): RotationContext => {
    const issuer = issuerFor(token, { arn, log, mayFallBack: parsed.Step !== "proveCredentials" });
    issuers.push(issuer);
    return {
      arn,
      store,
      issuer,
      c2mAt: (said) => c2mAt(token, said),
      clock,
      log,
      settings: token,
      siblings: siblingsOf(settings, token),
      paused: settings.paused,
      ledgerFault: ledgerFault(process.env),
      proven,
      randomId: randomUUID,
      deadline,
    };
  };
  try {
    return await run(parsed, contextOf);
  } catch (error) {
    throw withoutStack(presentable(error));
  } finally {
    for (const issuer of issuers) await issuer.close();
    log.publishMetrics();
  }
}

/** Lambda answers with the stack, too: lines of minified code around the reason that `pulumi up` shows. The log has the reason. */
function withoutStack(error: Error): Error {
  error.stack = "";
  return error;
}

async function run(
  event: RotationEvent,
  contextOf: (token: TokenSettings, arn: string) => RotationContext,
): Promise<Result> {
  if (event.Step === "proveCredentials") {
    const tokens = Object.entries(settings.tokens).map(([secretName, entry]) => ({ ...entry, secretName }));
    // Those that are stored now, not those that a warm process still holds.
    for (const token of tokens) drop(token);
    return await runProveCredentials(tokens.map((token) => contextOf(token, token.secretName)));
  }
  const token = settingsOf(settings, event.SecretId);
  // The ledger is read by the secret's name, which an ARN without its suffix does not tell.
  const isFullArn = secretNameOf(event.SecretId) === token.secretName;
  try {
    const context = contextOf(token, isFullArn ? event.SecretId : token.secretName);
    if (event.Step === "bootstrap") return await runBootstrap(context);
    await runStep(context, event.Step, {
      versionId: event.ClientRequestToken,
      rotationToken: event.RotationToken === undefined ? undefined : new Sensitive(event.RotationToken),
    });
    return null;
  } catch (error) {
    if (error instanceof PermanentError) drop(token);
    throw error;
  }
}

function drop({ credentialsSecretId }: TokenSettings): void {
  if (credentialsSecretId !== undefined) credentials.drop(credentialsSecretId);
}

function issuerFor(
  token: TokenSettings,
  { arn, log, mayFallBack }: { arn: string; log: FunctionLog; mayFallBack: boolean },
): C2mClient {
  const { baseUrl, clientId } = token;
  return createC2mClient({
    baseUrl,
    clientId,
    clock,
    credentials: () => credentialsFor(token, arn),
    ...(mayFallBack ? { fallback: () => credentialsBefore(token, arn, log) } : {}),
  });
}

/** Those that were stored before the current ones, which C2M has refused; somebody has to know. */
async function credentialsBefore(
  token: TokenSettings,
  arn: string,
  log: FunctionLog,
): Promise<Credentials | undefined> {
  const { baseUrl, clientId, credentialsSecretId } = token;
  if (credentialsSecretId === undefined) return undefined;
  const before = await credentials.before(credentialsSecretId, token);
  if (!before) return undefined;
  // What is stored now may be mended by the next step.
  credentials.drop(credentialsSecretId);
  log.event("credentials.fallback", { secret: arn, base_url: baseUrl, client_id: clientId });
  log.metric(metricNames.credentialsFallback);
  return before;
}

function c2mAt(token: TokenSettings, said: string | undefined): TokenUser | undefined {
  const baseUrl = listedBaseUrl(token, said);
  return baseUrl === undefined ? undefined : connectTokenUser({ baseUrl, clock });
}

async function credentialsFor(token: TokenSettings, arn: string): Promise<Credentials> {
  const { clientId, credentialsSecretId, shortTokenGrantType: grantType } = token;
  if (credentialsSecretId !== undefined) return await credentials.get(credentialsSecretId);
  return {
    mechanism: "short_token",
    clientId,
    ...(await presentToken(store, arn, token)),
    ...(grantType === undefined ? {} : { grantType }),
  };
}
