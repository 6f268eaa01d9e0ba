import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { clientConfig } from "../../src/aws/client-config.ts";
import { CloudWatchLedger } from "../../src/aws/cloudwatch-ledger.ts";
import { functionLog, ledgerFault } from "../../src/aws/function-log.ts";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { connectTokenUser } from "../../src/c2m/connect.ts";
import type { LedgerFault } from "../../src/formats/ledger.ts";
import { listedBaseUrl, parseSettings, type TokenSettings } from "../../src/formats/settings.ts";
import { reconcilerTimeoutSeconds, stepTime } from "../../src/formats/time-table.ts";
import type { TokenUser } from "../../src/ports/c2m.ts";
import { systemClock as clock } from "../../src/ports/clock.ts";
import { PermanentError, presentable } from "../../src/ports/errors.ts";
import { CallBudget } from "../../src/reconcile/call-budget.ts";
import { reconcile } from "../../src/reconcile/reconcile.ts";
import type { ReconcileReport } from "../../src/reconcile/report.ts";
import type { ListedSecret } from "../../src/reconcile/run.ts";
import type { Scope } from "../../src/reconcile/survey.ts";
import { parseEvent } from "./event.ts";

/** What C2M's documents let through of auth calls from one address. */
const callsPerMinute = 10;

/** Calls to C2M that a run may make: what C2M lets through in its time, but for the last half minute. */
const callBudget = Math.floor(((reconcilerTimeoutSeconds - 30) / 60) * callsPerMinute);

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
  refuseUnlisted(secrets ?? []);
  const listed = Object.entries(settings.tokens).map(([secretName, entry]): ListedSecret => {
    const token = { ...entry, secretName };
    return { settings: token, parts: { store, c2mAt: (said) => c2mAt(token, said), clock, log, deadline } };
  });
  const stepMs = settings.rotatorTimeoutSeconds * 1_000;
  try {
    const report = await reconcile(
      { clock, log, ledger, budget, deadline, secrets: listed, paused: settings.paused, stepMs },
      { scope: scope ?? defaultScope(graceSeconds), graceSeconds, only: secrets },
    );
    refuseLost(ledgerFault(process.env));
    return report;
  } catch (error) {
    throw presentable(error);
  } finally {
    log.publishMetrics();
  }
}

/** What was due is done, but nobody hears of it: a run that fails rings. */
function refuseLost(fault: LedgerFault | undefined): void {
  if (!fault) return;
  const { what, remedy } = fault;
  throw new PermanentError("ledger_dropped", `${what}, which say what this run did, and its figures. ${remedy}`);
}

// Whoever ends the grace by hand means every superseded token, however old.
function defaultScope(graceSeconds: number | undefined): Scope {
  return graceSeconds === undefined ? "recent" : "all";
}

function refuseUnlisted(names: readonly string[]): void {
  const unknown = names.filter((name) => !Object.hasOwn(settings.tokens, name));
  if (unknown.length === 0) return;
  throw new PermanentError(
    "secret_not_listed",
    `secrets: ${unknown.map((name) => JSON.stringify(name)).join(", ")} is not listed in this function's settings.`,
  );
}
