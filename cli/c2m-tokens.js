#!/usr/bin/env node
// What npm links as `c2m-tokens`. JavaScript, so that a Node that is too old, or that strips no types under node_modules,
// gets as far as this file.
import { existsSync } from "node:fs";
import module from "node:module";

const needed = 22;
if (Number.parseInt(process.versions.node, 10) < needed) {
  process.stderr.write(`c2m-tokens needs Node >= ${needed}; this is ${process.version}.\n`);
  process.exit(1);
}
// The second start is faster.
module.enableCompileCache?.();
// The sources where they are, which no earlier build can lag behind; the package holds what was built of them.
const sources = new URL("main.ts", import.meta.url);
await import(existsSync(sources) ? sources.href : new URL("../dist/cli/main.js", import.meta.url).href);
