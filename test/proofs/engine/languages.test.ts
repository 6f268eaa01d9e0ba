import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientId, clientSecret } from "../../harness/stack.ts";
import { EngineStack } from "./engine-stack.ts";

const root = resolve(import.meta.dirname, "../../..");

/** Started as a language host starts it: older hosts can't, so that the engine is told where it is. */
async function startPlugin(): Promise<{ plugin: ChildProcess; port: string }> {
  const host = join(root, "node_modules/@pulumi/pulumi/cmd/run-plugin/index.js");
  const plugin = spawn(process.execPath, [host, join(root, "plugin")], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(plugin.stdout, "data");
  return { plugin, port: String(port).trim() };
}

// Each of these goes on where the one before it ended.
describe("the example in YAML, under the Pulumi engine", () => {
  let engine: EngineStack;
  let plugin: ChildProcess;
  let port: string;
  let folder: string;

  beforeAll(async () => {
    if (spawnSync("pulumi-language-yaml", ["-help"]).error) {
      throw new Error("pulumi-language-yaml is not on the PATH: the example in YAML is not proven.");
    }
    ({ plugin, port } = await startPlugin());
    engine = await EngineStack.empty();
    folder = join(engine.folder, "yaml");
    cpSync(join(root, "examples/pulumi-yaml"), folder, { recursive: true });
    const file = join(folder, "Pulumi.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace(/^packages:\n.*\n/m, ""));
  });
  afterAll(async () => {
    plugin?.kill();
    await engine?.stop();
  });

  const inFolder = (script: string, typed = "") =>
    engine.sh(
      `cd '${folder}'; export PULUMI_DEBUG_PROVIDERS="$PULUMI_DEBUG_PROVIDERS,c2m-token-rotation:${port}"\n${script}`,
      typed,
    );

  it("deploys, and puts a working token into its secret", async () => {
    await inFolder(
      `pulumi stack init dev
       pulumi config set clientId ${clientId}
       pulumi config set baseUrl ${engine.cloud.c2mUrl}
       pulumi config set --secret clientSecret
       pulumi up`,
      clientSecret,
    );
    const { SecretString = "" } = engine.cloud.secretsManager.engine.getSecretValue({ SecretId: "mail/c2m-token" });
    expect(engine.cloud.c2m.isLive(JSON.parse(SecretString).token_id)).toBe(true);
    expect(await inFolder("pulumi stack output tokenSecretArns --json")).toContain("mail/c2m-token");
    expect(engine.printed).not.toContain(clientSecret);
  });

  it("changes nothing at a second up, and refuses a wrong value at preview with the key and the rule", async () => {
    expect(await inFolder("pulumi up")).toMatch(/\d+ unchanged/);
    const file = join(folder, "Pulumi.yaml");
    const good = readFileSync(file, "utf8");
    writeFileSync(file, good.replace("grace: 2 hours", "grace: soon"));
    await expect(inFolder("pulumi preview")).rejects.toThrow(/tokens\[0\]\.grace/);
    writeFileSync(file, good);
  });
});
