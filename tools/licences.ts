/** `npm run licences`: the licences of what is deployed to Lambda, and of what the bill of materials lists. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { bundleFunction } from "../infra/resources/function-code.ts";
import { type FunctionName, functions } from "../infra/resources/functions.ts";
import { billOfMaterials } from "./sbom.ts";

interface LockedPackage {
  /** Where it is installed under another name. */
  name?: string;
  version?: string;
  license?: string;
}

const root = resolve(import.meta.dirname, "..");

function lockedPackages(): Record<string, LockedPackage> {
  const lock = JSON.parse(readFileSync(resolve(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  return lock.packages;
}

/** Name and licence of each library that stands in a function's code. */
export function deployedLicences(): Map<string, string> {
  const packages = lockedPackages();
  const found = new Map<string, string>();
  for (const name of Object.keys(functions) as FunctionName[]) {
    const { files, modules } = bundleFunction(name);
    const ofModules = modules.flatMap(
      ({ path }) => /^(?:.*\/)?node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(path)?.[1] ?? [],
    );
    const ofFiles = Object.keys(files).filter((file) => file !== "index.js");
    for (const library of [...ofModules, ...ofFiles.map((file) => file.replace(/\.js$/, ""))]) {
      found.set(library, packages[`node_modules/${library}`]?.license ?? "unknown");
    }
  }
  return found;
}

/** How many of the packages of the bill of materials have which licence. */
export function installedLicences(): Map<string, number> {
  const listed = new Set(billOfMaterials().components.map((component) => component["bom-ref"]));
  const counts = new Map<string, number>();
  for (const [path, { name = path.replace(/^.*node_modules\//, ""), version, license = "unknown" }] of Object.entries(
    lockedPackages(),
  )) {
    if (listed.delete(`${name}@${version}`)) counts.set(license, (counts.get(license) ?? 0) + 1);
  }
  if (listed.size > 0) throw new Error(`package-lock.json lacks ${[...listed].join(", ")}.`);
  return counts;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const deployed = [...deployedLicences()].sort().map(([name, licence]) => `  ${name.padEnd(40)}${licence}`);
  const installed = [...installedLicences()].sort((one, other) => other[1] - one[1]);
  process.stdout.write(
    `Deployed to Lambda:\n${deployed.join("\n")}\n\nInstalled with the package, or brought by the stack:\n`,
  );
  for (const [licence, count] of installed) process.stdout.write(`  ${String(count).padStart(4)}  ${licence}\n`);
}
