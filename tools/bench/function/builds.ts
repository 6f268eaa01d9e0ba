import { resolve } from "node:path";
import { type BuildOptions, buildSync } from "esbuild";
import { bundleFiles } from "../../../infra/resources/function-code.ts";
import { functions } from "../../../infra/resources/functions.ts";

const root = resolve(import.meta.dirname, "../../..");

/** Ways to build the rotator, by what they are compared as; each the files of a deployment package. */
export const builds = {
  /** A handler that does nothing: the floor. */
  empty: () => ({ "index.js": "exports.handler = async () => null;\n" }),
  /** Own code as one file, libraries from node_modules (as a zipped node_modules or a layer has them). */
  unbundled: () => ({ "index.js": rotator({ packages: "external" }) }),
  /** esbuild as most tools call it. */
  usual: () => ({ "index.js": rotator({ minify: true }) }),
  /** What is deployed. */
  ours: () => bundleFiles("rotator"),
  /** What is deployed, with a hand-signed client in the SDK's place. */
  handSigned: () => ({
    "index.js": rotator({
      minify: true,
      mainFields: ["module", "main"],
      alias: { "@aws-sdk/client-secrets-manager": resolve(import.meta.dirname, "hand-signed-client.ts") },
    }),
  }),
} satisfies Record<string, () => Record<string, string>>;

export type BuildName = keyof typeof builds;

function rotator(options: BuildOptions): string {
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: [functions.rotator],
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "cjs",
    logLevel: "error",
    ...options,
  });
  return outputFiles?.[0]?.text ?? "";
}
