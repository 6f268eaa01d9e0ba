import { parseValue, type StoredToken } from "../../src/formats/stored-token.ts";
import { biteMs, shortTokenMs } from "../../src/ports/c2m.ts";
import { RotationError } from "../../src/ports/errors.ts";
import type { SecretReport } from "../../src/reconcile/report.ts";
import type { SecretContext } from "../../src/rotation/context.ts";
import { askWhetherWorks } from "../../src/rotation/exchange.ts";
import { compareToken } from "../../src/rotation/same-token.ts";
import type { Aws } from "../aws.ts";
import type { Call } from "../command.ts";
import { type ExitCode, exitCode, failed } from "../failure.ts";
import { protocolFor } from "../protocol.ts";
import { onlySecret, reconcilerOf } from "../target.ts";
import { span } from "../time-text.ts";
import { tokenOf, viewToken } from "../token-view.ts";
import { confirmByName } from "./confirm-and-act.ts";
import { followRotation, startRotation } from "./follow-rotation.ts";
import { runReconciler } from "./reconciler.ts";

/** How long a command waits for C2M to reject a token that was revoked, in ms. */
export const revocationMs = biteMs + 30_000;

/** How long the reconciler is tried until the old token is revoked, in ms. */
const graceEndMs = 60_000;

/** What one look at the old token may take, in ms. */
const exchangeMs = 20_000;

export async function compromised(call: Call): Promise<ExitCode> {
  const { options, terminal, clock } = call;
  const intervalMs = options.duration("interval", 5_000);
  const timeoutMs = options.duration("timeout", 600_000);
  const target = await call.target();
  const aws = await call.aws();
  const before = await viewToken(aws, onlySecret(target));
  const leaked = tokenOf(before.current);
  const reconciler = reconcilerOf(target, before.rotationLambdaArn);
  // What can't work is known before anything is changed.
  const protocol = () => protocolFor(call, aws, target, before, revocationMs).context;
  protocol();
  const plan = `This rotates ${before.name} and then revokes every superseded token of it at once, grace or not.`;
  if (options.flag("dry-run")) {
    terminal.result({ name: before.name, dryRun: true, leakedTokenId: leaked?.tokenId ?? null }, () =>
      terminal.line(plan),
    );
    return exitCode.done;
  }
  await confirmByName(call, before.name, plan);

  const startedAt = clock.now();
  terminal.line(`Rotating ${before.name}`);
  const versionId = await startRotation(call, before);
  const followed = await followRotation(call, target, before, versionId, { timeoutMs, intervalMs });
  const { view, seenCurrentAt } = followed;
  const report = await endGrace(call, aws, reconciler, before.name, leaked, intervalMs);
  const revokedAt = clock.now();
  terminal.line(`  revoked  ${report.revoked.join(" ") || "-"}`);
  const rejectedAt = leaked ? await untilRejected(call, protocol(), leaked, intervalMs) : undefined;
  // The log is late: its line may be there by now.
  const promotedAt = await followed.promotedAt();
  const current = await aws.store.readCurrent(before.arn);
  const isBack = current && leaked && compareToken(leaked, parseValue(current.value)) === "same";
  const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  const result = {
    name: before.name,
    leakedTokenId: leaked?.tokenId ?? null,
    newTokenId: tokenOf(view.current)?.tokenId ?? null,
    startedAt: iso(startedAt),
    promotedAt: iso(promotedAt),
    seenCurrentAt: iso(seenCurrentAt),
    revokedAt: iso(revokedAt),
    rejectedAt: iso(rejectedAt),
    revokedTokenIds: report.revoked,
    // As long as it is not seen dead, short tokens may be made from it.
    shortTokensUntil: iso(rejectedAt === undefined ? undefined : rejectedAt + shortTokenMs),
    unrevocable: report.unrevocable,
    leakedIsCurrent: isBack === true,
  };
  const dead = rejectedAt !== undefined;
  terminal.result(result, () => {
    const since = (time: number) => `${new Date(time).toISOString()}  (after ${span(time - startedAt)})`;
    if (promotedAt !== undefined) terminal.line(`  promoted  ${since(promotedAt)}`);
    else terminal.line(`  current   at the latest ${since(seenCurrentAt)}; the log does not say yet since when`);
    terminal.line(`  revoked   ${since(revokedAt)}`);
    terminal.line(
      `  rejected  ${dead ? since(rejectedAt) : terminal.paint("bad", "not seen: C2M still accepts it, or something else answered in its place. Treat it as alive")}`,
    );
    if (dead) terminal.line(`  short tokens made from it may live until ${result.shortTokensUntil}`);
    if (isBack) {
      terminal.line(
        `  ${terminal.paint("bad", "current")}   again: somebody has moved AWSCURRENT back to it. c2m-tokens rotate --wait --secret ${before.name}`,
      );
    }
    for (const { tokenId, expiresAt } of report.unrevocable) {
      terminal.line(
        `  ${terminal.paint("bad", "unrevocable")} ${tokenId ?? "a token without id"}: lives until ${expiresAt ?? "unknown"}; ask Click2Mail`,
      );
    }
  });
  return dead && !isBack && report.unrevocable.length === 0 ? exitCode.done : exitCode.failed;
}

/**
 * Ends the grace of every superseded token. A replica that is behind, or a clock, can hold a revocation back for a while.
 *
 * @throws Failure where the leaked token is not dealt with in time
 */
async function endGrace(
  { clock }: Call,
  aws: Aws,
  reconciler: string,
  secret: string,
  leaked: StoredToken | undefined,
  intervalMs: number,
): Promise<SecretReport> {
  const giveUpAt = clock.now() + graceEndMs;
  const revoked: string[] = [];
  for (;;) {
    const report = await runReconciler(aws, reconciler, { secret, graceSeconds: 0 });
    revoked.push(...report.revoked);
    const id = leaked?.tokenId;
    // Without a grace, the step that promoted the new token has revoked it.
    if (id !== undefined && report.revokedBefore?.includes(id) && !revoked.includes(id)) revoked.push(id);
    const dealtWith =
      id === undefined || revoked.includes(id) || report.unrevocable.some(({ tokenId }) => tokenId === id);
    if (dealtWith && report.backlog === 0 && !report.error) return { ...report, revoked };
    if (clock.now() > giveUpAt) {
      const { replicasInSync } = await aws.describeSecret(secret);
      const held = replicasInSync
        ? "something holds its revocation back"
        : "a replica of the secret has not followed, and apps may read it. Where it never will, remove it: aws secretsmanager remove-regions-from-replication";
      throw failed(
        `The new token is current, but the old one is not revoked yet: ${report.error?.reason ?? held}`,
        `c2m-tokens reconcile --secret ${secret} goes on; c2m-tokens doctor --secret ${secret} says more`,
      );
    }
    await clock.sleep(intervalMs);
  }
}

/**
 * When C2M itself first said that the token is not valid; undefined when it did not within the documented delay. Whatever a
 * gateway says, or nobody, says nothing of the token: it is asked again.
 */
async function untilRejected(
  { clock, terminal }: Call,
  context: SecretContext,
  token: StoredToken,
  intervalMs: number,
): Promise<number | undefined> {
  const c2m = context.c2mAt(token.baseUrl);
  if (!c2m) return undefined;
  const giveUpAt = clock.now() + revocationMs;
  terminal.line("  waiting until C2M rejects the old token");
  while (clock.now() < giveUpAt) {
    try {
      const deadline = clock.now() + exchangeMs;
      const outcome = await askWhetherWorks(c2m, token, { clock, deadline });
      if (outcome === "invalid_token") return clock.now();
    } catch (error) {
      if (!(error instanceof RotationError)) throw error;
    }
    await clock.sleep(intervalMs);
  }
  return undefined;
}
