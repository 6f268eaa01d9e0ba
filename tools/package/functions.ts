/**
 * `npm run build`: writes each function's deployment package to `dist/<function>/`, or to another folder that is given,
 * with the code that `pulumi up` deploys, byte for byte.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { bundleFiles } from "../../infra/resources/function-code.ts";
import { type FunctionName, functions } from "../../infra/resources/functions.ts";
import type { SettingsFile } from "../../src/formats/settings.ts";

const emptySettings: SettingsFile = { rotatorTimeoutSeconds: 120, tokens: {} };
const dist = resolve(import.meta.dirname, "../..", process.argv[2] ?? "dist");

for (const name of Object.keys(functions) as FunctionName[]) {
  const folder = join(dist, name);
  mkdirSync(folder, { recursive: true });
  // The stack writes its own settings; a package without any lists no secret, and refuses them all.
  writeFileSync(join(folder, "tokens.json"), `${JSON.stringify(emptySettings)}\n`);
  for (const [file, code] of Object.entries(bundleFiles(name))) {
    writeFileSync(join(folder, file), code);
    const size = `${kilobytes(Buffer.byteLength(code))}, ${kilobytes(gzipSync(code).length)} gzipped`;
    process.stdout.write(`${name}/  ${file} ${size}\n`);
  }
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}
