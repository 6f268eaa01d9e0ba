import { alarmNames } from "../src/formats/metrics.ts";
import { InvalidSchedule, parseSchedule, reachOf } from "./args/schedule.ts";

/** A resource as Pulumi's mocks get it: `pulumi.runtime.setMocks({ newResource: (resource) => … })`. */
export interface DeclaredResource {
  /** As in `aws:secretsmanager/secretRotation:SecretRotation`. */
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** No token of C2M lives longer, so none may be left without a rotation for so long. In ms. */
const longestGapMs = 90 * 86_400_000;

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
  const { scheduleExpression, duration } = inputs.rotationRules as { scheduleExpression?: string; duration?: string };
  try {
    const { longestGapMs: gap } = reachOf(
      parseSchedule({ ScheduleExpression: scheduleExpression, Duration: duration }),
    );
    if (gap >= longestGapMs)
      problems.push(`SecretRotation ${name}: no token lives as long as its schedule's longest gap.`);
  } catch (error) {
    if (!(error instanceof InvalidSchedule)) throw error;
    problems.push(`SecretRotation ${name}: ${error.message}`);
  }
  return problems;
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
