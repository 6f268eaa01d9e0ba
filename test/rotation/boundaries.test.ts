import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const sources = globSync("lambdas/**/*.ts", { cwd: root }).sort();
const text = (path: string) => readFileSync(join(root, path), "utf8");

/** What a file imports, in whatever way, with files of ours as paths from the root. */
function imports(path: string): string[] {
  const specifiers = [...text(path).matchAll(/(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*"([^"]+)"/g)];
  return specifiers.map(([, name = ""]) =>
    name.startsWith(".") ? relative(root, join(root, dirname(path), name)) : name,
  );
}

function foldersImportedBy(folder: string): string[] {
  const files = sources.filter((path) => path.startsWith(`lambdas/${folder}/`)).flatMap(imports);
  return [...new Set(files.filter((name) => name.includes("/") && name.endsWith(".ts")).map(dirname))].sort();
}

describe("the folders of lambdas", () => {
  it("rotation uses no AWS and no HTTP code: only itself, valibot, node:crypto and node:util", () => {
    const rotation = sources.filter((path) => path.startsWith("lambdas/rotation/"));
    expect(rotation.length).toBeGreaterThan(10);
    const allowed = /^(lambdas\/rotation\/[\w-]+\.ts|valibot|node:crypto|node:util)$/;
    const strangers = rotation.flatMap((path) =>
      imports(path)
        .filter((name) => !allowed.test(name))
        .map((name) => `${path}: ${name}`),
    );
    expect(strangers).toEqual([]);
    const hidden =
      /\bfetch\(|getBuiltinModule|\bprocess\b|\bimport\(|\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|Math\.random/;
    expect(rotation.filter((path) => hidden.test(text(path)))).toEqual([]);
  });

  it("c2m and aws use rotation, and not each other", () => {
    expect(foldersImportedBy("c2m")).toEqual(["lambdas/c2m", "lambdas/rotation"]);
    expect(foldersImportedBy("aws")).toEqual(["lambdas/aws", "lambdas/rotation"]);
  });

  it("import nothing from test, infra, ops or client", () => {
    const outside = sources.flatMap(imports).filter((name) => /^(test|infra|ops|client)\//.test(name));
    expect(outside).toEqual([]);
  });
});

it("a secret is unwrapped in these files only", () => {
  expect(sources.filter((path) => /\.reveal\(\)/.test(text(path)))).toEqual(
    [
      // Into a private key, a bearer header and a body, a check that it fits a header, and a one-time code.
      "lambdas/c2m/assertion.ts",
      "lambdas/c2m/auth-api.ts",
      "lambdas/c2m/grants.ts",
      "lambdas/c2m/otp.ts",
      // Out of the credentials secret.
      "lambdas/rotate-token/credentials-cache.ts",
      // Into and out of the value of the token secret.
      "lambdas/rotation/stored-token.ts",
      // Into PutSecretValue.
      "lambdas/aws/secrets-manager-store.ts",
    ].toSorted(),
  );
});
