/**
 * `node tools/package/client.ts [folder]`: what the package hands out as `c2m-token-rotation/client`, in `dist/client` unless
 * told otherwise. One file of JavaScript, since Node strips no types under node_modules, with all it needs but the SDK.
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";

const root = resolve(import.meta.dirname, "../..");
const folder = resolve(process.argv[2] ?? join(root, "dist/client"));

rmSync(folder, { recursive: true, force: true });
buildSync({
  absWorkingDir: root,
  entryPoints: ["client/index.ts"],
  bundle: true,
  outfile: join(folder, "index.js"),
  platform: "node",
  // What the SDK needs, and `URL.parse` and `process.getBuiltinModule` with it.
  target: "node22",
  format: "esm",
  external: ["@aws-sdk/client-secrets-manager"],
  logLevel: "error",
});
const tsc = join(root, "node_modules/.bin/tsc");
const types = ["-p", "tools/package/tsconfig.client.json", "--outDir", join(folder, "types")];
execFileSync(process.execPath, [tsc, ...types], { cwd: root, stdio: "inherit" });
