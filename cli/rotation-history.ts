import type { EventName } from "../src/formats/ledger.ts";
import { secretNameSaid } from "../src/formats/settings.ts";
import type { Aws } from "./aws.ts";
import { type LogLine, readEvents } from "./function-log.ts";

/** How far back the log is read for what went before, in ms: reading is charged by the amount. */
export const historyMs = 7 * 86_400_000;

const names = [
  "step.started",
  "step.succeeded",
  "step.failed",
  "token.rejected",
  "token.proven",
  "token.revoked",
  "token.alive",
  "token.unrevocable",
  "token.suspected",
  "token.issued",
  "token.issue.refused",
  "reconcile.failed",
  "reconcile.completed",
] as const satisfies EventName[];

/** What the functions' log of the last days tells about one secret. */
export interface RotationHistory {
  /** The last step that failed, unless a later one of its version succeeded to the end. */
  lastFailure: { at: number; step: string; versionId: string; code: string; reason: string } | undefined;
  /** Of the steps that began and have no outcome yet, the last; two may be at work at once. `at`: epoch ms. */
  openStep: { at: number; step: string; versionId: string } | undefined;
  /** The versions that a step has told of. */
  toldVersions: ReadonlySet<string>;
  /** Whether C2M rejected the token at this version at the last look. */
  rejectedVersionId: string | undefined;
  revokedIds: ReadonlySet<string>;
  unrevocableIds: ReadonlySet<string>;
  /** Tokens that may live and whose id nobody knows; ISO 8601. */
  suspectsUntil: string[];
  lastReconciledAt: number | undefined;
  /** A change freeze, as the reconciler's last run said, or a step of the rotator since. */
  paused: boolean;
  reconcileFailure: string | undefined;
}

export async function readHistory(
  aws: Aws,
  logGroup: string,
  secret: { name: string },
  now: number,
): Promise<RotationHistory> {
  return historyOf(await readEvents(aws, logGroup, { from: now - historyMs, names }), secret, now);
}

/** The last failure, unless it is what a change freeze is for. */
export function unwantedFailure({ lastFailure, paused }: RotationHistory): RotationHistory["lastFailure"] {
  return paused && lastFailure?.code === "paused" ? undefined : lastFailure;
}

/** Pure: what lines, oldest first, tell about one secret. */
export function historyOf(lines: readonly LogLine[], secret: { name: string }, now: number): RotationHistory {
  const suspects = new Map<string, string>();
  const settled = new Set<string>();
  const [revokedIds, unrevocableIds, toldVersions] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const history: RotationHistory = {
    lastFailure: undefined,
    openStep: undefined,
    toldVersions,
    rejectedVersionId: undefined,
    revokedIds,
    unrevocableIds,
    suspectsUntil: [],
    lastReconciledAt: undefined,
    paused: false,
    reconcileFailure: undefined,
  };
  const open: NonNullable<RotationHistory["openStep"]>[] = [];
  const end = (step: string, versionId: string): void => {
    const index = open.findIndex((one) => one.step === step && one.versionId === versionId);
    if (index >= 0) open.splice(index, 1);
  };
  for (const { event, at, cameAt, fields } of lines) {
    if (event === "reconcile.completed") {
      history.lastReconciledAt = at;
      history.paused = fields.paused === true;
      if (fields.failed === 0) history.reconcileFailure = undefined;
    }
    // The reconciler names a secret that it could not look at as the settings do.
    if (!("secret" in fields) || secretNameSaid(fields.secret) !== secret.name) continue;
    switch (event) {
      case "step.started":
        // The function's clock may be behind.
        open.push({ at: Math.max(at, cameAt ?? at), step: fields.step, versionId: fields.version_id });
        toldVersions.add(fields.version_id);
        break;
      case "step.succeeded":
        end(fields.step, fields.version_id);
        if (fields.step === "finishSecret" || fields.step === "bootstrap") history.lastFailure = undefined;
        break;
      case "step.failed":
        end(fields.step, fields.version_id);
        history.lastFailure = {
          at,
          step: fields.step,
          versionId: fields.version_id,
          code: fields.code,
          reason: fields.reason,
        };
        if (fields.code === "paused") history.paused = true;
        break;
      case "token.rejected":
        history.rejectedVersionId = fields.version_id;
        break;
      case "token.proven":
        if (history.rejectedVersionId === fields.version_id) history.rejectedVersionId = undefined;
        break;
      case "token.revoked":
        if (fields.token_id !== undefined) revokedIds.add(fields.token_id);
        break;
      case "token.alive":
        if (fields.token_id !== undefined) revokedIds.delete(fields.token_id);
        break;
      case "token.unrevocable":
        if (fields.token_id !== undefined) unrevocableIds.add(fields.token_id);
        break;
      case "token.suspected":
        suspects.set(fields.attempt_id, fields.latest_expires_at);
        break;
      case "token.issued":
      case "token.issue.refused":
        settled.add(fields.attempt_id);
        break;
      case "reconcile.failed":
        history.reconcileFailure = fields.reason;
        break;
    }
  }
  history.openStep = open.toSorted((one, other) => one.at - other.at).at(-1);
  history.suspectsUntil = [...suspects]
    .filter(([attempt, until]) => !settled.has(attempt) && Date.parse(until) > now)
    .map(([, until]) => until);
  return history;
}
