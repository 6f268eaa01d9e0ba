import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { TokenRotationArgs } from "./args/rotation-args.ts";
import { TokenRotation } from "./token-rotation.ts";

interface Schema {
  version: string;
  resources: Record<string, { properties: Record<string, unknown> }>;
}

const component = "c2m-token-rotation:index:TokenRotation";

/** Serves Pulumi's engine with the component, for programs in any language. Started by plugin/index.js. */
export function serve(): Promise<void> {
  const text = readFileSync(schemaFile(), "utf8");
  const { version, resources } = JSON.parse(text) as Schema;
  const provider: pulumi.provider.Provider = {
    version,
    getSchema: async () => text,
    construct: async (name, type, inputs, options) => {
      if (type !== component) throw new Error(`There is no component ${type}; this plugin has ${component}.`);
      const rotation = new TokenRotation(name, inputs as unknown as TokenRotationArgs, options);
      const outputs = Object.keys(resources[component]?.properties ?? {});
      const state = Object.fromEntries(outputs.map((key) => [key, rotation[key as keyof TokenRotation]]));
      return { urn: rotation.urn, state };
    },
  };
  return pulumi.provider.main(provider, process.argv.slice(2));
}

/** Beside the sources or, where this is compiled, beside `dist`. */
function schemaFile(): string {
  const [inSources, inPackage] = ["../plugin/schema.json", "../../../plugin/schema.json"].map((path) =>
    resolve(import.meta.dirname, path),
  ) as [string, string];
  return existsSync(inSources) ? inSources : inPackage;
}
