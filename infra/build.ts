/**
 * `npm run build`: writes each function's deployment package to `dist/<function>/`, or to another folder that is given,
 * with the code that `pulumi up` deploys, byte for byte.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { SettingsFile } from "../lambdas/rotation/settings.ts";
import { bundle } from "./bundle.ts";
import { type FunctionName, functions } from "./functions.ts";

const emptySettings: SettingsFile = { rotatorTimeoutSeconds: 120, tokens: {} };
const dist = resolve(import.meta.dirname, "..", process.argv[2] ?? "dist");

for (const name of Object.keys(functions) as FunctionName[]) {
  const code = bundle(name);
  const folder = join(dist, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.js"), code);
  // The stack writes its own; a package without any lists no secret, and refuses them all.
  writeFileSync(join(folder, "tokens.json"), `${JSON.stringify(emptySettings)}\n`);
  const kilobytes = (bytes: number) => `${(bytes / 1_000).toFixed(1)} kB`;
  const size = `${kilobytes(Buffer.byteLength(code))}, ${kilobytes(gzipSync(code).length)} gzipped`;
  process.stdout.write(`${name}/  index.js ${size}\n`);
}
