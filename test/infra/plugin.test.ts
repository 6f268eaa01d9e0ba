import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { rotationKeys, tokenKeys } from "../../infra/args/keys.ts";
import { schemaText } from "../../tools/plugin-schema.ts";

const text = readFileSync(resolve(import.meta.dirname, "../../plugin/schema.json"), "utf8");

interface Properties {
  [key: string]: { description?: string; plain?: boolean; type?: string; $ref?: string };
}

const schema = JSON.parse(text) as {
  dependencies: unknown[];
  resources: Record<string, { inputProperties: Properties; properties: Properties; requiredInputs: string[] }>;
  types: Record<string, { properties: Properties }>;
};
const written = schemaText();

describe("what programs in other Pulumi languages are told of the component", () => {
  const component = schema.resources["c2m-token-rotation:index:TokenRotation"];

  it("is what its types say now: run `node tools/plugin-schema.ts`", () => {
    expect(text).toBe(written);
  });

  it("is every key of the stack, and every key of a token, as the one table has them", () => {
    expect(Object.keys(component?.inputProperties ?? {}).sort()).toEqual(Object.keys(rotationKeys).sort());
    const token = schema.types["c2m-token-rotation:index:TokenArgs"];
    expect(Object.keys(token?.properties ?? {}).sort()).toEqual(Object.keys(tokenKeys).sort());
    expect(component?.requiredInputs).toEqual(["clientId", "tokens"]);
  });

  it("is plain data that puts out: no resource, nothing of the inside, no plugin of another package", () => {
    expect(Object.keys(component?.properties ?? {})).toEqual([
      "tokenSecretArns",
      "credentialsSecretArn",
      "rotatorName",
      "reconcilerName",
      "logGroupName",
      "kmsKeyArn",
      "baseUrl",
      "graceSeconds",
      "sandbox",
      "alarmTopicArn",
      "rotationTopicArn",
      "dashboardName",
      "readCommands",
      "rotateNowCommands",
    ]);
    for (const { $ref, description } of Object.values(component?.properties ?? {})) {
      expect($ref).toBeUndefined();
      expect(description).toMatch(/\.$/);
    }
    expect(schema.dependencies).toEqual([]);
  });
});

describe("the examples in other languages", () => {
  const component = schema.resources["c2m-token-rotation:index:TokenRotation"];
  const known = {
    arguments: Object.keys(component?.inputProperties ?? {}),
    ofToken: Object.keys(schema.types["c2m-token-rotation:index:TokenArgs"]?.properties ?? {}),
    outputs: Object.keys(component?.properties ?? {}),
  };
  const example = (path: string) => readFileSync(resolve(import.meta.dirname, "../../examples", path), "utf8");

  function expectKnown(used: { [kind in keyof typeof known]: string[] }): void {
    for (const kind of ["arguments", "ofToken", "outputs"] as const) {
      expect(used[kind].length, kind).toBeGreaterThan(1);
      expect(known[kind]).toEqual(expect.arrayContaining(used[kind]));
    }
  }

  it("YAML names only arguments and outputs that there are", () => {
    const { resources, outputs } = parse(example("pulumi-yaml/Pulumi.yaml"));
    const { properties } = resources.rotation;
    expectKnown({
      arguments: Object.keys(properties),
      ofToken: Object.keys(properties.tokens[0]),
      outputs: Object.values<string>(outputs).map((output) => output.replace(/^\$\{rotation\.(\w+)\}$/, "$1")),
    });
  });

  it("Python names only arguments and outputs that there are, as Python writes them", () => {
    const program = example("pulumi-python/__main__.py");
    const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const found = (text: string, pattern: RegExp) =>
      [...text.matchAll(pattern)].map(([, name = ""]) => camelCase(name));
    expectKnown({
      arguments: found(program, /^ {4}(\w+)=/gm),
      ofToken: found(/TokenArgsArgs\((.*)\)/.exec(program)?.[1] ?? "", /(\w+)=/g),
      outputs: found(program, /rotation\.(\w+)\)/g),
    });
  });

  it("TypeScript installs the package that `npm pack` makes of this version", () => {
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8"));
    const { dependencies } = JSON.parse(example("pulumi-typescript/package.json"));
    expect(dependencies["c2m-token-rotation"]).toBe(`file:../../c2m-token-rotation-${version}.tgz`);
  });

  it("is a folder in which `npm install` leaves a node_modules, which `pulumi package add` wants to see", () => {
    const read = (path: string) => JSON.parse(readFileSync(resolve(import.meta.dirname, "../..", path), "utf8"));
    const own = Object.entries<string>(read("plugin/package.json").dependencies);
    expect(own.length).toBeGreaterThan(0);
    expect(read("package.json").dependencies).toMatchObject(Object.fromEntries(own));
  });
});
