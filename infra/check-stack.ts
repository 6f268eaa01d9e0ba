import { formatDuration } from "../src/formats/duration.ts";
import { alarmNames } from "../src/formats/metrics.ts";
import { lifetimeRange } from "../src/formats/settings.ts";
import { InvalidSchedule, parseSchedule, reachOf } from "./args/schedule.ts";
import { marginSeconds } from "./args/token-rules.ts";

/** A resource as Pulumi's mocks get it: `pulumi.runtime.setMocks({ newResource: (resource) => … })`. */
export interface DeclaredResource {
  /** As in `aws:secretsmanager/secretRotation:SecretRotation`. */
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/**
 * For the tests of a stack that uses `TokenRotation`: what is wrong with the resources that it declares; empty when all is
 * well. Every token is rotated often enough and not at once, no token's value is Pulumi's, and the alarms reach somebody.
 *
 * @example
 * const resources: DeclaredResource[] = [];
 * await pulumi.runtime.setMocks({
 *   newResource: (resource) => {
 *     resources.push(resource);
 *     return { id: resource.name, state: { ...resource.inputs, arn: `arn:${resource.name}` } };
 *   },
 *   call: () => ({}),
 * });
 * // … run the program …
 * expect(checkStack(resources)).toEqual([]);
 */
export function checkStack(resources: readonly DeclaredResource[]): string[] {
  const all = (kind: string) => resources.filter(({ type }) => type.endsWith(`:${kind}`));
  const rotations = all("SecretRotation");
  const tokens = all("TokenRotation").flatMap(({ inputs }) => (Array.isArray(inputs.tokens) ? inputs.tokens : []));
  const problems: string[] = [];
  if (tokens.length === 0) problems.push("There is no TokenRotation with a token.");
  if (rotations.length < tokens.length) problems.push(`${tokens.length} tokens have ${rotations.length} rotations.`);
  const rotated = new Set(rotations.map(({ inputs }) => inputs.secretId));
  for (const { name, inputs } of all("SecretVersion")) {
    if (rotated.has(inputs.secretId)) {
      problems.push(`SecretVersion ${name}: after two rotations it would put its value back over the token.`);
    }
  }
  return [
    ...problems,
    ...rotations.flatMap(checkRotation),
    ...checkAlarms(all("MetricAlarm"), all("Monitoring").length),
  ];
}

function checkRotation({ name, inputs }: DeclaredResource): string[] {
  const problems: string[] = [];
  if (inputs.rotateImmediately !== false) {
    problems.push(`SecretRotation ${name}: rotateImmediately must be false, or each change of the schedule rotates.`);
  }
  const problem = scheduleProblem(inputs.rotationRules as RotationRulesArgs, 0);
  if (problem !== undefined) problems.push(`SecretRotation ${name}: ${problem}`);
  return problems;
}

/** `rotationRules` of a SecretRotation, as far as they matter here. */
interface RotationRulesArgs {
  scheduleExpression?: string;
  automaticallyAfterDays?: number;
  duration?: string;
}

/** Why a token can't live until its schedule's next rotation and through the grace after it; undefined where it can. */
export function scheduleProblem(rules: RotationRulesArgs | undefined, graceSeconds: number): string | undefined {
  if (rules === undefined) return undefined;
  const { scheduleExpression, automaticallyAfterDays, duration } = rules;
  try {
    const reach = reachOf(
      parseSchedule({
        // The provider puts out the other one, too, as nothing.
        ScheduleExpression: scheduleExpression || undefined,
        AutomaticallyAfterDays: scheduleExpression ? undefined : automaticallyAfterDays,
        Duration: duration || undefined,
      }),
    );
    if (graceSeconds >= reach.shortestGapMs / 1_000) {
      return `The grace of ${formatDuration(graceSeconds)} is not shorter than the schedule's shortest gap.`;
    }
    const needed = (reach.longestGapMs + reach.longestWindowMs) / 1_000 + graceSeconds + marginSeconds;
    if (needed < lifetimeRange.max) return undefined;
    return `No token lives as long as the schedule's longest gap, its window, the grace and a margin, ${formatDuration(needed)}: ${formatDuration(lifetimeRange.max)} at most.`;
  } catch (error) {
    if (error instanceof InvalidSchedule) return error.message;
    throw error;
  }
}

function checkAlarms(alarms: readonly DeclaredResource[], monitored: number): string[] {
  if (monitored === 0) return ["There is no Monitoring."];
  const missing = alarmNames.filter((name) => !alarms.some((alarm) => alarm.name.endsWith(`-${name}`)));
  const mute = alarms.filter(({ inputs }) => !Array.isArray(inputs.alarmActions) || inputs.alarmActions.length === 0);
  return [
    ...missing.map((name) => `The alarm ${name} is missing.`),
    ...mute.map(({ name }) => `MetricAlarm ${name} tells nobody.`),
  ];
}
