import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientId, clientSecret } from "../../harness/stack.ts";
import { EngineStack } from "./engine-stack.ts";

const root = resolve(import.meta.dirname, "../../..");
const page = readFileSync(resolve(root, "docs/deploy.md"), "utf8");
const [declares = "", transforms = ""] = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? "");

/** The page's two pieces as one program: the arguments of the first, the options of the second, and no protection. */
function program(baseUrl: string): string {
  const [before = "", args = ""] = declares.split('const rotation = new TokenRotation("mail", ');
  return [
    'import * as pulumi from "@pulumi/pulumi";',
    before,
    "const config = new pulumi.Config();",
    `const args = ${args.replace('"c2m_1234"', `"${clientId}", baseUrl: "${baseUrl}"`).replace(/\);\s*$/, ";")}`,
    `export const { rotatorName } = ${transforms.replace("  transforms:", "  protect: false,\n  transforms:")}`,
  ].join("\n");
}

interface StoredResource {
  type: string;
  protect?: boolean;
  inputs: Record<string, unknown>;
}

describe("the component as part of a program, as docs/deploy.md has it, under the Pulumi engine", () => {
  let engine: EngineStack;
  let inFolder: (script: string, typed?: string) => Promise<string>;

  beforeAll(async () => {
    engine = await EngineStack.empty();
    const folder = join(engine.folder, "mail");
    for (const name of ["node_modules/@pulumi", "package"]) mkdirSync(join(folder, name), { recursive: true });
    for (const name of ["pulumi", "aws"])
      symlinkSync(join(root, "node_modules/@pulumi", name), join(folder, "node_modules/@pulumi", name));
    // Of the packed package only its sources; what is packed is tested elsewhere.
    symlinkSync(join(folder, "package"), join(folder, "node_modules/c2m-token-rotation"));
    const files = {
      "package/package.json": '{ "type": "module", "exports": "./index.js" }',
      "package/index.js": `export * from "${join(root, "infra/package.ts")}";`,
      "package.json": '{ "type": "module" }',
      "Pulumi.yaml": "name: mail\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: index.js\n",
      "index.js": program(engine.cloud.c2mUrl),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    inFolder = (script, typed) => engine.sh(`cd '${folder}'\n${script}`, typed);
  });
  afterAll(() => engine.stop());

  it("deploys, with what the transforms set, and nothing protected", async () => {
    await inFolder(
      `pulumi stack init dev
       pulumi config set aws:region ${engine.cloud.region}
       pulumi config set --secret clientSecret
       pulumi up`,
      clientSecret,
    );
    expect(engine.cloud.c2m.liveLongTokens()).toHaveLength(1);
    const { deployment } = JSON.parse(await inFolder("pulumi stack export"));
    const resources = deployment.resources as StoredResource[];
    expect(resources.filter(({ protect }) => protect)).toEqual([]);
    const functions = resources.filter(({ type }) => type === "aws:lambda/function:Function");
    expect(functions.map(({ inputs }) => inputs.ephemeralStorage)).toEqual([{ size: 1024 }, { size: 1024 }]);
  });

  it("goes with `pulumi destroy`, the log too, since `protect` in the options is the argument's default", async () => {
    await inFolder("pulumi destroy");
    const { deployment } = JSON.parse(await inFolder("pulumi stack export"));
    expect(deployment.resources ?? []).toEqual([]);
  });
});
