import { decisionLabel } from "../../src/formats/labels.ts";
import { detachPending } from "../../src/rotation/detach.ts";
import type { Call } from "../command.ts";
import { type ExitCode, exitCode } from "../failure.ts";
import { OperatorLog } from "../operator-log.ts";
import { type RotationHistory, readHistory } from "../rotation-history.ts";
import { deletionOf } from "../rotation-off.ts";
import { logGroupOf, onlySecret } from "../target.ts";
import { date, relative } from "../time-text.ts";
import { type TokenView, tokenOf, type VersionView, viewToken } from "../token-view.ts";
import { act, refuseWhileAtWork } from "./confirm-and-act.ts";

export async function unstick(call: Call): Promise<ExitCode> {
  const { options, terminal } = call;
  const target = await call.target();
  const aws = await call.aws();
  const view = await viewToken(aws, onlySecret(target));
  const deletion = deletionOf(view);
  if (deletion) throw deletion;
  const left = view.current?.stages.includes(decisionLabel) ? view.current : undefined;
  if (left) {
    if (!options.flag("dry-run")) {
      await aws.store.moveStage({ secretId: view.arn, stage: decisionLabel, fromVersionId: left.versionId });
    }
    terminal.line("A rollback was cut short; it no longer keeps the previous token from being revoked.");
  }
  const stuck = view.pending ?? (view.pendingLeftOver ? view.current : undefined);
  if (!stuck) {
    terminal.result({ name: view.name, stuck: null }, () =>
      terminal.line(`Nothing is stuck: no version of ${view.name} is pending.`),
    );
    return exitCode.done;
  }
  const logGroup = await logGroupOf(aws, target, view.rotationLambdaArn);
  const history = await readHistory(aws, logGroup, view, call.clock.now());
  const explanation = explain(view, stuck, history, call.clock.now());
  for (const line of explanation.split("\n")) terminal.line(line);
  await refuseWhileAtWork(call, aws, { target, view, history });
  const result = { name: view.name, stuck: stuck.versionId, explanation };
  if (options.flag("dry-run")) {
    terminal.result({ ...result, dryRun: true }, () => terminal.line("Would take AWSPENDING off it."));
    return exitCode.done;
  }
  const log = new OperatorLog(call.clock);
  await act(
    call,
    { aws, log, logGroup, ifCut: "AWSPENDING may be off it or not. Run the command again: it says so, and goes on." },
    () => detachPending({ arn: view.arn, store: aws.store, log }, stuck.versionId, "an operator took it off"),
    () =>
      terminal.result(result, () => {
        terminal.line(terminal.paint("good", "AWSPENDING is off it."));
        if (stuck === view.pending) terminal.line(`Start afresh: c2m-tokens rotate --wait --secret ${view.name}`);
      }),
  );
  return exitCode.done;
}

function explain(view: TokenView, stuck: VersionView, history: RotationHistory, now: number): string {
  if (stuck === view.current) {
    return "AWSPENDING was left on the current version after its rotation had succeeded. It does no harm.";
  }
  const { lastFailure } = history;
  const failure =
    lastFailure?.versionId === stuck.versionId
      ? `It failed ${relative(lastFailure.at, now)} in ${lastFailure.step}: ${lastFailure.reason}`
      : "The log of the last days has no failure of it.";
  const token = tokenOf(stuck);
  const holds =
    stuck.held === undefined
      ? "It holds no value: no token was stored."
      : token
        ? `It holds the token ${token.tokenId ?? "without id"}, which lives until ${date(Date.parse(token.expiresAt))} unless it is revoked.`
        : "It holds a value that is not a token of ours.";
  return `The version ${stuck.versionId} is pending.\n${failure}\n${holds}`;
}
