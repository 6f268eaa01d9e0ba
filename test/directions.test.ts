import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const sources = globSync(["lambdas/**/*.ts", "src/**/*.ts"], { cwd: root }).sort();
const text = (path: string) => readFileSync(join(root, path), "utf8");

/** What a file imports, in whatever way, with files of ours as paths from the root. */
function imports(path: string): string[] {
  const specifiers = [...text(path).matchAll(/(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*"([^"]+)"/g)];
  return specifiers.map(([, name = ""]) =>
    name.startsWith(".") ? relative(root, join(root, dirname(path), name)) : name,
  );
}

const core = ["ports", "formats", "rotation", "reconcile"].map((room) => `src/${room}`);

it("the core uses no AWS and no HTTP code: only itself, valibot, node:crypto and node:util", () => {
  const files = sources.filter((path) => core.some((room) => path.startsWith(`${room}/`)));
  expect(files.length).toBeGreaterThan(20);
  const allowed = /^(src\/(ports|formats|rotation|reconcile)\/[\w/-]+\.ts|valibot|node:crypto|node:util)$/;
  const strangers = files.flatMap((path) =>
    imports(path)
      .filter((name) => !allowed.test(name))
      .map((name) => `${path}: ${name}`),
  );
  expect(strangers).toEqual([]);
  const hidden =
    /\bfetch\(|getBuiltinModule|\bprocess\b|\bimport\(|\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|Math\.random/;
  expect(files.filter((path) => hidden.test(text(path)))).toEqual([]);
});

it("a secret is unwrapped in these files only", () => {
  expect(sources.filter((path) => /\.reveal\(\)/.test(text(path)))).toEqual(
    [
      // Into a private key, a bearer header and a body, a check that it fits a header, and a one-time code.
      "src/c2m/grants/assertion.ts",
      "src/c2m/auth-api.ts",
      "src/c2m/grants/grant.ts",
      "src/c2m/grants/otp.ts",
      // Out of the credentials secret.
      "lambdas/rotator/credentials-cache.ts",
      // Into and out of the value of the token secret.
      "src/formats/stored-token.ts",
      // Into PutSecretValue.
      "src/aws/secrets-manager-store.ts",
    ].toSorted(),
  );
});
