import type { Call } from "../command.ts";
import { refused } from "../failure.ts";
import type { RotationHistory } from "../rotation-history.ts";
import { rotatorOf, type Target } from "../target.ts";
import { relative } from "../time-text.ts";
import type { TokenView } from "../token-view.ts";

/**
 * A step that began before a label is taken away may still promote its version: so nothing is taken away while one can
 * be at work, which is as long as Lambda lets the rotator run.
 *
 * @throws Failure (refused)
 */
export async function refuseWhileAtWork(
  call: Call,
  target: Target,
  view: TokenView,
  { openStep }: RotationHistory,
): Promise<void> {
  if (!openStep) return;
  const rotator = rotatorOf(target, view.rotationLambdaArn);
  const { timeoutSeconds = 900 } = await (await call.aws()).functionConfiguration(rotator);
  const over = openStep.at + timeoutSeconds * 1_000;
  if (over <= call.clock.now()) return;
  throw refused(`${openStep.step} may still be at work.`, `Try again ${relative(over, call.clock.now())}.`);
}
