import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
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
