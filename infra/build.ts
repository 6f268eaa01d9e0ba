/**
 * `npm run build`: writes each function's deployment package to `dist/<function>/`, with the code that `pulumi up`
 * deploys, byte for byte.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { SettingsFile } from "../lambdas/rotation/settings.ts";
import { bundle } from "./bundle.ts";
import { functions } from "./functions.ts";

const emptySettings: SettingsFile = { rotatorTimeoutSeconds: 120, tokens: {} };
const dist = resolve(import.meta.dirname, "../dist");

for (const [name, entry] of Object.entries(functions)) {
  const code = bundle(entry);
  const folder = join(dist, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.js"), code);
  // The stack writes its own; a package without any lists no secret, and refuses them all.
  writeFileSync(join(folder, "tokens.json"), `${JSON.stringify(emptySettings)}\n`);
  const kilobytes = (bytes: number) => `${(bytes / 1_000).toFixed(1)} kB`;
  const size = `${kilobytes(Buffer.byteLength(code))}, ${kilobytes(gzipSync(code).length)} gzipped`;
  process.stdout.write(`dist/${name}/  index.js ${size}\n`);
}
