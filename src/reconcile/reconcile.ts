import type { LedgerEntry, RotationLog } from "../formats/ledger.ts";
import { secretNameSaid, type TokenSettings } from "../formats/settings.ts";
import { type ParsedValue, parseValue } from "../formats/stored-token.ts";
import type { SecretDescription } from "../ports/secret-store.ts";
import type { SecretContext } from "../rotation/context.ts";
import { isSameToken } from "../rotation/same-token.ts";
import { act } from "./act.ts";
import { withoutCopies } from "./copies.ts";
import { logReport, type ReconcileReport, reportOf } from "./report.ts";
import type { Candidate, Verdict } from "./revocation-rule.ts";
import {
  type Described,
  inParallel,
  type ListedSecret,
  type Looked,
  orFailure,
  type ReconcileContext,
  type ReconcileRequest,
  type Surveyed,
} from "./run.ts";
import { type Look, lookAt, nothingHappened, surveyOf } from "./survey.ts";

/** How far back a run reads the ledger, in ms: so many runs may be missed before the daily one is needed. */
const recentMs = 6 * 3_600_000;

/** Secrets looked at, at the same time. */
const secretsAtOnce = 10;

/**
 * Brings every listed secret to where nothing lives that should not, and measures it: describe, look, survey, act,
 * report. Level-triggered: nothing depends on a step having been the last to run. Never issues and never promotes.
 */
export async function reconcile(context: ReconcileContext, request: ReconcileRequest): Promise<ReconcileReport> {
  const { clock, ledger, log } = context;
  const isAskedFor = ({ settings }: ListedSecret) => request.only?.includes(settings.secretName) ?? true;
  const now = clock.now();
  const [asked, others] = [context.secrets.filter(isAskedFor), context.secrets.filter((one) => !isAskedFor(one))];
  // First where the labels are, then the ledger: a promotion that the labels show is in the ledger, too.
  const described = await inParallel(asked, secretsAtOnce, (one) => describe(one, log));
  const ledgerFrom = request.scope === "all" ? 0 : now - recentMs;
  const { entries, unreadable } = await ledger.read(ledgerFrom);
  const entriesOf = entriesByName(entries);
  const mayPass = request.scope === "recent" && request.graceSeconds === undefined;
  const looked = await inParallel(described, secretsAtOnce, async (one): Promise<Looked> => {
    if ("failure" in one) return one;
    const { settings, context: own, secret } = one;
    return await orFailure(log, settings, async () => {
      const hasEntries = entriesOf.has(settings.secretName);
      const isUnread = mayPass && nothingHappened(secret, { settings, now, ledgerFrom, hasEntries });
      const look = isUnread ? unread(secret) : await lookAt(own, secret, request.scope);
      return { settings, context: own, look };
    });
  });
  const elsewhere = (await inParallel(others, secretsAtOnce, (one) => readCurrent(one.settings, one.parts, log))).map(
    (read) => ("value" in read ? read.value : undefined),
  );
  const elsewhereOf = (one: Looked | Surveyed, all: readonly (Looked | Surveyed)[]) =>
    [...elsewhere, ...all.map((other) => (other === one ? undefined : currentOf(other)))].filter(
      (value) => value !== undefined,
    );
  const surveysOf = (all: readonly Looked[]) =>
    inParallel(all, secretsAtOnce, async (one): Promise<Surveyed> => {
      if ("failure" in one) return one;
      const { settings, context: own, look } = one;
      return await orFailure(log, settings, async () => {
        const survey = surveyOf(look, {
          now: clock.now(),
          settings,
          ledger: entriesOf.get(settings.secretName) ?? [],
          ledgerFrom,
          graceSeconds: request.graceSeconds,
          currentElsewhere: elsewhereOf(one, all),
          stepMs: context.stepMs,
        });
        return { settings, context: own, survey };
      });
    });
  let surveyed = await surveysOf(looked);
  // What one secret holds now is spared in all others, so where a token is to go, or can't, each is read.
  if (surveyed.some((one) => "survey" in one && leaves(one.survey.verdict).length > 0)) {
    surveyed = await surveysOf(await inParallel(looked, secretsAtOnce, (one) => withCurrent(one, log)));
  }
  const all = surveyed;
  const spared = await inParallel(all, secretsAtOnce, (one) => sparingCopies(one, elsewhereOf(one, all), log));
  const due = spared.map((one) => withoutWaitingElsewhere(one, spared));
  const acted = await act(context, due);
  const run = { c2mCalls: context.budget.used, unreadable, now, paused: context.paused ?? false };
  const report = reportOf(request.scope, due, acted, run);
  logReport(log, report, due, acted);
  return report;
}

function leaves({ revoke, unrevocable }: Verdict): Candidate[] {
  return [...revoke, ...unrevocable];
}

async function sparingCopies(one: Surveyed, elsewhere: readonly ParsedValue[], log: RotationLog): Promise<Surveyed> {
  if (!("survey" in one)) return one;
  const { survey, context, settings } = one;
  return await orFailure(log, settings, async () => {
    const revoke = await withoutCopies(context, survey.verdict.revoke, elsewhere);
    return { ...one, survey: { ...survey, verdict: { ...survey.verdict, revoke } } };
  });
}

/** A token that two secrets hold is revoked when its time has come in both. */
function withoutWaitingElsewhere(one: Surveyed, all: readonly Surveyed[]): Surveyed {
  if (!("survey" in one) || one.survey.verdict.revoke.length === 0) return one;
  const elsewhere = all.flatMap((other) => (other !== one && "survey" in other ? other.survey.verdict.waiting : []));
  const [waiting, revoke] = [true, false].map((waits) =>
    one.survey.verdict.revoke.filter((token) => elsewhere.some((other) => isSameToken(token, other)) === waits),
  ) as [Candidate[], Candidate[]];
  const verdict = { ...one.survey.verdict, revoke, waiting: [...one.survey.verdict.waiting, ...waiting] };
  return { ...one, survey: { ...one.survey, verdict } };
}

async function describe({ settings, parts }: ListedSecret, log: RotationLog): Promise<Described> {
  return await orFailure(log, settings, async () => {
    const secret = await parts.store.describe(settings.secretName);
    return { settings, context: { ...parts, arn: secret.arn }, secret };
  });
}

async function readCurrent(settings: TokenSettings, { store }: Pick<SecretContext, "store">, log: RotationLog) {
  return await orFailure(log, settings, async () => {
    const current = await store.readCurrent(settings.secretName);
    return { versionId: current?.versionId ?? "", value: current && parseValue(current.value) };
  });
}

function unread(secret: SecretDescription): Look {
  return { secret, versions: [], outlived: new Set(), current: undefined, isUnread: true };
}

/** With what is current, where a secret was not read. */
async function withCurrent(one: Looked, log: RotationLog): Promise<Looked> {
  if ("failure" in one || !one.look.isUnread) return one;
  const read = await readCurrent(one.settings, one.context, log);
  if (!("value" in read)) return read;
  const current = read.value && { versionId: read.versionId, parsed: read.value };
  return { ...one, look: { ...one.look, current, versions: current ? [current] : [] } };
}

function currentOf(one: Looked | Surveyed): ParsedValue | undefined {
  if ("look" in one) return one.look.current?.parsed;
  return "survey" in one ? one.survey.current?.parsed : undefined;
}

/** By the secret's name. */
export function entriesByName(entries: readonly LedgerEntry[]): Map<string, LedgerEntry[]> {
  return Map.groupBy(entries, ({ fields }) => secretNameSaid(fields.secret));
}
