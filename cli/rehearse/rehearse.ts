import { compromised } from "../acting/compromised.ts";
import { confirmByName } from "../acting/confirm-and-act.ts";
import { rollback } from "../acting/rollback.ts";
import type { Aws } from "../aws.ts";
import type { Call } from "../command.ts";
import { type ExitCode, exitCode, failed, refused, usage } from "../failure.ts";
import { writePage } from "../page-file.ts";
import { protocolFor } from "../protocol.ts";
import { rotationOff } from "../rotation-off.ts";
import { logGroupOf, onlySecret, reconcilerOf, rotationOf, type Target } from "../target.ts";
import { span } from "../time-text.ts";
import { tokenOf, viewToken } from "../token-view.ts";
import { tryAlarms } from "./alarm-test.ts";
import { type Expected, expected, priceSource } from "./cost.ts";
import { liveThroughGrace, reconcileAndSeeDead } from "./end-of-grace.ts";
import { goBackAndLook } from "./going-back.ts";
import { answerLeakAndLook } from "./leak.ts";
import { checkLedger } from "./ledger-check.ts";
import { leftBehind, leftText, remembered } from "./leftovers.ts";
import type { OwnCommand } from "./own-command.ts";
import { rehearsalPage } from "./page.ts";
import { allHeld, asRecord, type Rehearsal, show } from "./report.ts";
import { rotateAndWatch } from "./rotation.ts";
import { Stage } from "./stage.ts";

/** `rollback` leaves the last minute of a grace alone, and has to come after a rotation. In ms. */
const shortestGraceMs = 3 * 60_000;

/** A longer grace makes the rehearsal long, which is told. In ms. */
const handyGraceMs = 15 * 60_000;

/** What is done, as `--dry-run` tells it. */
const steps = [
  "looks at every alarm, sets one off, waits until its action ran, and sets it back",
  "rotates, and looks at labels and values at each step",
  "goes back to the previous token with `rollback`",
  "rotates again, waits until the grace is over, and looks whether the superseded token works until then",
  "runs the reconciler, and waits until C2M rejects what it has revoked",
  "answers a leak with `compromised`",
  "reads the log for every line that all this must have left",
] as const;

/** The commands that are rehearsed. */
export interface Rehearsed {
  rollback: OwnCommand;
  compromised: OwnCommand;
}

/** Tries every promise on a sandbox stack. */
export async function rehearse(call: Call, commands: Rehearsed = { rollback, compromised }): Promise<ExitCode> {
  const { options, terminal } = call;
  const stack = options.text("stack");
  const report = options.text("report");
  if (stack === undefined)
    throw usage("rehearse works on a stack whose config says that it is a sandbox: --stack STACK.");
  const target = await call.target();
  if (target.isSandbox !== true) {
    throw refused(
      `The stack ${stack} does not say that it is a sandbox. A rehearsal rotates, rolls back and revokes for real.`,
      "Where no app depends on its tokens: pulumi config set sandbox true, then pulumi up",
    );
  }
  const aws = await call.aws();
  const stage = await stageFor(call, aws, target);
  const { graceMs, rotation } = stage.options;
  const plan = expected(graceMs);
  const what = `This rotates ${stage.name} ${plan.longTokens} times, goes back once, revokes what was superseded and sets off an alarm of ${rotation}, for real.`;
  if (options.flag("dry-run")) {
    const graceSeconds = graceMs / 1_000;
    const result = { stack, secret: stage.name, dryRun: true, steps, graceSeconds, ...plan, priceSource };
    terminal.result(result, () => tellPlan(call, what, plan));
    return exitCode.done;
  }
  if (report !== undefined) await writePage(report, "");
  await confirmByName(call, stage.name, what);
  terminal.line(`It takes ${span(plan.leastMs)} to ${span(plan.mostMs)}, of which the grace is ${span(graceMs)}.`);
  if (graceMs > handyGraceMs) {
    terminal.warn(
      `the grace of ${stage.name} is ${span(graceMs)}, which is waited out. A sandbox does with \`grace\` "5 minutes" (tokens[].grace).`,
    );
  }
  const leftText = () => whatIsLeft(stage);
  const rehearsal = await call.uninterrupted(async () => {
    const done = await perform(stage, commands, stack);
    if (report !== undefined) await writePage(report, rehearsalPage(done));
    terminal.result(asRecord(done), () => {
      show(terminal, done);
      if (report !== undefined) terminal.line(`Written to ${report}.`);
    });
    return done;
  }, leftText);
  return allHeld(rehearsal) ? exitCode.done : exitCode.failed;
}

/** @throws Failure where a rehearsal can't begin */
async function stageFor(call: Call, aws: Aws, target: Target): Promise<Stage> {
  const view = await viewToken(aws, onlySecret(target));
  const graceSeconds = target.graceSecondsOf(view.arn) ?? target.graceSecondsOf(view.name);
  const off = rotationOff(view);
  if (off) throw off;
  if (view.pending) {
    throw refused(`A rotation of ${view.name} has not ended.`, `c2m-tokens unstick --secret ${view.name}`);
  }
  const token = tokenOf(view.current);
  if (!token) throw refused(`${view.name} holds no token of ours.`, `c2m-tokens status --secret ${view.name}`);
  if (graceSeconds === undefined) throw failed("The stack does not tell the grace of its tokens.", "pulumi up");
  if (graceSeconds * 1_000 < shortestGraceMs) {
    throw refused(
      `The grace of ${view.name} is ${span(graceSeconds * 1_000)}; to try rollback it must be ${span(shortestGraceMs)} at least.`,
      'Set `grace` to "5 minutes" for the rehearsal (tokens[].grace), then pulumi up',
    );
  }
  const c2m = protocolFor(call, aws, target, view, 0).context.c2mAt(token.baseUrl);
  if (!c2m) throw refused("The token belongs to another C2M than the stack's.", "pulumi up");
  return new Stage({
    call,
    aws,
    target,
    view,
    c2m,
    graceMs: graceSeconds * 1_000,
    logGroup: await logGroupOf(aws, target, view.rotationLambdaArn),
    reconciler: reconcilerOf(target, view.rotationLambdaArn),
    rotation: rotationOf(target, view.rotationLambdaArn),
  });
}

/** Plays the parts; Ctrl-C ends it early, and what is left is told all the same. */
async function perform(stage: Stage, commands: Rehearsed, stack: string): Promise<Rehearsal> {
  const { signal } = stage.options.call;
  try {
    await play(stage, commands);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const { name: secret, startedAt, verdicts, answers } = stage;
  return {
    stack,
    secret,
    startedAt,
    graceMs: stage.options.graceMs,
    interrupted: signal.aborted,
    tried: verdicts.all(),
    answers: answers.all(),
    leftBehind: await leftBehind(stage),
    endedAt: stage.now(),
  };
}

async function play(stage: Stage, { rollback, compromised }: Rehearsed): Promise<void> {
  const rotated: string[] = [];
  const rotate = async () => {
    const done = await stage.act("labels", "RotateSecret", () => rotateAndWatch(stage));
    if (done) rotated.push(done.versionId);
    return done;
  };
  await stage.act("heard", "SetAlarmState", () => tryAlarms(stage));
  const first = await rotate();
  if (first) await stage.act("rollback", "rollback", () => goBackAndLook(stage, rollback, first));
  const second = first && (await rotate());
  if (second) {
    await stage.act("grace", "waited for the end of the grace", () => liveThroughGrace(stage, second));
    await stage.act("reconciler", "invoked the reconciler", () => reconcileAndSeeDead(stage));
    const third = await stage.act("compromised", "compromised", () => answerLeakAndLook(stage, compromised));
    if (third !== undefined) rotated.push(third);
  }
  const wentBackTo =
    first && stage.verdicts.all().some(({ name, verdict }) => name === "rollback" && verdict === "held");
  if (rotated.length === 0) return;
  await stage.act("ledger", "read the log", () =>
    checkLedger(stage, rotated, wentBackTo ? first.supersededId : undefined),
  );
}

function whatIsLeft(stage: Stage): string {
  return `Left behind:\n${remembered(stage)
    .map((left) => `  - ${leftText(left)}`)
    .join("\n")}`;
}

function tellPlan({ terminal }: Call, what: string, { leastMs, mostMs, ...plan }: Expected): void {
  const { secretsManager, lambda, logs, cloudWatch, c2m } = plan.calls;
  terminal.line(what);
  for (const [index, step] of steps.entries()) terminal.line(`  ${index + 1}. ${step}`);
  terminal.line(`  time     ${span(leastMs)} to ${span(mostMs)}`);
  terminal.line(`  tokens   ${plan.longTokens} long ones are issued, and at most ${plan.shortTokens} short ones`);
  terminal.line(
    `  calls    at most ${secretsManager} of Secrets Manager, ${lambda} of Lambda, ${logs} of CloudWatch Logs, ${cloudWatch} of CloudWatch, ${c2m} of C2M`,
  );
  terminal.line(`  cost     at most $${plan.dollars.toFixed(2)} (${priceSource}); C2M sends no letter`);
}
