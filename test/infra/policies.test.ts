import type { PolicyResource } from "@pulumi/policy";
import * as proxy from "@pulumi/policy/proxy.js";
import { describe, expect, it } from "vitest";
import { policies } from "../../infra/policies.ts";
import { type ShownResource, shown } from "../harness/policy-resources.ts";
import { plan } from "../harness/program.ts";
import { stackConfig } from "../harness/stack.ts";

/** The SDK's own, which its types leave out: what is not known yet can't be looked at. */
const { unknownCheckingProxy, unknownStringValue } = proxy as unknown as {
  unknownCheckingProxy: (props: object) => Record<string, unknown>;
  unknownStringValue: string;
};
const { config, secretKeys = [] } = stackConfig();
const [mute, told] = await Promise.all([
  plan({ config, secretKeys }),
  plan({ config: { ...config, alarmEmails: '["ops@example.com"]' }, secretKeys }),
]);

/** Names of the policies that are broken, and by what. */
function broken(resources: readonly ShownResource[]): string[] {
  const policyResources = new Map<string, PolicyResource>();
  for (const { props, ...resource } of resources) {
    policyResources.set(resource.urn, {
      ...resource,
      props: unknownCheckingProxy(props),
      propertyDependencies: {},
    } as unknown as PolicyResource);
  }
  for (const { urn, propertyDependencies } of resources) {
    const entries = Object.entries(propertyDependencies).map(([key, urns]) => [
      key,
      urns.flatMap((other) => policyResources.get(other) ?? []),
    ]);
    Object.assign(policyResources.get(urn) ?? {}, { propertyDependencies: Object.fromEntries(entries) });
  }
  const found: string[] = [];
  for (const { name, validateStack } of policies) {
    const args = { resources: [...policyResources.values()] } as Parameters<typeof validateStack>[0];
    void validateStack(args, (_, urn = "") => found.push(`${name}: ${urn.split("::").at(-1)}`));
  }
  return found;
}

describe.each([
  ["after the deployment", undefined],
  ["at preview", unknownStringValue],
])("the policies, %s,", (_, later) => {
  const stack = (program: typeof mute = told) => shown(program, later);
  const changed = (kind: string, change: (resource: ShownResource) => ShownResource) =>
    stack().map((resource) => (resource.type.endsWith(`:${kind}`) ? change(resource) : resource));

  it("find nothing in this project's own stack, but that its alarms reach nobody where nobody is named", () => {
    expect(broken(stack())).toEqual([]);
    expect(broken(stack(mute))).toEqual(["alarms-reach-somebody: c2m-token-rotation-alarms"]);
  });

  it("find a value of Pulumi's in a secret that is rotated", () => {
    const rotation = stack().find(({ type }) => type.endsWith(":SecretRotation"));
    const resources = changed("SecretVersion", (version) => ({
      ...version,
      props: { ...version.props, secretId: rotation?.props.secretId },
      propertyDependencies: { secretId: rotation?.propertyDependencies.secretId ?? [] },
    }));
    expect(broken(resources)).toEqual(["rotated-secrets-have-no-managed-value: c2m-token-rotation-credentials"]);
  });

  it.each([
    ["too seldom", { scheduleExpression: "rate(90 days)" }],
    ["too seldom, in days", { automaticallyAfterDays: 95, scheduleExpression: "" }],
    ["never", { scheduleExpression: "cron(0 0 31 2 ? *)" }],
  ])("find a rotation that comes %s", (_, rotationRules) => {
    const resources = changed("SecretRotation", (rotation) => ({
      ...rotation,
      props: { ...rotation.props, rotationRules },
    }));
    expect(broken(resources)).toEqual(["rotations-come-in-time: c2m-token-rotation-c2m/api-token"]);
  });

  it("find a grace that outlasts the next rotation of its own secret", () => {
    const withGraces = (graceSeconds: Record<string, number>) =>
      changed("TokenRotation", (rotation) => ({ ...rotation, props: { ...rotation.props, graceSeconds } }));
    const found = ["rotations-come-in-time: c2m-token-rotation-c2m/api-token"];
    expect(broken(withGraces({ "c2m/api-token": 8 * 86_400 }))).toEqual(found);
    expect(broken(withGraces({ "c2m/api-token": 3_600, "c2m/other": 8 * 86_400 }))).toEqual([]);
  });

  it("let a secret that is no token be rotated more seldom", () => {
    const resources = changed("SecretRotation", (rotation) => ({
      ...rotation,
      props: { ...rotation.props, rotationRules: { scheduleExpression: "rate(200 days)" } },
    })).filter(({ type }) => !type.endsWith(":TokenRotation"));
    expect(broken(resources)).toEqual([]);
  });

  it("find an alarm without an action", () => {
    const resources = changed("MetricAlarm", (alarm) =>
      alarm.name.endsWith("-rotator-errors")
        ? { ...alarm, props: { ...alarm.props, alarmActions: [] }, propertyDependencies: {} }
        : alarm,
    );
    expect(broken(resources)).toEqual(["alarms-have-an-action: c2m-token-rotation-rotator-errors"]);
  });
});
