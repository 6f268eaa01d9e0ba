import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { clientConfig } from "../../src/aws/client-config.ts";
import { CloudWatchLedger } from "../../src/aws/cloudwatch-ledger.ts";
import { functionLog } from "../../src/aws/function-log.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { connectTokenUser } from "../../src/c2m/connect.ts";
import { listedBaseUrl, parseSettings, type TokenSettings } from "../../src/formats/settings.ts";
import { stepTime } from "../../src/formats/time-table.ts";
import type { TokenUser } from "../../src/ports/c2m.ts";
import { systemClock as clock } from "../../src/ports/clock.ts";
import { PermanentError, presentable } from "../../src/ports/errors.ts";
import { CallBudget } from "../../src/reconcile/call-budget.ts";
import { reconcile } from "../../src/reconcile/reconcile.ts";
import type { ReconcileReport } from "../../src/reconcile/report.ts";
import type { ListedSecret } from "../../src/reconcile/run.ts";
import type { Scope } from "../../src/reconcile/survey.ts";
import { parseEvent, type ReconcileEvent } from "./event.ts";

/** Calls to C2M that a run may make, retries of one call not counted. */
const callBudget = 100;

/** The hour (UTC) of the daily run that looks at everything. */
const hourOfAll = 3;

/** A page of a large log takes CloudWatch seconds to look through. In ms. */
const ledgerTimeoutMs = 30_000;

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
  const deadline = clock.now() + lambda.getRemainingTimeInMillis() - stepTime.answer;
  // It revokes and exchanges with the tokens themselves: its role can't read the client's credentials.
  const c2mAt = (token: TokenSettings, said: string | undefined): TokenUser | undefined => {
    const baseUrl = listedBaseUrl(token, said);
    return baseUrl === undefined ? undefined : budget.limit(connectTokenUser({ baseUrl, clock }));
  };
  const listed = listedSecrets(secrets).map(
    (token): ListedSecret => ({
      settings: token,
      parts: { store, c2mAt: (said) => c2mAt(token, said), clock, log, deadline },
    }),
  );
  const stepMs = settings.rotatorTimeoutSeconds * 1_000;
  try {
    return await reconcile(
      { clock, log, ledger, budget, deadline, secrets: listed, stepMs },
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

function listedSecrets(names: ReconcileEvent["secrets"]): TokenSettings[] {
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
