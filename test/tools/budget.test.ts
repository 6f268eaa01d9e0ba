import { isBuiltin } from "node:module";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bundleFunction } from "../../infra/resources/function-code.ts";
import { type FunctionName, functions } from "../../infra/resources/functions.ts";
import { replacements } from "../../tools/package/trim-sdk.ts";

/** A little above what they have. Who needs more says why in the change that raises it. */
const budgets: Record<FunctionName, { bytes: number; gzipBytes: number; modules: number }> = {
  rotator: { bytes: 229_500, gzipBytes: 76_000, modules: 315 },
  reconciler: { bytes: 237_000, gzipBytes: 77_500, modules: 330 },
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
  const issuing = modules.filter(({ path }) =>
    /lambdas\/c2m\/(assertion|client|credentials|otp|short-token)/.test(path),
  );
  expect(issuing).toEqual([]);
});

describe("trimming the SDK", () => {
  it("still finds every module that it replaces", () => {
    const replaced = new Set(names.flatMap((name) => bundleFunction(name).replaced));
    expect(replacements.map(({ module }) => module).filter((module) => !replaced.has(module))).toEqual([]);
  });
});
