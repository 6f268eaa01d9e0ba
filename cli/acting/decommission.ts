import { type Ledger, tokenFields } from "../../src/formats/ledger.ts";
import { secretNameOf } from "../../src/formats/settings.ts";
import type { StoredToken } from "../../src/formats/stored-token.ts";
import type { TokenUser } from "../../src/ports/c2m.ts";
import { RetryableError, RotationError } from "../../src/ports/errors.ts";
import type { Candidate } from "../../src/reconcile/rule.ts";
import { lookAt, type Survey, surveyOf } from "../../src/reconcile/survey.ts";
import type { SecretContext } from "../../src/rotation/context.ts";
import { detachPending } from "../../src/rotation/detach.ts";
import { revoke } from "../../src/rotation/revoke.ts";
import type { Call } from "../command.ts";
import { type ExitCode, exitCode, failed, refused, usage } from "../failure.ts";
import { protocolFor } from "../protocol.ts";
import { readHistory } from "../rotation-history.ts";
import { logGroupOf, onlySecret } from "../target.ts";
import { viewToken } from "../token-view.ts";
import { act, confirmByName, refuseWhileAtWork } from "./act.ts";

/** For each token's revocation with its repetitions; there are a handful. In ms. */
const timeoutMs = 5 * 60_000;

export async function decommission(call: Call): Promise<ExitCode> {
  const { options, terminal } = call;
  const days = Number(options.text("recovery-days") ?? 30);
  if (!Number.isInteger(days) || days < 7 || days > 30) throw usage("--recovery-days must be a whole number, 7 to 30.");
  const target = await call.target();
  const aws = await call.aws();
  const view = await viewToken(aws, onlySecret(target));
  if (view.deletedAt !== undefined) throw refused(`${view.name} is marked for deletion already.`);
  const logGroup = await logGroupOf(aws, target, view.rotationLambdaArn);
  const ledger = aws.ledger(logGroup);
  const history = await readHistory(aws, logGroup, view, call.clock.now());
  await refuseWhileAtWork(call, aws, { target, view, history });
  const { context, log } = protocolFor(call, aws, target, view, timeoutMs);
  if (options.flag("dry-run")) {
    const { others, currentId } = liveTokens(await survey(context, view.arn, target.baseUrl, ledger));
    const tokens = [
      ...others.map(({ tokenId }) => tokenId ?? "without id"),
      ...(currentId === undefined ? [] : [currentId]),
    ];
    terminal.result({ name: view.name, dryRun: true, tokens }, () => {
      terminal.line(
        `Would stop the rotation of ${view.name}, revoke ${tokens.join(", ") || "nothing"}, and delete the secret in ${days} days.`,
      );
    });
    return exitCode.done;
  }
  await confirmByName(
    call,
    view.name,
    `This revokes every token of ${view.name}, the current one too. Apps that use it fail.`,
  );
  const left = await act(call, { aws, log, logGroup, ifCut }, async () => {
    if (view.rotationEnabled) await aws.cancelRotation(view.arn);
    if (view.pending) await detachPending(context, view.pending.versionId, "its secret is decommissioned");
    return await revokeAll(call, context, { arn: view.arn, baseUrl: target.baseUrl }, ledger);
  });
  const goneAt = await aws.deleteSecret(view.arn, days);
  const result = {
    name: view.name,
    deletionDate: goneAt === undefined ? null : new Date(goneAt).toISOString(),
    alive: left,
  };
  terminal.result(result, () => {
    for (const { tokenId, until } of left) {
      terminal.line(
        `  ${terminal.paint("bad", "alive")}   ${tokenId ?? "a token whose id is not known"} until ${until ?? "its unknown expiry"}; ask Click2Mail`,
      );
    }
    terminal.line(
      `${view.name} is deleted on ${result.deletionDate ?? "the date that AWS shows"}. Now remove it from the stack's tokens.`,
    );
  });
  return left.length === 0 ? exitCode.done : exitCode.failed;
}

const ifCut =
  "What this run has revoked is missing in the functions' log. Run the command again: it goes on where it stopped.";

/** A token that lives on; ISO 8601. */
interface Left {
  tokenId: string | undefined;
  until: string | undefined;
}

async function survey(context: SecretContext, arn: string, baseUrl: string, ledger: Ledger): Promise<Survey> {
  // In this order: what is labelled after the ledger was read would be missing from it.
  const secret = await context.store.describe(arn);
  const { entries } = await ledger.read(0);
  const look = await lookAt(context, secret, "all");
  return surveyOf(look, {
    now: context.clock.now(),
    settings: { baseUrl, graceSeconds: 0, pendingMaxAgeSeconds: 0 },
    ledger: entries.filter(({ fields }) => (secretNameOf(fields.secret) ?? fields.secret) === secret.name),
    ledgerFrom: 0,
    graceSeconds: 0,
    currentElsewhere: [],
    stepMs: 0,
  });
}

/** Nothing of this secret is to wait for a grace or for a rotation any more. */
function liveTokens({ verdict, current }: Survey): { others: Candidate[]; currentId: string | undefined } {
  return {
    others: [...verdict.revoke, ...verdict.waiting, ...verdict.blocked],
    currentId: current?.parsed.kind === "ours" ? current.parsed.token.tokenId : undefined,
  };
}

/**
 * Revokes what lives, the current token last: the others are revoked with it. Who presses Ctrl-C may have seen that it is
 * the wrong secret: between two tokens it stops.
 *
 * @throws Failure where a revocation may succeed later
 */
async function revokeAll(
  { signal, terminal }: Call,
  context: SecretContext,
  { arn, baseUrl }: { arn: string; baseUrl: string },
  ledger: Ledger,
): Promise<Left[]> {
  const onRevoked = (tokenId: string) => terminal.line(`  revoked ${tokenId}`);
  const found = await survey(context, arn, baseUrl, ledger);
  const { others } = liveTokens(found);
  const left: Left[] = [
    ...found.verdict.unrevocable.map(({ tokenId, expiresAt }) => ({ tokenId, until: expiresAt })),
    ...found.verdict.suspects.map(({ latestExpiresAt }) => ({ tokenId: undefined, until: latestExpiresAt })),
  ];
  try {
    for (const candidate of others) {
      signal.throwIfAborted();
      const outcome = await revoke(context, candidate);
      if (outcome === "not_found") throw unclear();
      if (outcome === "revoked") onRevoked(candidate.tokenId ?? "");
      else left.push({ tokenId: candidate.tokenId, until: candidate.expiresAt });
    }
    signal.throwIfAborted();
    const last = await revokeCurrent(context, arn, found);
    if (last?.revoked) onRevoked(last.tokenId ?? "");
    else if (last) left.push({ tokenId: last.tokenId, until: last.until });
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    throw failed(`Not every token is revoked yet, so the secret is kept: ${error.message}`, "Run the command again.");
  }
  return left;
}

/** Undefined where there is nothing that lives. Whether C2M lets a token revoke itself is not documented. */
async function revokeCurrent(
  context: SecretContext,
  arn: string,
  { current }: Survey,
): Promise<(Left & { revoked: boolean }) | undefined> {
  if (!current) return undefined;
  if (current.parsed.kind === "foreign") return { tokenId: undefined, until: undefined, revoked: false };
  const { accessToken, tokenId, expiresAt } = current.parsed.token;
  if (Date.parse(expiresAt) <= context.clock.now()) return undefined;
  const shown = { tokenId, until: expiresAt };
  if (tokenId === undefined) return { ...shown, revoked: false };
  const c2m = context.c2mAt(current.parsed.token.baseUrl);
  if (!c2m) return { ...shown, revoked: false };
  const answer = await c2m.revokeToken({ tokenId, bearer: accessToken, deadline: context.deadline });
  if (answer === "not_found" || answer === "unclear") throw unclear();
  // Dead already, as after an earlier run of this command, or not allowed to.
  if (answer === "refused" && (await works(context, c2m, current.parsed.token))) return { ...shown, revoked: false };
  context.log.event("token.revoked", tokenFields(arn, current.parsed.token));
  return { ...shown, revoked: true };
}

async function works(context: SecretContext, c2m: TokenUser, { accessToken }: StoredToken): Promise<boolean> {
  const { outcome } = await c2m.issueShortTermToken({ longToken: accessToken, deadline: context.deadline });
  if (outcome === "unauthorized") throw unclear();
  return outcome === "works";
}

function unclear(): RetryableError {
  return new RetryableError("revocation_unclear", "what stands before C2M answered in its place.");
}
