import { AwsError } from "../../aws/service.ts";
import { InvalidSchedule, parseSchedule, type RotationRules } from "../../schedule.ts";
import { change } from "../changes.ts";
import { type Context, writableSecret } from "../context.ts";
import { functionNotInvokable, noRotationFunction, rotationInProgress, tokenMissing, unrecorded } from "../errors.ts";
import { current, holderOf, pendingVersion } from "../labels.ts";
import type { Secret } from "../secret.ts";
import type { Input } from "../shapes.ts";

export interface RotateSecretOutput {
  ARN: string;
  Name: string;
  VersionId?: string;
}

/**
 * Configures rotation where the input says so, and starts one: a whole rotation, or with RotateImmediately=false only a test of it. Answers before the
 * function runs.
 */
export function rotateSecret(context: Context, input: Input<"RotateSecret">): RotateSecretOutput {
  const { knobs, rotations } = context;
  const token = input.ClientRequestToken;
  if (token === undefined) throw tokenMissing("InvalidParameterException");
  const secret = writableSecret(context, input.SecretId);
  const lambdaArn = input.RotationLambdaARN ?? secret.state.rotation?.lambdaArn;
  if (lambdaArn === undefined) throw noRotationFunction();
  checkRules(context, input.RotationRules);
  if (!context.rotator.mayInvoke(lambdaArn, secret.arn)) throw functionNotInvokable();
  const answer = { ARN: secret.arn, Name: secret.name, VersionId: token };

  const unfinished = pendingVersion(secret.state);
  if (unfinished) {
    if (knobs.refusedRotateStoresRules) configure(context, secret, lambdaArn, input.RotationRules);
    if (knobs.refusedRotateRetries && secret.state.rotation?.enabled) void rotations.again(secret, unfinished.id);
    throw rotationInProgress(knobs.apostrophe);
  }
  if (knobs.rotateWithoutValue === "refuse" && !holderOf(secret.state, current)) {
    throw unrecorded(knobs.unrecorded.rotateWithoutValue);
  }
  const used = secret.state.versions.has(token);
  if (used && knobs.rotateWithUsedToken === "refuse") throw unrecorded(knobs.unrecorded.rotateWithUsedToken);

  configure(context, secret, lambdaArn, input.RotationRules);
  if (used) return answer;
  if (input.RotateImmediately === false) void rotations.test(secret, token);
  else void rotations.start(secret, token);
  return answer;
}

function configure(context: Context, secret: Secret, lambdaArn: string, rules: RotationRules | undefined): void {
  const now = context.clock.now();
  change(context, secret, "rotation", (state) => {
    const { rotation: before } = state;
    const same = before?.enabled && rules === undefined;
    state.rotation = {
      enabled: true,
      lambdaArn,
      rules: rules ?? before?.rules,
      history: same ? { ...before.history, fulfilledAt: now } : { setAt: now, fulfilledAt: now },
      announced: before?.announced,
      lastRotatedDate: before?.lastRotatedDate,
      calculatedDays: rules === undefined ? before?.calculatedDays : undefined,
    };
    return undefined;
  });
  context.scheduler.plan(secret);
}

function checkRules(context: Context, rules: RotationRules | undefined): void {
  if (!rules) return;
  try {
    parseSchedule(rules);
  } catch (error) {
    if (!(error instanceof InvalidSchedule)) throw error;
    throw new AwsError(context.knobs.unrecorded.badSchedule.code, error.message);
  }
}

/** Turns rotation off and ends one that is open; its labels stay where they are. */
export function cancelRotateSecret(context: Context, input: Input<"CancelRotateSecret">): RotateSecretOutput {
  const secret = writableSecret(context, input.SecretId);
  if (!secret.state.rotation) throw unrecorded(context.knobs.unrecorded.cancelUnconfigured);
  const versionId = context.rotations.cancel(secret);
  change(context, secret, "rotation", (state) => {
    if (state.rotation) state.rotation = { ...state.rotation, enabled: false };
    return undefined;
  });
  context.scheduler.plan(secret);
  return { ARN: secret.arn, Name: secret.name, ...(versionId === undefined ? {} : { VersionId: versionId }) };
}
