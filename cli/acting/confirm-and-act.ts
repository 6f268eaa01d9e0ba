import type { Aws } from "../aws.ts";
import type { Call } from "../command.ts";
import { failureOf, refused } from "../failure.ts";
import type { OperatorLog } from "../operator-log.ts";
import type { RotationHistory } from "../rotation-history.ts";
import { rotatorOf, type Target } from "../target.ts";
import { relative } from "../time-text.ts";
import type { TokenView } from "../token-view.ts";

/** How long Lambda lets a function run that says nothing of it. In ms. */
const longestStepMs = 900_000;

/** For how long a step of the rotator may be at work, in ms. */
export async function stepTimeOf(aws: Aws, target: Target, view: TokenView): Promise<number> {
  const { timeoutSeconds } = await aws.functionConfiguration(rotatorOf(target, view.rotationLambdaArn));
  return timeoutSeconds === undefined ? longestStepMs : timeoutSeconds * 1_000;
}

/**
 * A step that began before a label is taken away may still promote its version: so nothing is taken away while one can
 * be at work.
 *
 * @throws Failure (refused)
 */
export async function refuseWhileAtWork(
  { clock }: Call,
  aws: Aws,
  { target, view, history }: { target: Target; view: TokenView; history: RotationHistory },
): Promise<void> {
  const { openStep, toldVersions } = history;
  const { pending, lastChangedAt } = view;
  const isUntold = pending !== undefined && !toldVersions.has(pending.versionId);
  const began = Math.max(openStep?.at ?? 0, isUntold ? (lastChangedAt ?? 0) : 0);
  if (began === 0) return;
  const over = began + (await stepTimeOf(aws, target, view));
  if (over <= clock.now()) return;
  const what = openStep?.step ?? "A rotation has begun of which the log says nothing yet: a step of it";
  throw refused(`${what} may still be at work.`, `Try again ${relative(over, clock.now())}.`);
}

/**
 * Has what can't be undone confirmed by the secret's name: with `--yes NAME`, or typed by the person.
 *
 * @throws Failure (refused)
 */
export async function confirmByName({ options, terminal }: Call, name: string, what: string): Promise<void> {
  const given = options.text("yes");
  if (given === name) return;
  if (given !== undefined)
    throw refused(`--yes names ${JSON.stringify(given)}, and the secret is ${JSON.stringify(name)}.`);
  const remedy = `If you mean it: --yes ${name}`;
  if (!terminal.isInteractive) throw refused(`${what} This can't be undone, and was not confirmed.`, remedy);
  const answer = await terminal.ask(`${what} This can't be undone.\nType the secret's name to go on: `);
  if (answer.trim() !== name) throw refused("Not confirmed.", remedy);
}

/**
 * Does what must not be left half done: Ctrl-C waits for its end, and what was done is written into the functions' log,
 * whatever came of it.
 *
 * @param ifCut what a second Ctrl-C may leave, and what mends it
 * @param tell says what was done, before the command stops
 */
export async function act<Result>(
  call: Call,
  { aws, log, logGroup, ifCut }: { aws: Aws; log: OperatorLog; logGroup: string; ifCut: string },
  work: () => Promise<Result>,
  tell: (done: Result) => void = () => undefined,
): Promise<Result> {
  return await call.uninterrupted(async () => {
    let done: Result;
    try {
      done = await work();
    } finally {
      await keepLog(call, aws, log, logGroup);
    }
    tell(done);
    return done;
  }, ifCut);
}

/** Sends the operator's lines; where that is not possible they are lost, and the person has to know what follows. */
async function keepLog({ terminal }: Call, aws: Aws, log: OperatorLog, logGroup: string): Promise<void> {
  try {
    await log.flush(aws, logGroup);
  } catch (error) {
    const { message } = failureOf(error);
    terminal.warn(`what was done could not be written to the functions' log; CloudTrail has it. ${message}`);
  }
}
