import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { buildSync } from "esbuild";
import { type FunctionName, functions } from "./functions.ts";

const root = resolve(import.meta.dirname, "..");

const bundles = new Map<FunctionName, string>();

/**
 * The JavaScript of a function: one minified CommonJS file that needs nothing but Node. CommonJS because an ES module
 * that imports `node:https` makes Node load all of its fetch implementation; `mainFields` because the SDK's CommonJS
 * files can't be tree-shaken. Built once per process, and the same bytes from any folder. The published package holds it
 * ready-made, and no sources.
 */
export function bundle(name: FunctionName): string {
  const known = bundles.get(name) ?? (existsSync(resolve(root, functions[name])) ? build(name) : readyMade(name));
  bundles.set(name, known);
  return known;
}

function build(name: FunctionName): string {
  const result = buildSync({
    absWorkingDir: root,
    entryPoints: [functions[name]],
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
  return result.outputFiles[0]?.text ?? "";
}

function readyMade(name: FunctionName): string {
  return readFileSync(resolve(root, "functions", name, "index.js"), "utf8");
}
