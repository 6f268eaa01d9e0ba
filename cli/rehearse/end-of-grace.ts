import { revocationMs } from "../acting/compromised.ts";
import { runReconciler } from "../acting/reconciler.ts";
import { failed } from "../failure.ts";
import { span } from "../time-text.ts";
import type { Rotated } from "./rotation.ts";
import { lookEveryMs, type Stage } from "./stage.ts";

/** So long before its end the grace is looked at for the last time, and after it the reconciler is run. In ms. */
const beforeEndMs = 30_000;
const afterEndMs = 15_000;

/** How long the reconciler is tried until it has revoked what is due: clocks differ, and replicas may be behind. In ms. */
const reconcilerMs = 3 * 60_000;

/** Waits the grace of the superseded token out, and looks whether it lives until then. */
export async function liveThroughGrace(stage: Stage, { versionId, supersededId, promotedAt }: Rotated): Promise<void> {
  const { graceMs } = stage.options;
  const superseded = stage.tokens.get(supersededId);
  if (!superseded) throw failed("The superseded token is not known.");
  const look = (when: string) => stage.judgeLife("grace", `exchanged the superseded token ${when}`, superseded.token);
  if (!(await look("after the promotion"))) return;
  const endsAt = (await loggedPromotion(stage, versionId)) ?? promotedAt;
  stage.say(`Waiting until the grace is over, in ${span(Math.max(0, endsAt + graceMs - stage.now()))}`);
  await stage.waitUntil(endsAt + graceMs - beforeEndMs);
  if (stage.now() < endsAt + graceMs) await look(`${span(endsAt + graceMs - stage.now())} before its grace is over`);
  // C2M may let a token in for minutes after it was revoked: the log tells what was begun too early.
  const early = (await stage.lines("token.revoked")).find(
    ({ at, fields }) => fields.token_id === superseded.token.tokenId && at < endsAt + graceMs,
  );
  if (early) {
    const when = span(Math.max(0, endsAt + graceMs - early.at));
    stage.verdicts.broken("grace", "read the log", `it was revoked ${when} before its grace was over`);
  }
  await stage.askCurrent("at the end of the grace");
  await stage.waitUntil(endsAt + graceMs + afterEndMs);
}

/** When the grace began by the log, which is what the reconciler counts by. */
async function loggedPromotion(stage: Stage, versionId: string): Promise<number | undefined> {
  const lines = await stage.lines("token.promoted");
  return lines.find(({ fields }) => fields.version_id === versionId)?.at;
}

/** Runs the reconciler, and sees every superseded token revoked and dead. */
export async function reconcileAndSeeDead(stage: Stage): Promise<void> {
  const { reconciler } = stage.options;
  const due = [...stage.tokens.values()].filter(({ state }) => state === "superseded");
  stage.say("Running the reconciler");
  const runs = async () => (await stage.lines("reconcile.completed")).length;
  const runsBefore = await runs();
  const revoked = new Set<string>();
  let problem: string | undefined;
  await stage.until(
    async () => {
      const report = await runReconciler(stage.aws, reconciler, { secret: stage.name });
      for (const id of report.revoked) revoked.add(id);
      const open = report.backlog > 0 ? `${report.backlog} due tokens are not revoked` : undefined;
      problem = report.error?.reason ?? open;
      for (const { fields } of await stage.lines("token.revoked")) revoked.add(String(fields.token_id));
      const isDone = due.every(({ token }) => token.tokenId !== undefined && revoked.has(token.tokenId));
      return problem === undefined && isDone ? true : undefined;
    },
    { forMs: reconcilerMs, everyMs: 2 * lookEveryMs },
  );
  const completed = await stage.untilLogged(async () => ((await runs()) > runsBefore ? true : undefined));
  if (problem !== undefined) stage.verdicts.broken("reconciler", "invoked the reconciler", problem);
  else {
    stage.verdicts.judge("reconciler", "invoked the reconciler", {
      problem: completed ? undefined : "its reconcile.completed line is not in the log",
      answered: `it revoked ${[...revoked].join(" ") || "nothing"}`,
    });
  }
  for (const { versionId, token } of due) {
    const name = token.tokenId ?? `the token of version ${versionId}`;
    if (token.tokenId === undefined || !revoked.has(token.tokenId)) {
      stage.verdicts.broken("revocation", `looked for the revocation of ${name}`, "it was not revoked after its grace");
      continue;
    }
    await seeDead(stage, versionId, "revocation");
  }
}

/** Exchanges a token until C2M rejects it, and judges the promise that it does. */
export async function seeDead(stage: Stage, versionId: string, promise: "revocation" | "compromised"): Promise<void> {
  const known = stage.tokens.get(versionId);
  if (!known) throw failed("The token is not known.");
  const name = known.token.tokenId ?? `the token of version ${versionId}`;
  stage.say(`Waiting until C2M rejects ${name}`);
  const startedAt = stage.now();
  let acceptedFor = 0;
  const rejected = await stage.until(
    async () => {
      const said = await stage.ask(known.token);
      if (said === "works") acceptedFor = stage.now() - startedAt;
      return said === "rejected" ? true : undefined;
    },
    { forMs: revocationMs },
  );
  // Without "works" nothing was seen: the call may have waited for C2M's rate limit.
  stage.answers.delay("c2m.revocationDelayMs", acceptedFor, 0);
  if (rejected) stage.mark(versionId, known.token, "seen dead");
  stage.verdicts.judge(promise, `exchanged ${name} until C2M rejected it`, {
    problem: rejected ? undefined : `C2M still accepts it ${span(stage.now() - startedAt)} after its revocation`,
    answered: `C2M rejects it (invalid_token) after ${span(stage.now() - startedAt)}`,
  });
}
