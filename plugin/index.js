/** Pulumi's engine starts this file for programs in other languages: `pulumi package add <this folder>`. */
import { existsSync } from "node:fs";

// In the repository Node runs the sources; the published package has them compiled.
const sources = new URL("../infra/plugin.ts", import.meta.url);
const compiled = new URL("../dist/package/infra/plugin.js", import.meta.url);
// Not awaited: Pulumi loads this file by `require`.
import((existsSync(sources) ? sources : compiled).href).then(({ serve }) => serve());
