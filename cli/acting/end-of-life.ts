import { tokenFields } from "../../src/formats/ledger.ts";
import type { StoredToken } from "../../src/formats/stored-token.ts";
import { biteMs, type RevokeAnswer } from "../../src/ports/c2m.ts";
import { RetryableError, RotationError } from "../../src/ports/errors.ts";
import { versionAt } from "../../src/ports/secret-store.ts";
import { logDelayMs } from "../../src/reconcile/revocation-rule.ts";
import type { Candidate } from "../../src/reconcile/situation.ts";
import type { Survey } from "../../src/reconcile/survey.ts";
import type { SecretContext } from "../../src/rotation/context.ts";
import { isDecommissioned, markDecommissioned } from "../../src/rotation/decommissioned.ts";
import { detachPending } from "../../src/rotation/detach.ts";
import { askWhetherWorks } from "../../src/rotation/exchange.ts";
import { isOld } from "../../src/rotation/prove.ts";
import { logRevoked, type Revocation, revoke } from "../../src/rotation/revoke.ts";
import { compareToken, idsOf, isSameC2m, type Revocable } from "../../src/rotation/same-token.ts";
import type { Aws } from "../aws.ts";
import { type Elsewhere, readElsewhere, type Subject, surveyAll } from "../survey.ts";

/** A token that lives on; ISO 8601. */
export interface Left {
  tokenId: string | undefined;
  until: string | undefined;
  /** The secret whose current token it is, too; without it nobody can revoke it. */
  heldBy?: string;
  /** Its revocation was answered, perhaps by something before C2M, and nobody can see whether it is dead. */
  unseen?: true;
}

/** What the end of a secret's tokens is made with. */
export interface EndOfLife extends Subject {
  context: SecretContext;
  aws: Pick<Aws, "cancelRotation">;
  /** For how long a step of the rotator may be at work, in ms. */
  stepMs: number;
  /** Aborted: it stops between two tokens. */
  signal: AbortSignal;
  /**
   * Waits until a moment (epoch ms) or until `signal` is aborted: until no step can be at work, or until a revocation that
   * something before C2M may have answered would have taken effect.
   */
  wait(moment: number, why: "step" | "effect"): Promise<void>;
  onRevoked(tokenId: string): void;
}

/** For how long after its end a rotation may still bring a token to light, in ms. */
export function mostWaitMs(stepMs: number): number {
  return stepMs + logDelayMs;
}

/** Looks at the secret until nothing new is found, at the most. */
const mostLooks = 3;

/** For how long it waits to see whether tokens are dead, at the most: once a look, and for the current one. In ms. */
export const mostEffectMs = (mostLooks + 1) * biteMs;

/**
 * Ends the life of every token of a secret: has nothing issued for it any more, waits until no step can be at work that began
 * before and the log tells of all, since the current token is the last that could revoke another,
 * revokes what lives, the current token last, by itself, and looks again, until there is nothing new.
 *
 * @returns the tokens that live on, since nobody can revoke them or another secret holds them
 * @throws RotationError where it may succeed later, and `labels_moved` where somebody has switched the rotation on again
 */
export async function endTokens(end: EndOfLife): Promise<Left[]> {
  await stopIssuing(end);
  const elsewhere = await readElsewhere(end);
  const done: Done = { seen: new Set(), left: new Map() };
  const { seen, left } = done;
  let found = await revokeOthers(end, elsewhere, done);
  for (let look = 1; found.fresh > 0; look += 1) {
    if (look === mostLooks) throw stillIssuing();
    found = await revokeOthers(end, elsewhere, done);
  }
  const { current } = liveTokens(found.survey);
  end.signal.throwIfAborted();
  const isHeld = current?.token && holderOf(current.token, elsewhere) !== undefined;
  const outcome = current && !isHeld ? await revokeByItself(end, current.token) : undefined;
  if (outcome === "revoked") end.onRevoked(current?.token?.tokenId ?? "");
  if (outcome === "alive") {
    const token = current?.token ?? { tokenId: undefined, expiresAt: undefined };
    left.set("current", { tokenId: token.tokenId, until: token.expiresAt });
    const reason = "its secret is decommissioned, and nobody can revoke it";
    // Of the others the functions' log tells already.
    end.context.log.event("token.unrevocable", { ...tokenFields(end.context.arn, token), reason });
  }
  const after = await surveyAll(end, elsewhere);
  refuseIssuing(after);
  const { others } = liveTokens(after);
  if (after.current?.versionId !== found.survey.current?.versionId) throw stillIssuing();
  if (others.some((one) => !seen.has(keyOf(one)))) throw stillIssuing();
  return [...left.values()];
}

/** What was done so far: the tokens that were seen, and those that are left alive. */
interface Done {
  seen: Set<string>;
  left: Map<string, Left>;
}

/** The other secret whose current token it is. */
function holderOf(token: StoredToken, elsewhere: readonly Elsewhere[]): string | undefined {
  return elsewhere.find(({ held }) => compareToken(token, held) === "same")?.secretId;
}

/** Looks at the secret, and revokes what it has not seen before, but for the current token. `fresh`: how much was new. */
async function revokeOthers(
  end: EndOfLife,
  elsewhere: readonly Elsewhere[],
  { seen, left }: Done,
): Promise<{ survey: Survey; fresh: number }> {
  const { context, signal, onRevoked } = end;
  const survey = await surveyAll(end, elsewhere);
  refuseIssuing(survey);
  const pendingId = versionAt(survey.secret, "AWSPENDING", "AWSCURRENT");
  if (pendingId !== undefined) await detachPending(context, pendingId, "its secret is decommissioned");
  for (const one of survey.verdict.unrevocable) await leaveUnlessDead(end, one, left);
  for (const { versionId, parsed } of survey.versions) {
    const heldBy = parsed.kind === "ours" ? holderOf(parsed.token, elsewhere) : undefined;
    if (parsed.kind !== "ours" || heldBy === undefined) continue;
    left.set(`in ${versionId}`, { tokenId: parsed.token.tokenId, until: parsed.token.expiresAt, heldBy });
  }
  for (const { attemptId, latestExpiresAt } of survey.verdict.suspects) {
    left.set(attemptId, { tokenId: undefined, until: latestExpiresAt });
  }
  const fresh = liveTokens(survey).others.filter((candidate) => !seen.has(keyOf(candidate)));
  const claimed: Candidate[] = [];
  for (const candidate of fresh) {
    signal.throwIfAborted();
    const outcome = await revokeOther(end, candidate);
    seen.add(keyOf(candidate));
    if (outcome === "revoked") onRevoked(candidate.tokenId ?? "");
    else if (outcome !== "claimed" && outcome !== "not_found") await leaveUnlessDead(end, candidate, left);
    else if (!canLookAt(end, candidate)) {
      left.set(keyOf(candidate), { tokenId: candidate.tokenId, until: candidate.expiresAt, unseen: true });
    } else if (outcome === "claimed") claimed.push(candidate);
    // C2M may have forgotten it without saying so with its code.
    else if (!(await isDead(end, candidate))) throw unclear();
  }
  if (claimed.length > 0) await waitUntil(end, context.clock.now() + biteMs, "effect");
  for (const candidate of claimed) {
    if (!(await isDead(end, candidate))) throw unclear();
    onRevoked(candidate.tokenId ?? "");
  }
  // What was pending is judged as what is superseded from the next look on.
  return { survey, fresh: fresh.length + (pendingId === undefined ? 0 : 1) };
}

/** No rotation will replace a value at AWSCURRENT that a token can't be told from, and all of them are to end. */
async function revokeOther(end: EndOfLife, candidate: Candidate): Promise<Revocation | "alive" | "dead"> {
  try {
    return await revoke(end.context, candidate);
  } catch (error) {
    if (error instanceof RotationError && error.code === "revocation_unsafe")
      return await revokeByItself(end, candidate);
    throw error;
  }
}

async function leaveUnlessDead(end: EndOfLife, candidate: Candidate, left: Map<string, Left>): Promise<void> {
  const { tokenId, expiresAt } = candidate;
  if (!(await isDead(end, candidate))) left.set(keyOf(candidate), { tokenId, until: expiresAt });
}

/**
 * Whether C2M rejects a token. Where its text is not at hand, what the functions have written has to do; where it is so young
 * that C2M may not know it yet, what is in the log.
 */
async function isDead({ context, ledger }: EndOfLife, token: OwnBearer): Promise<boolean> {
  const { tokenId, accessToken, baseUrl, issuedAt } = token;
  const { c2mAt, clock, deadline } = context;
  const c2m = accessToken && c2mAt(baseUrl);
  if (c2m) {
    const outcome = await askWhetherWorks(c2m, { ...token, accessToken }, { clock, deadline });
    if (outcome === "unauthorized") throw unclear();
    if (outcome === "works") return false;
    if (isOld(issuedAt, clock.now())) return true;
  }
  const { entries } = await ledger.read(0);
  const isRevoked =
    tokenId !== undefined &&
    entries.some(
      ({ event, byOperator, fields }) =>
        event === "token.revoked" &&
        // An operator's, as an earlier run of this command, where C2M rejects it, too.
        (c2m || !byOperator) &&
        !fields.claimed &&
        fields.token_id === tokenId &&
        // Another C2M may give the same ids.
        isSameC2m({ baseUrl }, { baseUrl: fields.base_url }),
    );
  if (isRevoked) return true;
  if (!c2m) return false;
  throw new RetryableError(
    "invalid_token",
    "C2M does not know a token, which was issued only minutes ago: nothing tells yet whether it is dead.",
  );
}

/** Which tokens live, and would be revoked. Changes nothing. */
export async function tokensToEnd(subject: Subject): Promise<(string | undefined)[]> {
  const { others, current } = liveTokens(await surveyAll(subject, await readElsewhere(subject)));
  return [...others.map(({ tokenId }) => tokenId), ...(current ? [current.token?.tokenId] : [])];
}

/** A step that began before may still issue and store for as long as Lambda lets it run. */
async function stopIssuing(end: EndOfLife): Promise<void> {
  const { context, aws, stepMs } = end;
  const { arn, clock, store } = context;
  const secret = await store.describe(arn);
  const isMarked = await markDecommissioned(context, secret);
  if (secret.rotationEnabled) await aws.cancelRotation(arn);
  const since = isMarked || secret.rotationEnabled ? clock.now() : (secret.lastChangedAt ?? clock.now());
  const until = since + mostWaitMs(stepMs);
  end.signal.throwIfAborted();
  if (until > clock.now()) await waitUntil(end, until, "step");
}

async function waitUntil({ signal, wait }: EndOfLife, moment: number, why: "step" | "effect"): Promise<void> {
  try {
    await wait(moment, why);
  } finally {
    signal.throwIfAborted();
  }
}

function canLookAt({ context }: EndOfLife, { accessToken, baseUrl }: Candidate): boolean {
  return accessToken !== undefined && context.c2mAt(baseUrl) !== undefined;
}

function refuseIssuing({ secret }: Survey): void {
  if (secret.rotationEnabled) {
    throw new RetryableError(
      "labels_moved",
      "Its rotation was switched on again meanwhile, by `pulumi up` or somebody.",
    );
  }
  if (isDecommissioned(secret) || secret.stages.size === 0) return;
  throw new RetryableError(
    "labels_moved",
    "Somebody has cancelled the decommission meanwhile, or stored a first value.",
  );
}

/** The token at AWSCURRENT; without `token` where it is a value that is not ours. */
interface Current {
  token: StoredToken | undefined;
}

function liveTokens({ verdict, current }: Survey): { others: Candidate[]; current: Current | undefined } {
  const token = current?.parsed.kind === "ours" ? current.parsed.token : undefined;
  const others = [...verdict.revoke, ...verdict.waiting, ...verdict.blocked, ...verdict.doubtful];
  return { others, current: current && { token } };
}

type OwnBearer = Revocable & { issuedAt?: string | undefined };

/** Whether C2M lets a token revoke itself is not documented. */
async function revokeByItself(end: EndOfLife, token: OwnBearer | undefined): Promise<"revoked" | "alive" | "dead"> {
  const { context } = end;
  const { clock, deadline } = context;
  if (token?.expiresAt !== undefined && Date.parse(token.expiresAt) <= clock.now()) return "dead";
  const { accessToken } = token ?? {};
  const c2m = token && context.c2mAt(token.baseUrl);
  const ids = token ? idsOf(token) : [];
  if (!token || !accessToken || !c2m) return "alive";
  if (ids.length === 0) return (await isDead(end, token)) ? "dead" : "alive";
  const answers = new Map<string, RevokeAnswer>();
  for (const tokenId of ids) {
    // What is said of one id says nothing of the other.
    const answer = await c2m.revokeToken({ tokenId, bearer: accessToken, deadline });
    answers.set(tokenId, answer);
    if (answer === "revoked" || answer === "claimed") logRevoked(context, token, tokenId, answer);
  }
  const said = new Set(answers.values());
  if (said.size === 1 && said.has("revoked")) return "revoked";
  if (said.has("claimed")) await waitUntil(end, clock.now() + biteMs, "effect");
  // Dead already, as after an earlier run of this command or by its other id, or not allowed to.
  if (await isDead(end, token)) {
    for (const [tokenId, answer] of answers) {
      if (answer !== "revoked" && answer !== "claimed") logRevoked(context, token, tokenId, "revoked");
    }
    return "revoked";
  }
  if (said.has("unclear") || said.has("not_found") || said.has("claimed")) throw unclear();
  return "alive";
}

function keyOf({ tokenId, baseUrl, versionId, expiresAt }: Candidate): string {
  return tokenId === undefined ? `${versionId} ${expiresAt}` : `${tokenId} at ${baseUrl}`;
}

function stillIssuing(): RetryableError {
  return new RetryableError("labels_moved", "New tokens of it came to light meanwhile: somebody still issues some.");
}

function unclear(): RetryableError {
  return new RetryableError("revocation_unclear", "what stands before C2M answered in its place.");
}
