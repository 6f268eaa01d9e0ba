/**
 * `node tools/package/cli.ts [folder]`: the operator's command line as JavaScript, in `dist/cli` unless told otherwise. The
 * package holds this and no sources, since Node strips no types under node_modules.
 */
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";

const root = resolve(import.meta.dirname, "../..");
const folder = resolve(process.argv[2] ?? join(root, "dist/cli"));

rmSync(folder, { recursive: true, force: true });
buildSync({
  absWorkingDir: root,
  entryPoints: ["cli/main.ts"],
  bundle: true,
  outdir: folder,
  // What a command imports when it is run stays apart, so that the help does not load the SDK.
  splitting: true,
  chunkNames: "[name]-[hash]",
  platform: "node",
  target: "node22",
  format: "esm",
  // The package's dependencies are installed beside it.
  packages: "external",
  logLevel: "error",
});
