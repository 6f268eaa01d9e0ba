import { createHash } from "node:crypto";
import { tokenFields } from "../formats/ledger.ts";
import { metricNames } from "../formats/metrics.ts";
import type { TokenSettings } from "../formats/settings.ts";
import { RetryableError, RotationError } from "../ports/errors.ts";
import type { SecretContext } from "../rotation/context.ts";
import { detachPending } from "../rotation/detach.ts";
import { askWhetherWorks } from "../rotation/exchange.ts";
import { ruleOutRollback } from "../rotation/going-back.ts";
import { isOld, proveToken } from "../rotation/prove.ts";
import { revoke } from "../rotation/revoke.ts";
import { idsOf, isSameToken } from "../rotation/same-token.ts";
import { expiryOf } from "./revocation-rule.ts";
import { type Failure, inParallel, orFailure, type ReconcileContext, type Surveyed } from "./run.ts";
import type { Candidate } from "./situation.ts";
import { isProofDue, type Survey } from "./survey.ts";

/** Calls to C2M under way at the same time. */
const callsAtOnce = 2;

/** Kept back of the function's time for the report, in ms. */
const reserveMs = 10_000;

/**
 * How long a current token may be tried until it works, in ms: it was proven before, and others wait. Longer than the
 * minute for which C2M sends callers away.
 */
const proofMs = 90_000;

/** A 404 without C2M's code that lasts for so long is not going to change. In ms. */
const notFoundMs = 24 * 3_600_000;

/** What became of a token that was to be revoked. */
export interface Revoked {
  candidate: Candidate;
  outcome:
    | "revoked"
    /** So says something that need not be C2M: a later run looks. */
    | "claimed"
    | "unrevocable"
    /** The next run tries again. */
    | "later"
    /** A change freeze. */
    | "paused"
    /** C2M rejects the current token, and this is the newest before it. */
    | "kept"
    /** Nobody can tell whether it is dead. */
    | "unseen";
}

/** A revoked token that was looked for: seen dead, seen alive, or neither. */
export interface Death {
  candidate: Candidate;
  seen: "dead" | "alive" | "neither";
}

/** What a run did about one secret, whatever of it failed. */
export interface Acted {
  /** What it was done upon. */
  surveyed: Surveyed;
  detached: string[];
  revocations: Revoked[];
  /** Whether the current token works; undefined when C2M was not asked. */
  currentWorks: boolean | undefined;
  deaths: Death[];
  failures: Failure[];
}

type Of = Extract<Surveyed, { survey: Survey }>;

/**
 * Does what the surveys ask for: names the tokens that the ledger does not name, detaches, then revokes, the first to expire
 * first, so that a run which is cut off starves nobody; then it proves current tokens, and last it looks for the revoked
 * ones. Resolves with what was done, secret by secret.
 */
export async function act(run: ReconcileContext, surveyed: readonly Surveyed[]): Promise<Acted[]> {
  const looked = surveyed.filter((one) => "survey" in one);
  const currents = new CurrentProofs(run);
  for (const { context, survey } of looked) {
    for (const token of survey.verdict.found) {
      context.log.event("token.found", { version_id: token.versionId, ...tokenFields(context.arn, token) });
    }
  }
  const detached = await inParallel(looked, callsAtOnce, (one) => detach(run, one));
  const revocations = await revokeDue(run, looked, currents);
  const proofs = await inParallel(dueProofs(looked, run.clock.now()), callsAtOnce, (one) =>
    orFailure(run.log, one.settings, () => currents.worksNow(one)),
  );
  const unanswered = proofs.filter((end) => typeof end === "object");
  const due = looked.flatMap((of) => of.survey.verdict.deaths.map((candidate) => ({ of, candidate })));
  const deaths = await inParallel(due, callsAtOnce, (one) => seeDead(run, one));
  return surveyed.map((one): Acted => {
    const detachments = detached.filter(({ of }) => of === one);
    const mine = revocations.filter(({ of }) => of === one);
    const failed = unanswered.filter(({ settings }) => settings === one.settings);
    return {
      surveyed: one,
      detached: detachments.flatMap(({ versionIds }) => versionIds),
      revocations: mine,
      currentWorks: currents.found(one),
      deaths: deaths.filter(({ of }) => of === one),
      failures: [one, ...detachments, ...mine, ...failed].flatMap((part) =>
        "failure" in part && part.failure ? [part.failure] : [],
      ),
    };
  });
}

/** Takes AWSPENDING off the versions that no rotation will finish. Their tokens are revoked by a later run. */
async function detach(run: ReconcileContext, of: Of) {
  const { context, settings, survey } = of;
  const versionIds: string[] = [];
  const end = await orFailure(run.log, settings, async () => {
    for (const { versionId, reason } of run.paused ? [] : survey.verdict.detach) {
      await detachPending(context, versionId, reason);
      versionIds.push(versionId);
    }
    return undefined;
  });
  return { of, versionIds, failure: end?.failure };
}

async function revokeDue(run: ReconcileContext, looked: readonly Of[], currents: CurrentProofs) {
  const due = looked.flatMap((of) =>
    of.settings.revocation ? of.survey.verdict.revoke.map((candidate) => ({ of, candidate })) : [],
  );
  due.sort((one, other) => expiryOf(one.candidate) - expiryOf(other.candidate));
  return await inParallel(due, callsAtOnce, async ({ of, candidate }) => {
    const end = await orFailure(run.log, of.settings, () => revokeOne(run, of, candidate, currents));
    return typeof end === "string"
      ? { of, candidate, outcome: end, failure: undefined }
      : { of, candidate, outcome: "later" as const, failure: end.failure };
  });
}

async function revokeOne(
  run: ReconcileContext,
  of: Of,
  candidate: Candidate,
  currents: CurrentProofs,
): Promise<Revoked["outcome"]> {
  if (run.paused) return "paused";
  if (run.clock.now() > run.deadline - reserveMs) {
    throw new RetryableError("time_spent", "The run's time is up. The next one goes on.");
  }
  const { context, survey } = of;
  // Before a superseded token goes: is the current one any good? No answer puts it off.
  const isThis = (other: Candidate | undefined) => other !== undefined && isSameToken(other, candidate);
  // C2M may have given it twice: then two versions hold it.
  if (survey.verdict.superseded.some(isThis) && isThis(await currents.instead(of))) {
    const reason = "C2M rejects the current token, and this is the newest one before it";
    context.log.event("token.kept", { ...tokenFields(context.arn, candidate), reason });
    return "kept";
  }
  await ruleOutRollback(context, survey.secret, candidate.versionId);
  const revocation = await revoke(context, candidate);
  switch (revocation) {
    case "not_found":
      return await decideNotFound(run, context, candidate);
    case "claimed":
      if (!candidate.isDoubtful || !candidate.isLost) return "claimed";
      nobodyCanTell(context, candidate, "what is no word of C2M's says so for the second time");
      return "unseen";
    case "unrevocable":
      if (!currents.sawDead(candidate) && !(await isDead(run, context, candidate))) return "unrevocable";
      logDead(context, candidate);
      return "revoked";
    // Held by the current version since: nothing is to be revoked.
    case "current":
      return "later";
    default:
      return revocation;
  }
}

/** A bearer may be refused since it is the token itself, and dead: as of a client that was closed. */
async function isDead(run: ReconcileContext, context: SecretContext, candidate: Candidate): Promise<boolean> {
  try {
    return (await exchangeOf(run, context, candidate)) === "dead";
  } catch (error) {
    if (error instanceof RotationError) return false;
    throw error;
  }
}

/** 404, and C2M's code is not there. After a day an exchange decides, or nobody can. */
async function decideNotFound(
  run: ReconcileContext,
  context: SecretContext,
  candidate: Candidate,
): Promise<Revoked["outcome"]> {
  if (run.clock.now() < (candidate.notFoundSince ?? run.clock.now()) + notFoundMs) return "later";
  if ((await exchangeOf(run, context, candidate)) === "dead") {
    logDead(context, candidate);
    return "revoked";
  }
  if (!candidate.isLost) return "later";
  nobodyCanTell(context, candidate, "404 for a day, and C2M's code is not there");
  return "unseen";
}

/** No version holds its text: it is told with its expiry, once. */
function nobodyCanTell(context: SecretContext, candidate: Candidate, reason: string): void {
  for (const fields of fieldsOfIds(context, candidate)) context.log.event("token.death.unseen", { ...fields, reason });
}

function logDead(context: SecretContext, candidate: Candidate): void {
  for (const fields of fieldsOfIds(context, candidate)) context.log.event("token.dead", fields);
}

function fieldsOfIds({ arn }: SecretContext, candidate: Candidate) {
  return idsOf(candidate).map((tokenId) => tokenFields(arn, { ...candidate, tokenId, headerTokenId: undefined }));
}

/** Exchanges a revoked token once: C2M should reject it by now. */
async function seeDead(run: ReconcileContext, { of, candidate }: { of: Of; candidate: Candidate }) {
  const { context, settings } = of;
  const end = await orFailure(run.log, settings, async () => await exchangeOf(run, context, candidate));
  const seen = typeof end === "string" ? end : "neither";
  if (seen === "dead") logDead(context, candidate);
  if (seen === "alive") {
    for (const fields of fieldsOfIds(context, candidate)) context.log.event("token.alive", fields);
    context.log.metric(metricNames.revokedAlive);
  }
  return { of, candidate, seen };
}

async function exchangeOf(run: ReconcileContext, context: SecretContext, candidate: Candidate): Promise<Death["seen"]> {
  const { accessToken, baseUrl, issuedAt } = candidate;
  const { clock } = run;
  const c2m = context.c2mAt(baseUrl);
  if (!c2m || !accessToken) return "neither";
  const outcome = await askWhetherWorks(
    c2m,
    { ...candidate, accessToken },
    { clock, deadline: run.deadline - reserveMs },
  );
  if (outcome === "works") return "alive";
  return outcome === "invalid_token" && isOld(issuedAt, clock.now()) ? "dead" : "neither";
}

/** Those whose hour it is, each day in another order, so that a budget that does not last leaves out others each day. */
function dueProofs(looked: readonly Of[], now: number): Of[] {
  const day = Math.floor(now / 86_400_000);
  const rank = ({ settings }: { settings: TokenSettings }) =>
    createHash("sha256").update(`${settings.secretName} ${day}`).digest().readUInt32BE();
  return looked
    .filter(({ settings }) => isProofDue(settings.secretName, now))
    .sort((one, other) => rank(one) - rank(other));
}

/** What C2M says in this run of the tokens at AWSCURRENT: each is exchanged once at most. */
class CurrentProofs {
  readonly #run: ReconcileContext;
  readonly #asked = new Map<Of, Promise<boolean | undefined>>();
  readonly #found = new Map<Surveyed, boolean>();
  readonly #instead = new Map<Of, Promise<Candidate | undefined>>();
  readonly #dead = new Set<Candidate>();

  constructor(run: ReconcileContext) {
    this.#run = run;
  }

  /** What was found out; undefined where nothing was. */
  found(of: Surveyed): boolean | undefined {
    return this.#found.get(of);
  }

  /** Whether it works; undefined where there is nothing to say. Rejects where C2M does not answer. */
  worksNow(of: Of): Promise<boolean | undefined> {
    const asked = this.#asked.get(of) ?? this.#prove(of);
    this.#asked.set(of, asked);
    return asked;
  }

  /** The token that is kept while C2M rejects the current one. Rejects where C2M does not answer. */
  instead(of: Of): Promise<Candidate | undefined> {
    const asked = this.#instead.get(of) ?? this.#newestThatWorks(of);
    this.#instead.set(of, asked);
    return asked;
  }

  /** Whether it was passed over, since C2M rejects it. */
  sawDead(candidate: Candidate): boolean {
    return this.#dead.has(candidate);
  }

  async #newestThatWorks(of: Of): Promise<Candidate | undefined> {
    if ((await this.worksNow(of)) !== false) return undefined;
    for (const candidate of of.survey.verdict.superseded) {
      if ((await exchangeOf(this.#run, of.context, candidate)) !== "dead") return candidate;
      this.#dead.add(candidate);
    }
    return undefined;
  }

  async #prove(of: Of): Promise<boolean | undefined> {
    const { context, survey } = of;
    const { current } = survey;
    if (current?.parsed.kind !== "ours") return undefined;
    const { token } = current.parsed;
    const deadline = Math.min(this.#run.deadline - reserveMs, this.#run.clock.now() + proofMs);
    const proof = await proveToken({ ...context, deadline }, token, 0);
    if (proof === "elsewhere") return undefined;
    const works = proof === "works";
    // Without a grace period, a rotation since the survey is reason enough for a rejection.
    if (!works && (await context.store.readCurrent(context.arn))?.versionId !== current.versionId) return undefined;
    const fields = { version_id: current.versionId, ...tokenFields(context.arn, token) };
    context.log.event(works ? "token.proven" : "token.rejected", fields);
    this.#found.set(of, works);
    return works;
  }
}
