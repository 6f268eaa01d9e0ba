import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** Another team's app, as they would write it. */
const app = `
import { createC2mFetch, createTokenSource, PermanentError, type ShortTermToken } from "c2m-token-rotation/client";

const tokens = createTokenSource({ secretId: "c2m/api-token", baseUrl: "https://127.0.0.1:1/v2" });
const c2mFetch = createC2mFetch(tokens, { scopes: ["jobs:submit"] });
export const answer: () => Promise<Response> = () => c2mFetch("/jobs");
export const token: () => Promise<ShortTermToken> = () => tokens.getShortTermToken();
// @ts-expect-error: a token's text is not handed out by accident
export const text: string = await token().then(({ accessToken }) => accessToken, () => "");
const refused = await c2mFetch("https://elsewhere.example/").catch((error: unknown) => error);
console.log(tokens.baseUrl, refused instanceof PermanentError && refused.code);
`;

describe("the packed client", () => {
  const project = mkdtempSync(join(tmpdir(), "app-"));
  const modules = join(project, "node_modules");
  const installed = join(modules, "c2m-token-rotation");

  beforeAll(() => {
    // The package as npm packs it, but for the parts that are not the client's: building them is another test's.
    const sources = join(project, "package-to-be");
    mkdirSync(sources);
    cpSync(join(root, "package.json"), join(sources, "package.json"));
    execFileSync(process.execPath, [join(root, "tools/package/client.ts"), join(sources, "dist/client")], {
      stdio: "pipe",
    });
    execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", project], { cwd: sources, stdio: "pipe" });
    const tarball = join(project, readdirSync(project).find((file) => file.endsWith(".tgz")) ?? "");
    mkdirSync(installed, { recursive: true });
    execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
    // The one thing that it needs, and the types of Node and of the SDK's own dependencies.
    for (const name of ["@aws-sdk", "@smithy", "@types", "undici-types"]) {
      symlinkSync(join(root, "node_modules", name), join(modules, name));
    }
    writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it("runs as an ES module with nothing installed but the SDK", () => {
    const code = `
      import { createC2mFetch, createTokenSource, PermanentError } from "c2m-token-rotation/client";
      const tokens = createTokenSource({ secretId: "s", baseUrl: "https://127.0.0.1:1/v2" });
      const refused = await createC2mFetch(tokens)("https://elsewhere.example/").catch((error) => error);
      console.log(tokens.baseUrl, refused instanceof PermanentError, refused.code);
    `;
    writeFileSync(join(project, "main.js"), code);
    const printed = execFileSync(process.execPath, ["main.js"], { cwd: project }).toString();
    expect(printed).toBe("https://127.0.0.1:1/v2 true other_origin\n");
  });

  it("has types that need no types of ours and no setting of the app's", () => {
    writeFileSync(join(project, "app.ts"), app);
    const compilerOptions = {
      module: "nodenext",
      target: "es2022",
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      types: ["node"],
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["app.ts"] }));
    const check = () =>
      execFileSync(process.execPath, [join(root, "node_modules/.bin/tsc"), "-p", project], { stdio: "pipe" });
    expect(String(check())).toBe("");
  });

  it.each([
    ["createTokenSource", 42_000, "body_not_replayable"],
    ["createC2mFetch", 25_000, "secret_denied"],
  ])(
    "adds to an app's bundle with %s at most %d bytes, and nothing of its other function",
    async (name, limit, other) => {
      const { outputFiles, metafile } = await build({
        stdin: { contents: `export { ${name} } from "c2m-token-rotation/client";`, resolveDir: project },
        bundle: true,
        write: false,
        metafile: true,
        minify: true,
        platform: "node",
        format: "esm",
        external: ["@aws-sdk/*"],
      });
      const code = outputFiles[0];
      expect(code?.contents.length).toBeLessThanOrEqual(limit);
      expect(code?.text).not.toContain(other);
      const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
      expect(imports.filter((path) => !path.startsWith("node:") && path !== "@aws-sdk/client-secrets-manager")).toEqual(
        [],
      );
    },
  );

  it("holds no code of the libraries that only issuing long-term tokens needs", () => {
    const code = readFileSync(join(installed, "dist/client/index.js"), "utf8");
    expect(code).not.toMatch(/node_modules\/(?!valibot)/);
  });
});
