import { shortTokenMs } from "../../src/ports/c2m.ts";
import { date } from "../time-text.ts";
import type { Stage } from "./stage.ts";

/** Something that a rehearsal leaves behind. */
export interface LeftBehind {
  what: string;
  /** Epoch ms; undefined where it ends with something else, which `how` says. */
  until: number | undefined;
  /** What ends it. */
  how: string;
}

/** What is left behind, after a fresh look at the secret; what was seen before where that is not possible. */
export async function leftBehind(stage: Stage): Promise<LeftBehind[]> {
  try {
    const secret = await stage.describe();
    const labelled = new Set(secret.stages.keys());
    for (const { versionId, createdAt = 0 } of await stage.aws.store.listVersions(stage.arn)) {
      // Versions from before, and what became of their tokens, are not this rehearsal's.
      if (createdAt < stage.startedAt - 5_000 && !stage.tokens.has(versionId)) continue;
      const labels = labelled.has(versionId) ? (secret.stages.get(versionId) ?? []) : [];
      const state = labels.includes("AWSCURRENT")
        ? "current"
        : labels.includes("AWSPENDING")
          ? "pending"
          : "superseded";
      await stage.tokenOf(versionId, state);
    }
    return [...remembered(stage), ...(await unansweredCalls(stage))];
  } catch {
    return remembered(stage);
  }
}

/** The same from what was seen before: asks nobody. */
export function remembered(stage: Stage): LeftBehind[] {
  const left: LeftBehind[] = [];
  const { reconciler, logGroup } = stage.options;
  for (const { versionId, token, state } of stage.tokens.values()) {
    if (state === "seen dead") continue;
    const how = {
      current: "the next rotation replaces it",
      pending: "a rotation is open, which goes on in AWS; `c2m-tokens status` shows it",
      superseded: `${reconciler} revokes it, within the hour after its grace`,
    }[state];
    const what = `${state} token ${token.tokenId ?? "without an id"} in version ${versionId}`;
    left.push({ what, until: Date.parse(token.expiresAt), how });
  }
  if (stage.openVersionId !== undefined && !stage.tokens.has(stage.openVersionId)) {
    const what = `the rotation of version ${stage.openVersionId}`;
    left.push({ what, until: undefined, how: "it goes on in AWS; `c2m-tokens status` shows it and its token" });
  }
  if (stage.tokens.size > 0) {
    const until = stage.now() + shortTokenMs;
    left.push({ what: "short tokens that were exchanged and thrown away", until, how: "they expire" });
    left.push({ what: "versions in the secret", until: undefined, how: "Secrets Manager removes old ones" });
  }
  const how = "the log is kept as long as `logRetentionDays` says, an alarm's history for 30 days";
  left.push({ what: `lines in ${logGroup}, and entries in the alarms' history`, until: undefined, how });
  if (stage.alarm) {
    const { name, isSetBack } = stage.alarm;
    const how = isSetBack ? "it was set back" : "CloudWatch sets it back within minutes";
    left.push({ what: `the alarm ${name}, set off as a test, and what its subscribers got`, until: undefined, how });
  }
  return left;
}

/** Calls that may have issued a token whose id nobody knows. */
async function unansweredCalls(stage: Stage): Promise<LeftBehind[]> {
  const lines = await stage.lines("token.issue.started", "token.issued", "token.issue.refused");
  const answered = new Set(
    lines.flatMap(({ event, fields }) => (event === "token.issue.started" ? [] : [fields.attempt_id])),
  );
  return lines.flatMap(({ event, fields }) => {
    if (event !== "token.issue.started" || answered.has(fields.attempt_id)) return [];
    const what = `a token that may have been issued for version ${fields.version_id}`;
    return [{ what, until: Date.parse(String(fields.latest_expires_at)), how: "docs/runbook.md#orphan-suspected" }];
  });
}

export function leftText({ what, until, how }: LeftBehind): string {
  return `${what}: ${until === undefined ? "" : `until ${date(until)}; `}${how}`;
}
