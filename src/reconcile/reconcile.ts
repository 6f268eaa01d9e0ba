import type { LedgerEntry, RotationLog } from "../formats/ledger.ts";
import { secretNameSaid, type TokenSettings } from "../formats/settings.ts";
import { type ParsedValue, parseValue } from "../formats/stored-token.ts";
import { RotationError } from "../ports/errors.ts";
import type { SecretDescription } from "../ports/secret-store.ts";
import type { SecretContext } from "../rotation/context.ts";
import { isSameToken } from "../rotation/same-token.ts";
import { act } from "./act.ts";
import { withoutCopies } from "./copies.ts";
import { logReport, type ReconcileReport, reportOf } from "./report.ts";
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
import type { Candidate, KnownVersion, Verdict } from "./situation.ts";
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
  const asked = context.secrets.filter(isAskedFor);
  const others = context.secrets.filter((one) => !isAskedFor(one));
  // First where the labels are, then the ledger: a promotion that the labels show is in the ledger, too.
  const described = await inParallel(asked, secretsAtOnce, (one) => describe(one, log));
  const ledgerFrom = request.scope === "all" ? 0 : now - recentMs;
  const { entries, unreadable } = await ledger.read(ledgerFrom);
  const entriesOf = entriesByName(entries);
  const mayPass = request.graceSeconds === undefined;
  let looked = await inParallel(described, secretsAtOnce, async (one): Promise<Looked> => {
    if ("failure" in one) return one;
    const { settings, context: own, secret } = one;
    return await orFailure(log, settings, async () => {
      const hasEntries = entriesOf.has(settings.secretName);
      const isUnread = mayPass && nothingHappened(secret, { settings, now, ledgerFrom, hasEntries });
      const look = isUnread ? unread(secret) : await lookAt(own, secret, request.scope);
      return { settings, context: own, look };
    });
  });
  const ofOthers = await inParallel(others, secretsAtOnce, ({ settings, parts }) =>
    orFailure(log, settings, async () => ({ versions: await currentOf(settings, parts) })),
  );
  const elsewhere = ofOthers.flatMap((read) => ("versions" in read ? read.versions : []));
  /** What is at AWSCURRENT of any secret, as far as it was read. */
  const heldNow = () => [...elsewhere, ...looked.flatMap(currentSeen)].map(({ parsed }) => parsed);
  const surveyAll = async () => {
    const currentElsewhere = heldNow();
    return await inParallel(looked, secretsAtOnce, async (one): Promise<Surveyed> => {
      if ("failure" in one) return one;
      const { settings, context: own, look } = one;
      return await orFailure(log, settings, async () => {
        const survey = surveyOf(look, {
          now: clock.now(),
          settings,
          ledger: entriesOf.get(settings.secretName) ?? [],
          ledgerFrom,
          graceSeconds: request.graceSeconds,
          currentElsewhere,
          stepMs: context.stepMs,
        });
        return { settings, context: own, survey };
      });
    });
  };
  let surveyed = await surveyAll();
  // What one secret holds now is spared in all others, so where a token is to go, or can't, each is read.
  if (surveyed.some((one) => "survey" in one && leaves(one.survey.verdict).length > 0)) {
    looked = await inParallel(looked, secretsAtOnce, (one) => withCurrent(one, log));
    // One at which the run could not look may hold it, too: it is asked once more for that alone.
    const failed = new Set(looked.filter((one) => "failure" in one).map(({ settings }) => settings));
    const unseen = asked.filter(({ settings }) => failed.has(settings));
    elsewhere.push(...(await inParallel(unseen, secretsAtOnce, currentIfReadable)).flat());
    surveyed = await surveyAll();
  }
  const held = heldNow();
  const spared = await inParallel(surveyed, secretsAtOnce, (one) => sparingCopies(one, held, log));
  const waiting = spared.flatMap((one) => ("survey" in one ? one.survey.verdict.waiting : []));
  const due = spared.map((one) => withoutWaiting(one, waiting));
  const acted = await act(context, due);
  const run = { c2mCalls: context.budget.used, unreadable, now, paused: context.paused ?? false };
  const report = reportOf(request.scope, acted, run);
  logReport(log, report, acted);
  return report;
}

function leaves({ revoke, unrevocable }: Verdict): Candidate[] {
  return [...revoke, ...unrevocable];
}

async function sparingCopies(one: Surveyed, held: readonly ParsedValue[], log: RotationLog): Promise<Surveyed> {
  if (!("survey" in one)) return one;
  const { survey, context, settings } = one;
  return await orFailure(log, settings, async () => {
    const revoke = await withoutCopies(context, survey.verdict.revoke, held);
    return { ...one, survey: { ...survey, verdict: { ...survey.verdict, revoke } } };
  });
}

/** A token that two secrets hold is revoked when its time has come in both. */
function withoutWaiting(one: Surveyed, waitingAnywhere: readonly Candidate[]): Surveyed {
  if (!("survey" in one)) return one;
  const { revoke, waiting } = one.survey.verdict;
  const waits = (token: Candidate) => waitingAnywhere.some((other) => isSameToken(token, other));
  const verdict = {
    ...one.survey.verdict,
    revoke: revoke.filter((token) => !waits(token)),
    waiting: [...waiting, ...revoke.filter(waits)],
  };
  return { ...one, survey: { ...one.survey, verdict } };
}

async function describe({ settings, parts }: ListedSecret, log: RotationLog): Promise<Described> {
  return await orFailure(log, settings, async () => {
    const secret = await parts.store.describe(settings.secretName);
    return { settings, context: { ...parts, arn: secret.arn }, secret };
  });
}

/** The version at AWSCURRENT, where there is one. */
async function currentOf(settings: TokenSettings, { store }: Pick<SecretContext, "store">): Promise<KnownVersion[]> {
  const current = await store.readCurrent(settings.secretName);
  return current ? [{ versionId: current.versionId, parsed: parseValue(current.value) }] : [];
}

/** Why it can't be read was told before. */
async function currentIfReadable({ settings, parts }: ListedSecret): Promise<KnownVersion[]> {
  try {
    return await currentOf(settings, parts);
  } catch (error) {
    if (error instanceof RotationError) return [];
    throw error;
  }
}

function unread(secret: SecretDescription): Look {
  return { secret, versions: [], outlived: new Set(), current: undefined, isUnread: true };
}

/** With what is current, where a secret was not read. */
async function withCurrent(one: Looked, log: RotationLog): Promise<Looked> {
  if ("failure" in one || !one.look.isUnread) return one;
  return await orFailure(log, one.settings, async () => {
    const versions = await currentOf(one.settings, one.context);
    return { ...one, look: { ...one.look, versions, current: versions[0] } };
  });
}

function currentSeen(one: Looked): KnownVersion[] {
  return "look" in one && one.look.current ? [one.look.current] : [];
}

/** By the secret's name. */
export function entriesByName(entries: readonly LedgerEntry[]): Map<string, LedgerEntry[]> {
  return Map.groupBy(entries, ({ fields }) => secretNameSaid(fields.secret));
}
