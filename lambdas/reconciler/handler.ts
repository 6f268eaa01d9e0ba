import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as timers from "node:timers/promises";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { clientConfig } from "../../src/aws/client-config.ts";
import { CloudWatchLedger } from "../../src/aws/cloudwatch-ledger.ts";
import { functionLog } from "../../src/aws/function-log.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { createBearerClient } from "../../src/c2m/bearer-client.ts";
import { parseSettings, type TokenSettings } from "../../src/formats/settings.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { PermanentError, presentable } from "../../src/ports/errors.ts";
import { CallBudget } from "../../src/reconcile/call-budget.ts";
import { reconcile } from "../../src/reconcile/reconcile.ts";
import type { ReconcileReport } from "../../src/reconcile/report.ts";
import type { Scope } from "../../src/reconcile/survey.ts";
import type { RotationContext } from "../../src/rotation/context.ts";
import { parseEvent, type ReconcileEvent } from "./event.ts";

/** Calls to C2M that a run may make, retries of one call not counted. */
const callBudget = 100;

/** The hour (UTC) of the daily run that looks at everything. */
const hourOfAll = 3;

/** Kept back of the function's time for writing the log and answering, in ms. */
const answerMs = 1_000;

/** A page of a large log takes CloudWatch seconds to look through. In ms. */
const ledgerTimeoutMs = 30_000;

const clock: Clock = { now: () => Date.now(), sleep: (ms) => timers.setTimeout(ms) };
const store = new SecretsManagerStore(new SecretsManagerClient(clientConfig()));
const ledger = new CloudWatchLedger(
  new CloudWatchLogsClient(clientConfig(ledgerTimeoutMs)),
  process.env.AWS_LAMBDA_LOG_GROUP_NAME ?? "",
);
const settings = parseSettings(readFileSync(join(process.env.LAMBDA_TASK_ROOT ?? ".", "tokens.json"), "utf8"));

/** Brings every listed secret to where nothing lives that should not; resolves with what it did and found. */
export async function handler(
  event: unknown,
  lambda: { getRemainingTimeInMillis(): number },
): Promise<ReconcileReport> {
  const { scope, graceSeconds, secrets } = parseEvent(event);
  const log = functionLog();
  const budget = new CallBudget(callBudget);
  const deadline = clock.now() + lambda.getRemainingTimeInMillis() - answerMs;
  const contexts = listed(secrets).map(
    (token): RotationContext => ({
      store,
      // It revokes and exchanges with the tokens themselves: its role can't read the client's credentials.
      c2m: budget.limit(createBearerClient({ baseUrl: token.baseUrl, clientId: token.clientId, clock })),
      clock,
      log,
      settings: token,
      randomId: randomUUID,
      deadline,
    }),
  );
  const stepMs = settings.rotatorTimeoutSeconds * 1_000;
  try {
    return await reconcile(
      { clock, log, ledger, budget, deadline, contexts, stepMs },
      { scope: scope ?? defaultScope(graceSeconds), graceSeconds },
    );
  } catch (error) {
    throw presentable(error);
  } finally {
    log.publishMetrics();
  }
}

// Whoever ends the grace by hand means every superseded token, however old.
function defaultScope(graceSeconds: number | undefined): Scope {
  return graceSeconds !== undefined || new Date(clock.now()).getUTCHours() === hourOfAll ? "all" : "recent";
}

function listed(names: ReconcileEvent["secrets"]): TokenSettings[] {
  const all = Object.entries(settings.tokens).map(([secretName, entry]) => ({ ...entry, secretName }));
  if (!names) return all;
  const unknown = names.filter((name) => !Object.hasOwn(settings.tokens, name));
  if (unknown.length > 0) {
    throw new PermanentError(
      "secret_not_listed",
      `secrets: ${unknown.map((name) => JSON.stringify(name)).join(", ")} is not listed in this function's settings.`,
    );
  }
  return all.filter(({ secretName }) => names.includes(secretName));
}
