import { resolve } from "node:path";
import { buildSync } from "esbuild";

const root = resolve(import.meta.dirname, "..");

const bundles = new Map<string, string>();

/**
 * The JavaScript of a function: one minified CommonJS file that needs nothing but Node. CommonJS because an ES module
 * that imports `node:https` makes Node load all of its fetch implementation; `mainFields` because the SDK's CommonJS
 * files can't be tree-shaken. Built once per process, and the same bytes from any folder.
 *
 * @param entry path of the handler's module from the project's root, as in `lambdas/rotate-token/handler.ts`
 */
export function bundle(entry: string): string {
  const known = bundles.get(entry);
  if (known !== undefined) return known;
  const result = buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    mainFields: ["module", "main"],
    legalComments: "none",
    logLevel: "error",
  });
  const code = result.outputFiles[0]?.text ?? "";
  bundles.set(entry, code);
  return code;
}
