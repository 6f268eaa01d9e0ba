import { createHash } from "node:crypto";
import type { Ledger, LedgerEntry, RotationLog } from "../formats/ledger.ts";
import type { Clock } from "../ports/clock.ts";
import { RetryableError, told } from "../ports/errors.ts";
import type { SecretDescription } from "../ports/secret-store.ts";
import type { RotationContext } from "../rotation/context.ts";
import { proveToken } from "../rotation/prove.ts";
import { revoke } from "../rotation/revoke.ts";
import type { CallBudget } from "./call-budget.ts";
import { describeSurvey, emptyReport, type ReconcileReport, type SecretReport, sayCompleted } from "./report.ts";
import type { Candidate } from "./rule.ts";
import { detachStuck, type Scope, type Survey, surveySecret } from "./survey.ts";

/** How far back a run reads the ledger, in ms: so many runs may be missed before the daily one is needed. */
const recentMs = 6 * 3_600_000;

/** Secrets looked at, and tokens revoked, at the same time. */
const concurrency = { secrets: 10, c2m: 2 };

/** Kept back of the function's time for the report, in ms. */
const reserveMs = 10_000;

/**
 * How long a current token may be tried until it works, in ms: it was proven before, and others wait. Longer than the
 * minute for which C2M sends callers away.
 */
const proofMs = 90_000;

export interface ReconcileContext {
  clock: Clock;
  log: RotationLog;
  ledger: Ledger;
  /** Shared by all secrets of the run. */
  budget: CallBudget;
  /** Epoch ms at which the function is killed. */
  deadline: number;
  /** The parts for one secret; their C2M is within the budget. */
  contexts: readonly RotationContext[];
  /** The time that Lambda gives the rotator, in ms. */
  stepMs: number;
}

export interface ReconcileRequest {
  /** `all` reads the whole ledger and every version. */
  scope: Scope;
  /** In place of each secret's own grace: 0 ends it at once, after a leak. */
  graceSeconds?: number | undefined;
  /** Proves every current token, not only those whose hour it is. */
  proveAll?: boolean;
}

interface Work {
  context: RotationContext;
  report: SecretReport;
  secret?: SecretDescription;
  survey?: Survey;
}

/**
 * Brings every listed secret to where nothing lives that should not, and measures it. Level-triggered: nothing depends
 * on a step having been the last to run. Never issues and never promotes. One secret's failure does not stop the
 * others; the oldest tokens are revoked first, so that a run which is cut off starves nobody.
 */
export async function reconcile(context: ReconcileContext, request: ReconcileRequest): Promise<ReconcileReport> {
  const { clock, ledger, log } = context;
  const now = clock.now();
  const ledgerFrom = request.scope === "all" ? 0 : now - recentMs;
  const works: Work[] = context.contexts.map((own) => ({ context: own, report: emptyReport(own.settings.secretName) }));
  // First where the labels are, then the ledger: a promotion that the labels show is in the ledger, too.
  await inParallel(works, concurrency.secrets, (work) =>
    guarded(work, log, async () => {
      work.secret = await work.context.store.describe(work.context.settings.secretName);
    }),
  );
  const entries = groupBySecret(await ledger.read(ledgerFrom));
  const described = works.flatMap((work) => (work.secret ? [{ work, secret: work.secret }] : []));
  await inParallel(described, concurrency.secrets, ({ work, secret }) =>
    guarded(work, log, async () => {
      const graceSeconds = request.graceSeconds ?? work.context.settings.graceSeconds;
      work.survey = await surveySecret(work.context, {
        secret,
        scope: request.scope,
        ledger: entries.get(secret.arn) ?? [],
        ledgerFrom,
        graceMs: graceSeconds * 1_000,
        stepMs: context.stepMs,
      });
      describeSurvey(work.report, work.survey, now);
      await detachStuck(work.context, work.survey);
      work.report.detached = work.survey.verdict.detach.map(({ versionId }) => versionId);
    }),
  );
  await revokeDue(context, works);
  const due = dueProofs(works, now, request.proveAll ?? false);
  await inParallel(due, concurrency.c2m, (work) => guarded(work, log, () => proveCurrent(work)));
  const report = { scope: request.scope, c2mCalls: context.budget.used, secrets: works.map((work) => work.report) };
  sayCompleted(log, report, works);
  return report;
}

async function revokeDue(context: ReconcileContext, works: Work[]): Promise<void> {
  const tasks = works.flatMap((work) =>
    work.context.settings.revocation
      ? (work.survey?.verdict.revoke ?? []).map((candidate) => ({ work, candidate }))
      : [],
  );
  tasks.sort((one, other) => expiryOf(one.candidate) - expiryOf(other.candidate));
  await inParallel(tasks, concurrency.c2m, ({ work, candidate }) =>
    guarded(work, context.log, async () => {
      work.report.backlog += 1;
      if (context.clock.now() > context.deadline - reserveMs) {
        throw new RetryableError("time_spent", "The run's time is up. The next one goes on.");
      }
      const arn = work.survey?.secret.arn ?? "";
      const outcome = await revoke(work.context, arn, candidate);
      work.report.backlog -= 1;
      if (outcome === "revoked") work.report.revoked.push(candidate.tokenId ?? "");
      else work.report.unrevocable.push({ tokenId: candidate.tokenId, expiresAt: candidate.expiresAt });
    }),
  );
}

/** Those whose hour it is, each day in another order, so that a budget that does not last leaves out others each day. */
function dueProofs(works: Work[], now: number, all: boolean): Work[] {
  const [hour, day] = [new Date(now).getUTCHours(), Math.floor(now / 86_400_000)];
  const rank = ({ context }: Work) => digest(`${context.settings.secretName} ${day}`).readUInt32BE();
  return works
    .filter(({ context }) => all || hourOfProof(context.settings.secretName) === hour)
    .sort((one, other) => rank(one) - rank(other));
}

/** Exchanges the current token: it works, or somebody has to know. */
async function proveCurrent({ context, survey, report }: Work): Promise<void> {
  const { current, secret } = survey ?? {};
  if (!secret || current?.parsed.kind !== "ours") return;
  const { token } = current.parsed;
  const deadline = Math.min(context.deadline - reserveMs, context.clock.now() + proofMs);
  const works = (await proveToken({ ...context, deadline }, token, 0)) === "works";
  // Without a grace period, a rotation since the survey is reason enough for a rejection.
  if (!works && (await context.store.readCurrent(secret.arn))?.versionId !== current.versionId) return;
  report.currentWorks = works;
  context.log.event(report.currentWorks ? "token.proven" : "token.rejected", {
    secret: secret.arn,
    version_id: current.versionId,
    token_id: token.tokenId,
    expires_at: token.expiresAt,
  });
}

/** Does a part of the work on a secret; what goes wrong is told and does not stop the others. */
async function guarded({ context, report }: Work, log: RotationLog, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const failure = told(error);
    report.error ??= failure;
    log.event("reconcile.failed", { secret: context.settings.secretName, ...failure });
  }
}

function groupBySecret(entries: LedgerEntry[]): Map<string, LedgerEntry[]> {
  return Map.groupBy(entries, ({ fields }) => fields.secret);
}

/** The hour of the day (UTC) in which a secret's token is proven: spread, so that C2M is not called by all at once. */
export function hourOfProof(secretName: string): number {
  return (digest(secretName)[0] ?? 0) % 24;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

// Tokens of one secret live equally long, so the first to expire is the oldest.
function expiryOf({ expiresAt }: Candidate): number {
  return expiresAt === undefined ? 0 : Date.parse(expiresAt);
}

async function inParallel<Item>(items: Item[], limit: number, run: (item: Item) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async () => {
    for (const item of queue) await run(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
