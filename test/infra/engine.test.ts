import { describe, expect, it } from "vitest";
import { type RegisteredResource, runProgram } from "../../local-cloud/pulumi/engine.ts";
import { isSecret } from "../../local-cloud/pulumi/property-values.ts";
import { plan, program } from "../harness/program.ts";
import { clientSecret, stackConfig } from "../harness/stack.ts";

const { config, secretKeys = [] } = stackConfig();
const { tokens: [token] = [] } = { tokens: JSON.parse(config.tokens ?? "[]") as { name: string }[] };
/** An account in which a release before this one has deployed the token's secret: without the tag of the scopes. */
const before = (filters: { name: string; values: string[] }[]) =>
  filters.some(({ values }) => values.includes("Rotation")) ? [token?.name ?? "", "another"] : [];
const scopesNamed = JSON.stringify([{ ...token, scopes: ["jobs:submit", "jobs:read", "tokens:revoke"] }]);
const [run, preview, refused, plain, placeless, upgraded, named, mocked] = await Promise.all([
  runProgram({ program, config, secretKeys }),
  runProgram({ program, config, secretKeys, preview: true }),
  runProgram({ program, config: { ...config, tokens: "[]", baseUrl: "ftp://user:hunter2@host" }, secretKeys }),
  runProgram({ program, config, secretKeys: [] }),
  runProgram({ program, config, secretKeys, env: { AWS_REGION: "", AWS_CONFIG_FILE: "/nowhere" } }),
  runProgram({ program, config, secretKeys, preview: true, secretNames: before }),
  runProgram({ program, config: { ...config, tokens: scopesNamed }, secretKeys, preview: true, secretNames: before }),
  plan({ config, secretKeys }),
]);

/** The value without what is secret in it: what stands in the state as plain text. */
function readable(value: unknown): unknown {
  if (isSecret(value)) return "[secret]";
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, readable(entry)]));
}

describe("the program, started as pulumi starts it", () => {
  it("runs to its end and says nothing", () => {
    expect(run.printed).toBe("");
    expect(run.messages.filter(({ severity }) => severity !== "debug")).toEqual([]);
    expect(run.exitCode).toBe(0);
  });

  it("registers the resources that the mocks saw, with the same parents, dependencies and protection", () => {
    // The mocks make other URNs of the same parts.
    const registered = (
      resources: Pick<RegisteredResource, "urn" | "type" | "name" | "parent" | "dependencies" | "protect">[],
    ) => {
      const names = new Map(resources.map(({ urn, type, name }) => [urn, `${type} ${name}`]));
      return Object.fromEntries(
        resources.map(({ urn, parent, dependencies, protect }) => [
          names.get(urn),
          { parent: names.get(parent), dependencies: dependencies.map((other) => names.get(other)).sort(), protect },
        ]),
      );
    };
    expect(registered(run.resources)).toEqual(registered(mocked.resources));
  });

  it("marks the client secret as secret wherever it goes: it never is in the state as plain text", () => {
    const all = JSON.stringify(run.resources) + JSON.stringify(run.outputs);
    expect(all).toContain(clientSecret);
    expect(JSON.stringify(readable(run.resources)) + JSON.stringify(readable(run.outputs))).not.toContain(clientSecret);
  });

  it("puts out the same as under the mocks", () => {
    expect(run.outputs).toEqual(mocked.outputs);
  });

  it("registers the same at preview, where nothing is known of what will be made", () => {
    expect(preview.exitCode).toBe(0);
    const urns = (resources: typeof run.resources) => resources.map(({ urn }) => urn).sort();
    expect(urns(preview.resources)).toEqual(urns(run.resources));
  });

  it("fails on a bad config with one message and without a stack trace, before it registers anything but the stack", () => {
    expect(refused.exitCode).not.toBe(0);
    const errors = refused.messages.filter(({ severity }) => severity === "error").map(({ text }) => text);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^The stack's config is not valid:\n( {2}- .+\n?)+$/);
    expect(errors[0]).not.toContain("hunter2");
    expect(refused.resources.map(({ type }) => type)).toEqual(["pulumi:pulumi:Stack"]);
  });

  it("warns of a client secret that was set without --secret, shows none of it, and goes on", () => {
    const warnings = plain.messages.filter(({ severity }) => severity === "warning").map(({ text }) => text);
    expect(warnings).toEqual([
      expect.stringMatching(/^clientSecret stands in the stack's file as plain text\. Set it by/),
    ]);
    expect(warnings.join()).not.toContain(clientSecret);
    expect(plain.exitCode).toBe(0);
  });

  it("names the region that nobody has set", () => {
    const errors = placeless.messages.filter(({ severity }) => severity === "error").map(({ text }) => text);
    expect(errors).toEqual([
      "The stack's config is not valid:\n  - aws:region (where the stack is): must be set, as by `pulumi config set aws:region us-east-1`, or AWS_REGION",
    ]);
    expect(placeless.resources.map(({ type }) => type)).toEqual(["pulumi:pulumi:Stack"]);
  });

  it("says at preview whose apps a new default takes a scope from, and says nothing where the scopes are named", () => {
    const warningsOf = ({ messages }: typeof run) =>
      messages.filter(({ severity }) => severity === "warning").map(({ text }) => text);
    expect(warningsOf(upgraded)).toEqual([
      expect.stringMatching(/default of tokens\[…\]\.scopes has changed.*no other scope: c2m\/api-token\..*jobs:read/),
    ]);
    expect(warningsOf(named)).toEqual([]);
    expect([upgraded.exitCode, named.exitCode]).toEqual([0, 0]);
  });
});
