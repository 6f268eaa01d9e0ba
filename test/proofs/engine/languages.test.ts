import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientId, clientSecret } from "../../harness/stack.ts";
import { EngineStack } from "./engine-stack.ts";

const root = resolve(import.meta.dirname, "../../..");
const has = (command: string) => !spawnSync(command, ["-help"]).error;

/** Started as a language host starts it: older hosts can't, so that the engine is told where it is. */
async function startPlugin(): Promise<{ plugin: ChildProcess; port: string }> {
  const host = join(root, "node_modules/@pulumi/pulumi/cmd/run-plugin/index.js");
  const plugin = spawn(process.execPath, [host, join(root, "plugin")], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(plugin.stdout, "data");
  return { plugin, port: String(port).trim() };
}

/** Puts the package, as `npm pack` makes it, into a folder's node_modules, beside what it depends on. */
function install(folder: string): string {
  const modules = join(folder, "node_modules");
  mkdirSync(modules, { recursive: true });
  for (const name of readdirSync(join(root, "node_modules")))
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [archive = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  execFileSync("tar", ["xzf", join(folder, archive), "-C", folder]);
  renameSync(join(folder, "package"), join(modules, "c2m-token-rotation"));
  return join(modules, "c2m-token-rotation");
}

const commands = (engine: EngineStack) => `pulumi stack init dev
  pulumi config set aws:region ${engine.cloud.region}
  pulumi config set clientId ${clientId}
  pulumi config set baseUrl ${engine.cloud.c2mUrl}
  pulumi config set --secret clientSecret
  pulumi up`;

function expectToken({ cloud, printed }: EngineStack): void {
  const { SecretString = "" } = cloud.secretsManager.engine.getSecretValue({ SecretId: "mail/c2m-token" });
  expect(cloud.c2m.isLive(JSON.parse(SecretString).token_id)).toBe(true);
  expect(printed).not.toContain(clientSecret);
}

// Where a language's host is not there, run.ts says so.
describe.skipIf(!has("pulumi-language-yaml")).each([["pulumi-yaml"]])(
  "the example %s, under the Pulumi engine",
  (example) => {
    let engine: EngineStack;
    let plugin: ChildProcess;
    let port: string;
    let folder: string;

    beforeAll(async () => {
      ({ plugin, port } = await startPlugin());
      engine = await EngineStack.empty();
      folder = join(engine.folder, example);
      cpSync(join(root, "examples", example), folder, { recursive: true });
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
      await inFolder(commands(engine), clientSecret);
      expectToken(engine);
      expect(await inFolder("pulumi stack output tokenSecretArns --json")).toContain("mail/c2m-token");
    });

    it("changes nothing at a second up, and refuses a wrong value at preview with the key and the rule", async () => {
      expect(await inFolder("pulumi up")).toMatch(/\d+ unchanged/);
      const file = join(folder, "Pulumi.yaml");
      const good = readFileSync(file, "utf8");
      writeFileSync(file, good.replace("grace: 2 hours", "grace: soon"));
      await expect(inFolder("pulumi preview")).rejects.toThrow(/tokens\[0\]\.grace/);
      writeFileSync(file, good);
    });
  },
);

describe("the packed package, under the Pulumi CLI", () => {
  let engine: EngineStack;
  let folder: string;
  let packed: string;

  beforeAll(async () => {
    engine = await EngineStack.empty();
    folder = join(engine.folder, "mail");
    cpSync(join(root, "examples/pulumi-typescript"), folder, { recursive: true });
    packed = install(folder);
    // The example's own TypeScript is an older one.
    const config = join(folder, "tsconfig.json");
    const { compilerOptions, ...rest } = JSON.parse(readFileSync(config, "utf8"));
    writeFileSync(
      config,
      JSON.stringify({ ...rest, compilerOptions: { ...compilerOptions, ignoreDeprecations: "6.0" } }),
    );
  });
  afterAll(() => engine.stop());

  it("the example in TypeScript deploys, and puts a working token into its secret", async () => {
    await engine.sh(`cd '${folder}'\n${commands(engine)}`, clientSecret);
    expectToken(engine);
  });

  it("is a plugin that the CLI installs, runs and has its schema from, as `pulumi package add` does", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "node_modules/@pulumi/aws/package.json"), "utf8"));
    // The CLI would fetch it, since the plugin's package names it. Nobody runs it for the schema.
    const aws = join(engine.folder, `home/plugins/resource-aws-v${version}`);
    const bin = join(engine.folder, "bin");
    for (const path of [aws, bin]) mkdirSync(path, { recursive: true });
    writeFileSync(join(aws, "pulumi-resource-aws"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const host = `#!/bin/sh\nNODE_HOST='${execFileSync("sh", ["-c", "command -v pulumi-language-nodejs"], { encoding: "utf8" }).trim()}' exec '${process.execPath}' '${join(import.meta.dirname, "plugin-host.ts")}' "$@"\n`;
    writeFileSync(join(bin, "pulumi-language-nodejs"), host, { mode: 0o755 });
    // npm's way to the registry, which the stack's own environment does not have.
    const network = Object.entries(process.env).filter(([name]) =>
      /^(npm_config_(registry|userconfig|cafile|cache)|node_extra_ca_certs|(https?|no)_proxy)$/i.test(name),
    );
    const way = network.map(([name, value]) => `export ${name}='${value}'\n`).join("");
    const ask = `${way}pulumi package get-schema '${packed}/plugin'`;
    // Of the machine's own host, or by the stand-in where that is too old to run plugins.
    const printed = await engine.sh(ask).catch((error: Error) => {
      if (!/not supported|unimplemented/i.test(error.message)) throw error;
      return engine.sh(`PATH='${bin}':"$PATH"\n${ask}`);
    });
    const schema = JSON.parse(printed.slice(printed.indexOf("{")));
    const { resources } = JSON.parse(readFileSync(join(root, "plugin/schema.json"), "utf8"));
    expect(Object.keys(schema.resources)).toEqual(Object.keys(resources));
    const [name = ""] = Object.keys(resources);
    const keysOf = (one: typeof schema) => Object.keys(one.resources[name].inputProperties).sort();
    expect(keysOf(schema)).toEqual(keysOf({ resources }));
  });
});
