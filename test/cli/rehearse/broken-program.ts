import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "esbuild";
import { type FunctionName, functions } from "../../../infra/resources/functions.ts";
import type { Plan, PlannedResource } from "../../../local-cloud/pulumi/plan.ts";
import { kindOf } from "../../harness/declared.ts";

const root = resolve(import.meta.dirname, "../../..");

/** What is changed in a source: a text that stands in it, and what stands there instead. */
export type Mistakes = Record<string, readonly (readonly [text: string, instead: string])[]>;

/** The program with a mistake in its functions' sources. */
export async function withMistakes(program: Plan, mistakes: Mistakes): Promise<Plan> {
  const bundles = new Map<string, string>();
  for (const name of Object.keys(functions) as FunctionName[]) bundles.set(name, await bundleWith(name, mistakes));
  return changed(program, "Function", (resource) => {
    const { files } = resource.inputs.code as { files: Record<string, string> };
    const name = String(resource.inputs.name).split("-").at(-1) ?? "";
    return { code: { files: { ...files, "index.js": bundles.get(name) ?? "" } } };
  });
}

/** The program with other settings in its functions' packages than its outputs say. */
export function withSettings(program: Plan, settings: Record<string, unknown>): Plan {
  return changed(program, "Function", (resource) => {
    const { files } = resource.inputs.code as { files: Record<string, string> };
    const parsed = JSON.parse(files["tokens.json"] ?? "") as { tokens: Record<string, object> };
    const tokens = Object.fromEntries(
      Object.entries(parsed.tokens).map(([name, one]) => [name, { ...one, ...settings }]),
    );
    return { code: { files: { ...files, "tokens.json": JSON.stringify({ ...parsed, tokens }) } } };
  });
}

/** The program with other inputs of each resource of a kind. */
export function changed(program: Plan, kind: string, inputsOf: (resource: PlannedResource) => object): Plan {
  const resources = program.resources.map((resource) =>
    kindOf(resource) === kind ? { ...resource, inputs: { ...resource.inputs, ...inputsOf(resource) } } : resource,
  );
  return { ...program, resources };
}

async function bundleWith(name: FunctionName, mistakes: Mistakes): Promise<string> {
  const made = new Set<string>();
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [functions[name]],
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "cjs",
    mainFields: ["module", "main"],
    external: ["./jose.js", "./otpauth.js"],
    plugins: [
      {
        name: "mistakes",
        setup({ onLoad }) {
          onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
            const source = path.slice(root.length + 1);
            let contents = readFileSync(path, "utf8");
            for (const [text, instead] of mistakes[source] ?? []) {
              if (!contents.includes(text)) throw new Error(`${source} has no ${text}: the mistake can't be made.`);
              contents = contents.replace(text, instead);
              made.add(source);
            }
            return { contents, loader: "ts" };
          });
        },
      },
    ],
  });
  // The reconciler has none of what rotates.
  if (name === "rotator" && made.size < Object.keys(mistakes).length) throw new Error("A mistake was not made.");
  return outputFiles[0]?.text ?? "";
}
