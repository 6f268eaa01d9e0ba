import { type RotationHistory, unwantedFailure } from "../rotation-history.ts";
import { noToken, removal } from "../rotation-off.ts";
import { date, relative, span } from "../time-text.ts";
import { expiryOf, type TokenView, tokenOf } from "../token-view.ts";

/** Something that is wrong with a token, and what to do about it. */
export interface Problem {
  /** Stable, for scripts. */
  code: string;
  what: string;
  /** A command, or a sentence. */
  remedy: string;
}

/** A token's state in one word: the first problem's, or how it is when nothing is wrong. */
export type State = "ok" | "rotating" | "in grace" | "paused" | "wrong";

export interface Diagnosis {
  state: State;
  /** When the previous token's grace ends, epoch ms; undefined where none lives or nothing tells the grace. */
  graceEndsAt: number | undefined;
  problems: Problem[];
}

/** The reconciler comes by hourly; after a few missed runs something is wrong with it. In ms. */
const reconcilerLateMs = 3 * 3_600_000;

/** A grace that is over is acted upon by the next hourly run. In ms. */
const hourlyRunMs = 2 * 3_600_000;

/**
 * What is wrong with a token, worst first. Pure.
 *
 * @param rest.left whether a token but the current one may live, for a secret whose rotation is switched off; default true
 */
export function diagnose(
  view: TokenView,
  history: RotationHistory | undefined,
  { now, graceSeconds, left = true }: { now: number; graceSeconds: number | undefined; left?: boolean | undefined },
): Diagnosis {
  const problems: Problem[] = [];
  const command = (name: string) => `c2m-tokens ${name} --secret ${view.name}`;
  const say = (code: string, what: string, remedy: string) => problems.push({ code, what, remedy });

  if (view.deletedAt !== undefined) {
    const marked = `marked for deletion ${relative(view.deletedAt, now)}`;
    if (view.isDecommissioned) {
      say("decommissioned", `It was decommissioned and ${marked} (${date(view.deletedAt)}).`, removal);
    } else {
      const what = `It was ${marked}, and not decommissioned: its tokens live on.`;
      say("deleted", what, `aws secretsmanager restore-secret --secret-id ${view.name}`);
    }
    return { state: "wrong", graceEndsAt: undefined, problems };
  }
  if (view.current?.isCredentials) {
    say("credentials", noToken.what, noToken.remedy);
    return { state: "wrong", graceEndsAt: undefined, problems };
  }
  if (view.current?.held === undefined) say("empty", "It holds no token: the bootstrap never succeeded.", "pulumi up");
  const expiresAt = expiryOf(view.current);
  if (expiresAt !== undefined && expiresAt <= now) {
    say("expired", `The current token expired ${relative(expiresAt, now)}.`, command("rotate --wait"));
  } else if (view.current && history?.rejectedVersionId === view.current.versionId) {
    say("rejected", "C2M rejects the current token.", command("rotate --wait"));
  }
  const graceEndsAt = graceEnd(view, history, { now, graceSeconds });
  if (view.isDecommissioned) {
    const what = "Its decommission was begun and not completed: no token is issued for it.";
    say("decommissioning", what, `${command("decommission")}, or with --cancel to keep it`);
  } else if (!view.rotationEnabled) {
    const retired = left
      ? "If it is retired, leave it in the config: superseded tokens may still live."
      : "If it is retired, it may be removed from the config: nothing of it lives but the current token.";
    const removed = left ? "" : `: then ${command("decommission")} ends the current one, too, before you remove it`;
    say("rotation_off", `Rotation is switched off. ${retired}`, `pulumi up, unless it is retired on purpose${removed}`);
  }
  if (view.rotationEnabled && expiresAt !== undefined && expiresAt > now && (view.nextRotationAt ?? 0) > expiresAt) {
    const what = `The next rotation comes ${span((view.nextRotationAt ?? 0) - expiresAt)} after the token expires (${date(expiresAt)}).`;
    say("too_late", what, command("rotate --wait"));
  }
  sayPending(view, history, { now, say, command });
  if (view.current?.held?.kind === "foreign") {
    say("adopted", "The current value was there before us: its id and expiry are not known.", command("rotate --wait"));
  }
  if (graceEndsAt !== undefined && graceEndsAt + hourlyRunMs < now && !history?.paused) {
    const what = `The previous token's grace ended ${relative(graceEndsAt, now)}, and no revocation is on record.`;
    say("not_revoked", what, command("reconcile"));
  }
  for (const until of history?.suspectsUntil ?? []) {
    const what = `An issue call had no answer: a token that nobody knows may live until ${date(Date.parse(until))}.`;
    say("suspect", what, "docs/runbook.md#orphan-suspected");
  }
  if (!view.replicasInSync)
    say("replica", "A replica of the secret is behind.", "Look at its replication in the AWS console.");
  if (history && isReconcilerLate(view, history, now)) {
    const when =
      history.lastReconciledAt === undefined ? "in the last days" : `since ${date(history.lastReconciledAt)}`;
    say("reconciler_silent", `The reconciler has not run ${when}.`, command("doctor"));
  }
  const state =
    problems.length > 0
      ? "wrong"
      : history?.paused
        ? "paused"
        : view.pending
          ? "rotating"
          : graceEndsAt !== undefined
            ? "in grace"
            : "ok";
  return { state, graceEndsAt, problems };
}

/** Of a new secret it is not: the reconciler's first run comes within the hour. */
export function isReconcilerLate(view: TokenView, { lastReconciledAt = 0 }: RotationHistory, now: number): boolean {
  return Math.max(lastReconciledAt, view.createdAt ?? 0) < now - reconcilerLateMs;
}

function sayPending(
  view: TokenView,
  history: RotationHistory | undefined,
  {
    now,
    say,
    command,
  }: { now: number; say: (code: string, what: string, remedy: string) => void; command: (name: string) => string },
): void {
  const failure = history && unwantedFailure(history);
  if (failure && (view.pending?.versionId === failure.versionId || failure.at > (view.lastRotatedAt ?? 0))) {
    const again = view.pending?.versionId === failure.versionId ? " It is still pending." : "";
    const what = `The last rotation failed ${relative(failure.at, now)} in ${failure.step}: ${failure.reason}${again}`;
    say("rotation_failed", what, again === "" ? command("rotate --wait") : command("unstick"));
  } else if (view.pending && !view.rotationEnabled) {
    say("stuck", "A version is pending and no rotation will finish it.", command("unstick"));
  }
}

/** Undefined unless the previous token may be alive. */
function graceEnd(
  view: TokenView,
  history: RotationHistory | undefined,
  { now, graceSeconds }: { now: number; graceSeconds: number | undefined },
): number | undefined {
  const token = tokenOf(view.previous);
  if (!token || graceSeconds === undefined || Date.parse(token.expiresAt) <= now) return undefined;
  const id = token.tokenId;
  if (id === undefined || history?.revokedIds.has(id) || history?.unrevocableIds.has(id)) return undefined;
  const changedAt = Math.max(view.lastRotatedAt ?? 0, view.lastChangedAt ?? 0);
  // Older than the log that was read: what became of it is not known here.
  if (!history || changedAt < now - 7 * 86_400_000) return undefined;
  return changedAt + graceSeconds * 1_000;
}
