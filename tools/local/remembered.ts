import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "../..");

/** Nothing in these is a source. */
const passedOver = ["node_modules", "coverage", "dist", "docs", "reports"];

/**
 * What `make` gave for `options` when it ran last, while no file of the repository, no installed package and no Node is
 * another than then; else what it gives now. The value is kept as JSON; a kept file that can't be read is made anew.
 */
export async function remembered<Value>(
  options: string,
  make: () => Promise<Value>,
  root = repository,
): Promise<Value> {
  const folder = join(root, "node_modules/.cache/local");
  const file = join(folder, `${digestOf(options).slice(0, 16)}.json`);
  const key = digestOf(process.version, installed(root), ...sources(root, passedOver));
  const kept = attempt(() => JSON.parse(readFileSync(file, "utf8")) as { key: string; value: Value });
  if (kept?.key === key) return kept.value;
  const value = await make();
  attempt(() => {
    mkdirSync(folder, { recursive: true });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, JSON.stringify({ key, value }));
    renameSync(temporary, file);
  });
  return value;
}

/** What npm has written down of the packages that it installed. */
function installed(root: string): string {
  return attempt(() => readFileSync(join(root, "node_modules/.package-lock.json"), "utf8")) ?? "";
}

/** The path and the text of each file in a folder, but for the folders in it that are passed over. */
function* sources(path: string, not: readonly string[] = []): Generator<string> {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.name.startsWith(".") || not.includes(entry.name)) continue;
    if (entry.isDirectory()) yield* sources(inside);
    else if (/\.(c|m)?(ts|js|json|yaml)$/.test(entry.name)) yield* [inside, readFileSync(inside, "utf8")];
  }
}

function digestOf(...texts: string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text.length} ${text}`);
  return hash.digest("hex");
}

/** A cache that can't be used is no cache. */
function attempt<Value>(run: () => Value): Value | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
