import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Plugin } from "esbuild";
import { type Replacement, replacements } from "./sdk-replacements.ts";

/** Replaces modules of the SDK; `onReplaced` hears which one. */
export function trimSdk(onReplaced: (module: string) => void = () => {}): Plugin {
  return {
    name: "trim-sdk",
    setup(build) {
      for (const replacement of replacements) {
        const filter = new RegExp(`${replacement.module.replace(/[.]/g, "\\.")}$`);
        build.onLoad({ filter }, async ({ path }) => {
          onReplaced(replacement.module);
          return { contents: await newText(replacement, path), loader: "js", resolveDir: dirname(path) };
        });
      }
    },
  };
}

/** @throws Error where the module's text is not the one that its replacement was written for */
export async function newText(replacement: Replacement, path: string): Promise<string> {
  const text = readFileSync(path, "utf8");
  const found = createHash("sha256").update(text).digest("hex").slice(0, 8);
  if (replacement.of !== undefined && replacement.of !== found) {
    throw new Error(
      `${path} has changed since its replacement was written. Look at what is new in it; where the replacement still does, set its \`of\` in tools/package/sdk-replacements.ts to "${found}".`,
    );
  }
  return typeof replacement.text === "string" ? replacement.text : await replacement.text({ path, text });
}

/** @throws Error that names the replacements which no bundle had a use for */
export function refuseUnused(replaced: readonly string[]): void {
  const unused = replacements.filter(({ module }) => !replaced.includes(module)).map(({ module }) => module);
  if (unused.length === 0) return;
  throw new Error(
    `The SDK has no module ${unused.join(", ")} any more, or no function loads it: mend tools/package/sdk-replacements.ts.`,
  );
}
