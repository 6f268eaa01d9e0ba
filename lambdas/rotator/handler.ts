import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { clientConfig } from "../../src/aws/client-config.ts";
import { functionLog } from "../../src/aws/function-log.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { createC2mClient } from "../../src/c2m/client.ts";
import { connectTokenUser } from "../../src/c2m/connect.ts";
import type { Credentials } from "../../src/c2m/credentials.ts";
import {
  listedBaseUrl,
  parseSettings,
  settingsOf,
  siblingsOf,
  type TokenSettings,
} from "../../src/formats/settings.ts";
import { parseValue } from "../../src/formats/stored-token.ts";
import { stepTime } from "../../src/formats/time-table.ts";
import type { TokenUser } from "../../src/ports/c2m.ts";
import { systemClock as clock } from "../../src/ports/clock.ts";
import { PermanentError, presentable } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import type { RotationContext } from "../../src/rotation/context.ts";
import type { BootstrapResult } from "../../src/rotation/steps/bootstrap.ts";
import { runBootstrap, runStep } from "../../src/rotation/steps/run-step.ts";
import { CredentialsCache } from "./credentials-cache.ts";
import { parseEvent, type RotationEvent } from "./event.ts";

const store = new SecretsManagerStore(new SecretsManagerClient(clientConfig()));
const credentials = new CredentialsCache(store, clock);
const settings = parseSettings(readFileSync(join(process.env.LAMBDA_TASK_ROOT ?? ".", "tokens.json"), "utf8"));

/** Runs one step of a rotation, or the bootstrap. */
export async function handler(
  event: unknown,
  lambda: { getRemainingTimeInMillis(): number },
): Promise<BootstrapResult | null> {
  const parsed = parseEvent(event);
  const token = settingsOf(settings, parsed.SecretId);
  const log = functionLog();
  const { baseUrl, clientId } = token;
  const issuer = createC2mClient({
    baseUrl,
    clientId,
    clock,
    credentials: () => credentialsFor(token, parsed.SecretId),
  });
  const context: RotationContext = {
    arn: parsed.SecretId,
    store,
    issuer,
    c2mAt: (said) => c2mAt(token, said),
    clock,
    log,
    settings: token,
    siblings: siblingsOf(settings, token),
    randomId: randomUUID,
    deadline: clock.now() + lambda.getRemainingTimeInMillis() - stepTime.answer,
  };
  try {
    return await run(context, parsed);
  } catch (error) {
    throw presentable(error);
  } finally {
    await issuer.close();
    log.publishMetrics();
  }
}

async function run(context: RotationContext, event: RotationEvent): Promise<BootstrapResult | null> {
  const { credentialsSecretId } = context.settings;
  try {
    if (event.Step === "bootstrap") {
      // It proves the credentials that are stored now, not those that a warm process still holds.
      if (credentialsSecretId !== undefined) credentials.drop(credentialsSecretId);
      return await runBootstrap(context);
    }
    await runStep(context, event.Step, {
      versionId: event.ClientRequestToken,
      rotationToken: event.RotationToken === undefined ? undefined : new Sensitive(event.RotationToken),
    });
    return null;
  } catch (error) {
    if (error instanceof PermanentError && credentialsSecretId !== undefined) credentials.drop(credentialsSecretId);
    throw error;
  }
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
    longToken: await currentToken(token, arn),
    ...(grantType === undefined ? {} : { grantType }),
  };
}

/** The token at AWSCURRENT; undefined where it belongs to another C2M than the settings', which gets nothing of it. */
async function currentToken(token: TokenSettings, arn: string): Promise<Sensitive | undefined> {
  const current = await store.readCurrent(arn);
  const parsed = current && parseValue(current.value);
  if (parsed?.kind !== "ours") return parsed?.token;
  return listedBaseUrl(token, parsed.token.baseUrl) === token.baseUrl ? parsed.token.accessToken : undefined;
}
