import type { LedgerEntry, RotationLog } from "../formats/ledger.ts";
import { secretNameOf } from "../formats/settings.ts";
import { act } from "./act.ts";
import { logReport, type ReconcileReport, reportOf } from "./report.ts";
import {
  type Described,
  inParallel,
  type ListedSecret,
  orFailure,
  type ReconcileContext,
  type ReconcileRequest,
  type Surveyed,
} from "./run.ts";
import { surveySecret } from "./survey.ts";

/** How far back a run reads the ledger, in ms: so many runs may be missed before the daily one is needed. */
const recentMs = 6 * 3_600_000;

/** Secrets looked at, at the same time. */
const secretsAtOnce = 10;

/**
 * Brings every listed secret to where nothing lives that should not, and measures it: describe, survey, act, report.
 * Level-triggered: nothing depends on a step having been the last to run. Never issues and never promotes.
 */
export async function reconcile(context: ReconcileContext, request: ReconcileRequest): Promise<ReconcileReport> {
  const { clock, ledger, log, secrets } = context;
  const now = clock.now();
  // First where the labels are, then the ledger: a promotion that the labels show is in the ledger, too.
  const described = await inParallel(secrets, secretsAtOnce, (one) => describe(one, log));
  const ledgerFrom = request.scope === "all" ? 0 : now - recentMs;
  const { entries, unreadable } = await ledger.read(ledgerFrom);
  const entriesOf = entriesByName(entries);
  const surveyed = await inParallel(described, secretsAtOnce, async (one): Promise<Surveyed> => {
    if ("failure" in one) return one;
    const { settings, context: own, secret } = one;
    return await orFailure(log, settings, async () => {
      const survey = await surveySecret(own, {
        secret,
        scope: request.scope,
        ledger: entriesOf.get(settings.secretName) ?? [],
        ledgerFrom,
        graceMs: (request.graceSeconds ?? settings.graceSeconds) * 1_000,
        pendingMaxAgeMs: settings.pendingMaxAgeSeconds * 1_000,
        stepMs: context.stepMs,
      });
      return { settings, context: own, survey };
    });
  });
  const acted = await act(context, surveyed);
  const report = reportOf(request.scope, surveyed, acted, { c2mCalls: context.budget.used, unreadable, now });
  logReport(log, report, surveyed, acted);
  return report;
}

async function describe({ settings, parts }: ListedSecret, log: RotationLog): Promise<Described> {
  return await orFailure(log, settings, async () => {
    const secret = await parts.store.describe(settings.secretName);
    return { settings, context: { ...parts, arn: secret.arn }, secret };
  });
}

/** By the secret's name: a secret that was deleted and made again has another ARN, and its old tokens are its own. */
function entriesByName(entries: readonly LedgerEntry[]): Map<string, LedgerEntry[]> {
  return Map.groupBy(entries, ({ fields }) => secretNameOf(fields.secret) ?? fields.secret);
}
