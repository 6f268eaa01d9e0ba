import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as timers from "node:timers/promises";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { clientConfig } from "../../src/aws/client-config.ts";
import { functionLog } from "../../src/aws/function-log.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { createC2mClient } from "../../src/c2m/client.ts";
import { parseSettings, settingsOf, type TokenSettings } from "../../src/formats/settings.ts";
import type { C2m } from "../../src/ports/c2m.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { PermanentError, presentable } from "../../src/ports/errors.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import type { RotationContext } from "../../src/rotation/context.ts";
import type { BootstrapResult } from "../../src/rotation/steps/bootstrap.ts";
import { runBootstrap, runStep } from "../../src/rotation/steps/run-step.ts";
import { CredentialsCache } from "./credentials-cache.ts";
import { parseEvent, type RotationEvent } from "./event.ts";

/** Kept back of the function's time for writing the log and answering, in ms. */
const answerMs = 1_000;

const clock: Clock = { now: () => Date.now(), sleep: (ms) => timers.setTimeout(ms) };
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
  const deadline = clock.now() + lambda.getRemainingTimeInMillis() - answerMs;
  const context: RotationContext = {
    store,
    c2m: c2mFor(token),
    clock,
    log,
    settings: token,
    randomId: randomUUID,
    deadline,
  };
  try {
    return await run(context, parsed);
  } catch (error) {
    throw presentable(error);
  } finally {
    log.publishMetrics();
  }
}

async function run(context: RotationContext, event: RotationEvent): Promise<BootstrapResult | null> {
  const { credentialsSecretId } = context.settings;
  try {
    if (event.Step === "bootstrap") {
      // It proves the credentials that are stored now, not those that a warm process still holds.
      if (credentialsSecretId !== undefined) credentials.drop(credentialsSecretId);
      return await runBootstrap(context, event.SecretId);
    }
    await runStep(context, event.Step, {
      secretId: event.SecretId,
      versionId: event.ClientRequestToken,
      rotationToken: event.RotationToken === undefined ? undefined : new Sensitive(event.RotationToken),
    });
    return null;
  } catch (error) {
    if (error instanceof PermanentError && credentialsSecretId !== undefined) credentials.drop(credentialsSecretId);
    throw error;
  }
}

function c2mFor({ baseUrl, clientId, credentialsSecretId, shortTokenGrantType }: TokenSettings): C2m {
  return createC2mClient({
    baseUrl,
    clientId,
    clock,
    credentials: async () =>
      credentialsSecretId === undefined
        ? {
            mechanism: "short_token",
            clientId,
            ...(shortTokenGrantType === undefined ? {} : { grantType: shortTokenGrantType }),
          }
        : await credentials.get(credentialsSecretId),
  });
}
