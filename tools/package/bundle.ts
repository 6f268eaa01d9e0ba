import { resolve } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import type { FunctionCode } from "../../infra/resources/function-code.ts";
import { trimSdk } from "./trim-sdk.ts";

const root = resolve(import.meta.dirname, "../..");

/** Libraries of single mechanisms: files of their own, loaded where the mechanism is used, and what is used of them. */
const ownFiles: Record<string, string[]> = { jose: ["SignJWT"], otpauth: ["Secret", "TOTP"] };

/**
 * CommonJS, because an ES module that imports `node:https` makes Node load all of its fetch implementation;
 * `mainFields`, because the SDK's CommonJS files can't be tree-shaken.
 */
const options: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  minify: true,
  platform: "node",
  target: "node24",
  format: "cjs",
  mainFields: ["module", "main"],
  // A real `import()` of a built-in module starts the ES module loader, and of `node:http` loads undici as well.
  supported: { "dynamic-import": false },
  legalComments: "none",
  logLevel: "error",
};

/** Bundles what stands in a file and all that it needs, as a function's code, with the SDK's parts that a function needs. */
export async function bundleEntry(entry: string): Promise<FunctionCode> {
  const libraries = new Set<string>();
  const replaced = new Set<string>();
  const result = await build({
    ...options,
    entryPoints: [entry],
    metafile: true,
    // The SDK names its chain of credential providers as a package, which an alias can replace as a whole.
    alias: { "@aws-sdk/credential-provider-node": resolve(root, "lambdas/sdk/environment-credentials.ts") },
    plugins: [splitOff((library) => libraries.add(library)), trimSdk((module) => replaced.add(module))],
  });
  const files: Record<string, string> = { "index.js": result.outputFiles?.[0]?.text ?? "" };
  for (const library of [...libraries].sort()) files[`${library}.js`] = await bundleLibrary(library);
  const [bundled] = Object.values(result.metafile.outputs);
  const modules = Object.entries(bundled?.inputs ?? {}).map(([path, { bytesInOutput }]) => ({
    path,
    bytes: bytesInOutput,
  }));
  return { files, modules: modules.filter(({ bytes }) => bytes > 0), replaced: [...replaced] };
}

async function bundleLibrary(library: string): Promise<string> {
  const contents = `export { ${ownFiles[library]?.join(", ")} } from ${JSON.stringify(library)};`;
  const result = await build({ ...options, stdin: { contents, resolveDir: root } });
  return result.outputFiles?.[0]?.text ?? "";
}

function splitOff(onSplit: (library: string) => void): Plugin {
  return {
    name: "split-off",
    setup({ onResolve }) {
      onResolve({ filter: new RegExp(`^(${Object.keys(ownFiles).join("|")})$`) }, ({ path }) => {
        onSplit(path);
        return { path: `./${path}.js`, external: true };
      });
    },
  };
}
