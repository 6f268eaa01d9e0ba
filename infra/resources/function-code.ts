import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type FunctionName, functions } from "./functions.ts";

const root = resolve(import.meta.dirname, "../..");

/** A function's code, bundled. */
export interface FunctionCode {
  /**
   * The code's files by path: `index.js`, which exports the handler and is all that is loaded at first, and the libraries
   * that it loads when it needs them. They need nothing but Node.
   */
  files: Record<string, string>;
  /** The modules that `index.js` holds, by path from the project's root, with their bytes in it. */
  modules: { path: string; bytes: number }[];
  /** The modules of the SDK that were replaced, as trim-sdk.ts names them. */
  replaced: string[];
}

let built: Record<FunctionName, FunctionCode> | undefined;
const readyMade = new Map<FunctionName, FunctionCode["files"]>();

/**
 * The files of a function's code, minified. Built once per process, and the same bytes from any folder. The published
 * package holds them ready-made, and no sources.
 */
export function bundleFiles(name: FunctionName): FunctionCode["files"] {
  if (existsSync(resolve(root, functions[name]))) return bundleFunction(name).files;
  const files = readyMade.get(name) ?? readFiles(resolve(root, "functions", name));
  readyMade.set(name, files);
  return files;
}

/** The function's bundle from its sources, with what is in it. */
export function bundleFunction(name: FunctionName): FunctionCode {
  built ??= JSON.parse(
    execFileSync(process.execPath, [resolve(root, "tools/package/bundle-functions.ts")], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    }),
  ) as Record<FunctionName, FunctionCode>;
  return built[name];
}

/** The function's `index.js`. */
export function bundle(name: FunctionName): string {
  return bundleFiles(name)["index.js"] ?? "";
}

function readFiles(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((file) => file.endsWith(".js"));
  return Object.fromEntries(names.map((file) => [file, readFileSync(join(folder, file), "utf8")]));
}
