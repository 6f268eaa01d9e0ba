/**
 * Bundles every function and prints their code as JSON. A process of its own, started by function-code.ts: esbuild runs plugins
 * asynchronously only, and a Pulumi program declares its resources synchronously.
 */
import { functions } from "../../infra/resources/functions.ts";
import { bundleEntry } from "./bundle.ts";
import { refuseUnused } from "./trim-sdk.ts";

const entries = Object.entries(functions).map(async ([name, entry]) => [name, await bundleEntry(entry)] as const);
const bundled = Object.fromEntries(await Promise.all(entries));
refuseUnused(Object.values(bundled).flatMap(({ replaced }) => replaced));
process.stdout.write(JSON.stringify(bundled));
