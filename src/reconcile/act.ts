import { createHash } from "node:crypto";
import { tokenFields } from "../formats/ledger.ts";
import type { TokenSettings } from "../formats/settings.ts";
import { RetryableError } from "../ports/errors.ts";
import type { SecretContext } from "../rotation/context.ts";
import { detachPending } from "../rotation/detach.ts";
import { proveToken } from "../rotation/prove.ts";
import { revoke } from "../rotation/revoke.ts";
import type { Candidate } from "./rule.ts";
import { type Failure, inParallel, orFailure, type ReconcileContext, type Surveyed } from "./run.ts";
import type { Survey } from "./survey.ts";

/** Calls to C2M under way at the same time. */
const callsAtOnce = 2;

/** Kept back of the function's time for the report, in ms. */
const reserveMs = 10_000;

/**
 * How long a current token may be tried until it works, in ms: it was proven before, and others wait. Longer than the
 * minute for which C2M sends callers away.
 */
const proofMs = 90_000;

/** What became of a token that was to be revoked. */
export interface Revoked {
  candidate: Candidate;
  outcome: "revoked" | "unrevocable" | "later";
}

/** What a run did about one secret, whatever of it failed. */
export interface Acted {
  detached: string[];
  revocations: Revoked[];
  /** Whether the current token works; undefined when C2M was not asked. */
  currentWorks: boolean | undefined;
  failures: Failure[];
}

type Looked = Extract<Surveyed, { survey: Survey }>;

/**
 * Does what the surveys ask for: detaches first, then revokes, the first to expire first, so that a run which is cut off
 * starves nobody, then proves current tokens. Resolves with what was done, secret by secret.
 */
export async function act(run: ReconcileContext, surveyed: readonly Surveyed[]): Promise<Acted[]> {
  const looked = surveyed.filter((one) => "survey" in one);
  const detached = await inParallel(looked, callsAtOnce, (one) => detach(run, one));
  const revocations = await revokeDue(run, looked);
  const proofs = await inParallel(dueProofs(looked, run.clock.now()), callsAtOnce, async (one) => ({
    one,
    proof: await orFailure(run.log, one.settings, () => proveCurrent(run, one)),
  }));
  return surveyed.map((one): Acted => {
    if ("failure" in one) return { detached: [], revocations: [], currentWorks: undefined, failures: [one.failure] };
    const own = detached[looked.indexOf(one)];
    const mine = revocations.filter(({ of }) => of === one);
    const proof = proofs.find((entry) => entry.one === one)?.proof;
    return {
      detached: own?.detached ?? [],
      revocations: mine,
      currentWorks: typeof proof === "boolean" ? proof : undefined,
      failures: [own, ...mine, typeof proof === "object" ? proof : undefined].flatMap((part) => part?.failure ?? []),
    };
  });
}

/** Takes AWSPENDING off the versions that no rotation will finish. Their tokens are revoked by a later run. */
async function detach(run: ReconcileContext, { context, settings, survey }: Looked) {
  const detached: string[] = [];
  const end = await orFailure(run.log, settings, async () => {
    for (const { versionId, reason } of survey.verdict.detach) {
      await detachPending(context, versionId, reason);
      detached.push(versionId);
    }
    return undefined;
  });
  return { detached, failure: end?.failure };
}

async function revokeDue(run: ReconcileContext, looked: readonly Looked[]) {
  const due = looked.flatMap((of) =>
    of.settings.revocation ? of.survey.verdict.revoke.map((candidate) => ({ of, candidate })) : [],
  );
  due.sort((one, other) => expiryOf(one.candidate) - expiryOf(other.candidate));
  return await inParallel(due, callsAtOnce, async ({ of, candidate }) => {
    const end = await orFailure(run.log, of.settings, () => revokeInTime(run, of.context, candidate));
    return typeof end === "string"
      ? { of, candidate, outcome: end, failure: undefined }
      : { of, candidate, outcome: "later" as const, failure: end.failure };
  });
}

async function revokeInTime(
  run: ReconcileContext,
  context: SecretContext,
  candidate: Candidate,
): Promise<Revoked["outcome"]> {
  if (run.clock.now() > run.deadline - reserveMs) {
    throw new RetryableError("time_spent", "The run's time is up. The next one goes on.");
  }
  const revocation = await revoke(context, candidate);
  return revocation === "not_found" ? "later" : revocation;
}

/** Those whose hour it is, each day in another order, so that a budget that does not last leaves out others each day. */
function dueProofs(looked: readonly Looked[], now: number): Looked[] {
  const [hour, day] = [new Date(now).getUTCHours(), Math.floor(now / 86_400_000)];
  const rank = ({ settings }: { settings: TokenSettings }) => digest(`${settings.secretName} ${day}`).readUInt32BE();
  return looked
    .filter(({ settings }) => hourOfProof(settings.secretName) === hour)
    .sort((one, other) => rank(one) - rank(other));
}

/** Exchanges the current token: it works, or somebody has to know. Undefined where there is nothing to say. */
async function proveCurrent(run: ReconcileContext, { context, survey }: Looked): Promise<boolean | undefined> {
  const { current } = survey;
  if (current?.parsed.kind !== "ours") return undefined;
  const { token } = current.parsed;
  const deadline = Math.min(run.deadline - reserveMs, run.clock.now() + proofMs);
  const proof = await proveToken({ ...context, deadline }, token, 0);
  if (proof === "elsewhere") return undefined;
  const works = proof === "works";
  // Without a grace period, a rotation since the survey is reason enough for a rejection.
  if (!works && (await context.store.readCurrent(context.arn))?.versionId !== current.versionId) return undefined;
  const fields = { version_id: current.versionId, ...tokenFields(context.arn, token) };
  context.log.event(works ? "token.proven" : "token.rejected", fields);
  return works;
}

/** The hour of the day (UTC) in which a secret's token is proven: spread, so that C2M is not called by all at once. */
export function hourOfProof(secretName: string): number {
  return (digest(secretName)[0] ?? 0) % 24;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Epoch ms. Tokens of one secret live equally long, so the first to expire is the oldest. */
function expiryOf({ expiresAt }: Candidate): number {
  return expiresAt === undefined ? 0 : Date.parse(expiresAt);
}
