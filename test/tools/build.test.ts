import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { bundle } from "../../infra/resources/function-code.ts";
import { stackPlan } from "../harness/stack.ts";

const root = resolve(import.meta.dirname, "../..");

describe("npm run build", () => {
  it("writes the very code that Pulumi deploys", async () => {
    execFileSync(process.execPath, ["tools/package/functions.ts"], { cwd: root });
    const { resources } = await stackPlan();
    const deployed = resources
      .filter(({ type }) => type.endsWith(":Function"))
      .map(({ inputs }) => (inputs.code as { files: Record<string, string> }).files["index.js"]);
    const built = ["rotator", "reconciler"].map((name) =>
      readFileSync(resolve(root, "dist", name, "index.js"), "utf8"),
    );
    expect(deployed.sort()).toEqual(built.sort());
  });

  it("makes the same bytes from another folder", () => {
    const script = `import(${JSON.stringify(resolve(root, "infra/resources/function-code.ts"))}).then(({ bundle }) => process.stdout.write(bundle('rotator')))`;
    const elsewhere = execFileSync(process.execPath, ["-e", script], { cwd: "/", maxBuffer: 10_000_000 });
    expect(elsewhere.toString()).toBe(bundle("rotator"));
  });
});
