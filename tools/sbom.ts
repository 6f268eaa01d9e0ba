/**
 * `npm run sbom`: a CycloneDX bill of materials of what is installed with the package, and of what `pulumi up` works with
 * besides: Pulumi, which a stack of another project brings along, and the tool that writes the functions' code.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** As far as it is read here; https://cyclonedx.org/docs/1.5/json/. */
export interface Bill {
  metadata: { component: { "bom-ref": string } };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

export interface Component {
  "bom-ref": string;
  name: string;
  properties?: { name: string; value: string }[];
}

const root = resolve(import.meta.dirname, "..");
const bundler = "esbuild";

/** From package-lock.json: it is the same on every machine. */
export function billOfMaterials(): Bill {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  return only(lockedBill(), new Set([...Object.keys({ ...dependencies, ...peerDependencies }), bundler]));
}

function lockedBill(): Bill {
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"];
  const bill = execFileSync("npm", args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(bill) as Bill;
}

/**
 * The bill without what these packages don't bring along. npm's own `--omit dev` also leaves out whatever a development
 * tool depends on besides, as it does on parts of the SDK.
 */
function only(bill: Bill, names: ReadonlySet<string>): Bill {
  const self = bill.metadata.component["bom-ref"];
  const needs = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const nameOf = new Map(bill.components.map((component) => [component["bom-ref"], component.name]));
  const direct = (needs.get(self) ?? []).filter((ref) => names.has(nameOf.get(ref) ?? ""));
  const kept = new Set(direct);
  // A set hands out what is added to it on the way.
  for (const ref of kept) for (const next of needs.get(ref) ?? []) kept.add(next);
  return {
    ...bill,
    components: bill.components.filter((component) => kept.has(component["bom-ref"])).map(forUse),
    dependencies: [{ ref: self, dependsOn: direct }, ...bill.dependencies.filter(({ ref }) => kept.has(ref))],
  };
}

/** Pulumi and esbuild are installed for development here, and for use in a stack. */
function forUse(component: Component): Component {
  const properties = component.properties?.filter(({ name }) => name !== "cdx:npm:package:development");
  return properties === undefined ? component : { ...component, properties };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.stdout.write(`${JSON.stringify(billOfMaterials(), undefined, 2)}\n`);
}
