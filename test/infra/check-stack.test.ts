import { describe, expect, it } from "vitest";
import { checkStack, type DeclaredResource } from "../../infra/check-stack.ts";
import { plan } from "../harness/program.ts";
import { stackConfig } from "../harness/stack.ts";

const { resources } = await plan(stackConfig());

/** The stack's resources with those of a kind changed; null removes them. */
function withChanged(
  kind: string,
  change: (inputs: Record<string, unknown>) => Record<string, unknown> | null,
): DeclaredResource[] {
  return resources.flatMap((resource): DeclaredResource[] => {
    if (!resource.type.endsWith(`:${kind}`)) return [resource];
    const inputs = change(resource.inputs);
    return inputs ? [{ ...resource, inputs }] : [];
  });
}

const rotation = resources.find(({ type }) => type.endsWith(":SecretRotation"));

describe("the checks that a stack of another project can run", () => {
  it("find nothing wrong with this one", () => {
    expect(checkStack(resources)).toEqual([]);
  });

  it.each<[string, DeclaredResource[], RegExp]>([
    ["no rotation at all", withChanged("TokenRotation", () => null), /^There is no TokenRotation/],
    ["a token that is not rotated", withChanged("SecretRotation", () => null), /^1 tokens have 0 rotations/],
    [
      "a rotation at once",
      withChanged("SecretRotation", (inputs) => ({ ...inputs, rotateImmediately: true })),
      /rotateImmediately must be false/,
    ],
    [
      "a schedule of a hundred days",
      withChanged("SecretRotation", (inputs) => ({
        ...inputs,
        rotationRules: { scheduleExpression: "rate(100 days)" },
      })),
      /No token lives as long/,
    ],
    [
      "a schedule that AWS refuses",
      withChanged("SecretRotation", (inputs) => ({ ...inputs, rotationRules: { scheduleExpression: "rate(1 hour)" } })),
      /too often/,
    ],
    [
      "a value of the token that is Pulumi's",
      withChanged("SecretVersion", (inputs) => ({ ...inputs, secretId: rotation?.inputs.secretId })),
      /would put its value back/,
    ],
    [
      "an alarm that tells nobody",
      withChanged("MetricAlarm", (inputs) => ({ ...inputs, alarmActions: [] })),
      /tells nobody/,
    ],
    ["missing alarms", withChanged("MetricAlarm", () => null), /^The alarm rotator-errors is missing/],
    ["no monitoring", withChanged("Monitoring", () => null), /^There is no Monitoring/],
  ])("find %s", (_, declared, problem) => {
    expect(checkStack(declared)[0]).toMatch(problem);
  });
});
