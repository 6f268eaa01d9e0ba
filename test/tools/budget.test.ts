import { isBuiltin } from "node:module";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bundleFunction } from "../../infra/resources/function-code.ts";
import { type FunctionName, functions } from "../../infra/resources/functions.ts";
import { type Replacement, replacements } from "../../tools/package/sdk-replacements.ts";
import { newText, refuseUnused } from "../../tools/package/trim-sdk.ts";

/** A little above what they have. Who needs more says why in the change that raises it. */
const budgets: Record<FunctionName, { bytes: number; gzipBytes: number; modules: number }> = {
  rotator: { bytes: 155_000, gzipBytes: 53_500, modules: 230 },
  reconciler: { bytes: 155_000, gzipBytes: 53_500, modules: 230 },
};

const names = Object.keys(functions) as FunctionName[];

describe.each(names)("the bundle of %s", (name) => {
  const { files, modules } = bundleFunction(name);
  const code = files["index.js"] ?? "";

  it("is within its budget of bytes, packed bytes and modules", () => {
    const { bytes, gzipBytes, modules: most } = budgets[name];
    expect(Buffer.byteLength(code)).toBeLessThanOrEqual(bytes);
    expect(gzipSync(code).length).toBeLessThanOrEqual(gzipBytes);
    expect(modules.length).toBeLessThanOrEqual(most);
  });

  it("needs nothing but Node and the files beside it", () => {
    for (const text of Object.values(files)) {
      const required = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, id = ""]) => id);
      const missing = required.filter((id) => !isBuiltin(id) && !(id.replace(/^\.\//, "") in files));
      expect(missing).toEqual([]);
      expect(text).not.toMatch(/\bimport\(/);
    }
  });

  it("holds none of the ways to credentials that a function does not have", () => {
    const providers = modules.filter(({ path }) => /credential-provider|token-providers|nested-clients/.test(path));
    expect(providers).toEqual([]);
  });
});

it("the reconciler, which never issues, holds none of the mechanisms by which a token is issued", () => {
  const { files, modules } = bundleFunction("reconciler");
  expect(Object.keys(files)).toEqual(["index.js"]);
  const issuing = /src\/c2m\/(client|credentials|credentials-secret|grants\/(?!grant\.|short-token).*)\.ts$/;
  const paths = (held: typeof modules) => held.map(({ path }) => path).filter((path) => issuing.test(path));
  expect(paths(bundleFunction("rotator").modules)).not.toEqual([]);
  expect(paths(modules)).toEqual([]);
});

describe("trimming the SDK", () => {
  it("fails the build where a replacement has nothing to replace", () => {
    const { replaced } = bundleFunction("reconciler");
    const [missing = ""] = replaced;
    const all = replacements.map(({ module }) => module);
    expect(() => refuseUnused(all)).not.toThrow();
    expect(() => refuseUnused(all.filter((module) => module !== missing))).toThrow(missing);
  });

  it("fails the build where the text that is left out is not the one that somebody looked at", async () => {
    const replacement: Replacement = { module: "m", because: "b", of: "00000000", text: "" };
    await expect(newText(replacement, import.meta.filename)).rejects.toThrow(/has changed .* "[0-9a-f]{8}"/);
  });
});
