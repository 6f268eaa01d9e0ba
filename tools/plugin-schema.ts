/**
 * What programs in other languages are told of the component: `node tools/plugin-schema.ts` writes plugin/schema.json anew,
 * as Pulumi's own analyzer reads it from the types. A test fails where the file is not as this would write it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer.js";
import { generateSchema } from "@pulumi/pulumi/provider/experimental/schema.js";

const root = resolve(import.meta.dirname, "..");
const file = resolve(root, "plugin/schema.json");

/** The schema, as the file should have it. */
export function schemaText(): string {
  const { name, version, description } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as {
    name: string;
    version: string;
    description: string;
  };
  const entry = { name, main: "../infra/package.ts" };
  const analyzer = new Analyzer(resolve(root, "plugin"), name, entry as never, new Set(["TokenRotation"]));
  const { components, typeDefinitions, dependencies } = analyzer.analyze();
  const schema = generateSchema(name, version, description, components, typeDefinitions, dependencies);
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (import.meta.main) writeFileSync(file, schemaText());
