/** Pulumi's engine starts this file: `pulumi up --policy-pack <this folder>`. */
import { existsSync } from "node:fs";

// In the repository Node runs the sources; the published package has them compiled.
const sources = new URL("../infra/policy-pack.ts", import.meta.url);
const compiled = new URL("../dist/package/infra/policy-pack.js", import.meta.url);
// Not awaited: Pulumi loads this file by `require`.
import((existsSync(sources) ? sources : compiled).href).then(({ serve }) => serve());
