import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../cli/commands.ts";
import { generalHelp } from "../../cli/help.ts";
import { bundleFiles } from "../../infra/resources/function-code.ts";
import { VirtualClock } from "../../local-cloud/clock.ts";
import { deploy } from "../../local-cloud/pulumi/deploy.ts";
import { plan as planOf } from "../../local-cloud/pulumi/plan.ts";
import { anyC2mUrl } from "../../local-cloud/pulumi/program.ts";
import { plan } from "../harness/program.ts";
import { clientId, clientSecret, currentToken, emptyCloud, secretName, stackPlan } from "../harness/stack.ts";

const root = resolve(import.meta.dirname, "../..");

/** Another team's stack, as they would write it. */
const program = `
import * as aws from "@pulumi/aws";
import { TokenRotation } from "c2m-token-rotation";

const adopted = new aws.secretsmanager.Secret("theirs", { name: "their/token" });
const rotation = new TokenRotation("mail", {
  clientId: "c2m_theirs",
  privateKey: "their-private-key",
  keyId: "key-1",
  tokens: [{ name: "mail/token", schedule: "cron(0 8 1 * ? *)", grace: "2 hours" }, { name: "their/token", secretArn: adopted.arn }],
});
export const topic = rotation.alarmTopicArn;
export const names = Object.keys(rotation.nodes.tokenSecrets);
`;

interface Manifest {
  bin: Record<string, string>;
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
}

describe("the packed package", () => {
  const project = mkdtempSync(join(tmpdir(), "stack-"));
  const modules = join(project, "node_modules");
  const installed = join(modules, "c2m-token-rotation");
  let packed: string[];

  beforeAll(() => {
    // In a copy, so that two runs of the tests can't disturb each other's build.
    const sources = join(project, "sources");
    mkdirSync(sources);
    const kept = ["plugin", "policy-pack", "package.json", "tsconfig.json", "README.md", "LICENSE"];
    for (const name of ["infra", "lambdas", "client", "cli", "src", "tools", "docs", ...kept]) {
      cpSync(join(root, name), join(sources, name), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(sources, "node_modules"));
    execFileSync("npm", ["pack", "--pack-destination", project], { cwd: sources, stdio: "pipe" });
    const tarball = join(project, readdirSync(project).find((file) => file.endsWith(".tgz")) ?? "");
    mkdirSync(installed, { recursive: true });
    execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
    packed = execFileSync("tar", ["-tzf", tarball]).toString().trim().split("\n");
    // What npm would install beside it.
    for (const name of readdirSync(join(root, "node_modules"))) {
      if (!name.startsWith(".")) symlinkSync(join(root, "node_modules", name), join(modules, name));
    }
    for (const [name, file] of Object.entries(manifest().bin)) linkCommand(name, join(installed, file));
    writeFileSync(join(project, "package.json"), '{ "type": "module" }');
    writeFileSync(join(project, "index.ts"), program);
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          module: "nodenext",
          target: "es2024",
          strict: true,
          noEmit: true,
          skipLibCheck: true,
          types: [],
        },
        include: ["index.ts"],
      }),
    );
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  /** As npm does it. */
  function linkCommand(name: string, file: string): void {
    mkdirSync(join(modules, ".bin"), { recursive: true });
    chmodSync(file, 0o755);
    symlinkSync(file, join(modules, ".bin", name));
  }

  function manifest(): Manifest {
    return JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  }

  it("holds the compiled program, its types, the functions' code and the command line, and nothing else", () => {
    const kinds = packed.map((path) => path.replace(/^package\//, ""));
    const expected =
      /^(package\.json|README\.md|LICENSE|docs\/.+\.md|cli\/c2m-tokens\.js|plugin\/(PulumiPlugin\.yaml|package\.json|index\.js|schema\.json)|policy-pack\/(PulumiPolicy\.yaml|package\.json|index\.js)|dist\/cli\/[\w-]+\.js|dist\/package\/(infra|src)\/.+\.(js|d\.ts)|dist\/client\/.+\.(js|d\.ts)|dist\/package\/functions\/[a-z-]+\/((index|jose|otpauth)\.js|tokens\.json))$/;
    expect(kinds.filter((path) => !expected.test(path))).toEqual([]);
  });

  it("lets a stack of another project use the components, with types", () => {
    execFileSync(process.execPath, [join(root, "node_modules/.bin/tsc"), "-p", project], {
      cwd: project,
      stdio: "pipe",
    });
  });

  it("lets a stack as Pulumi's own template makes it use the components and the client, with types", () => {
    const folder = join(project, "template");
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), '{ "main": "index.ts" }');
    writeFileSync(
      join(folder, "index.ts"),
      `${program}import { createTokenSource } from "c2m-token-rotation/client";\n`,
    );
    // CommonJS, whose way to find modules knows no `exports`. TypeScript 6 calls it deprecated.
    const template = { strict: true, target: "es2020", module: "commonjs", moduleResolution: "node", noEmit: true };
    const compilerOptions = { ...template, ignoreDeprecations: "6.0", skipLibCheck: true, types: [] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["index.ts"] }));
    execFileSync(process.execPath, [join(root, "node_modules/typescript/lib/tsc.js"), "-p", folder], { stdio: "pipe" });
  });

  it("is what the example in TypeScript deploys, by the example's own settings", async () => {
    const folder = join(project, "example");
    cpSync(join(root, "examples/pulumi-typescript"), folder, { recursive: true });
    const settings = ["--project", folder, "--noEmit", "--ignoreDeprecations", "6.0", "--types", "node"];
    execFileSync(process.execPath, [join(root, "node_modules/typescript/lib/tsc.js"), ...settings], { stdio: "pipe" });
    const { cloud } = await emptyCloud();
    try {
      const config = { clientId, clientSecret, baseUrl: anyC2mUrl };
      const program = { folder, project: "mail", main: "index.ts" };
      await deploy(cloud, await planOf({ program, config, secretKeys: ["clientSecret"] }));
      const { SecretString = "" } = cloud.secretsManager.engine.getSecretValue({ SecretId: "mail/c2m-token" });
      expect(cloud.c2m.isLive(JSON.parse(SecretString).token_id)).toBe(true);
    } finally {
      await cloud.stop();
    }
  });

  it("runs in a stack in CommonJS as it does in one of modules", async () => {
    const main = join(project, "index.cjs");
    const typeless = program
      .replace(/^import \* as aws from (.*);$/m, "const aws = require($1);")
      .replace(/^import \{.* TokenRotation \} from (.*);$/m, "const { TokenRotation } = require($1);")
      .replace(/^.*ScheduleExpression.*$/m, "")
      .replace(/^export const (\w+) =/gm, "exports.$1 =");
    writeFileSync(main, typeless);
    const [required, imported] = await Promise.all(
      [main, join(project, "index.ts")].map((file) => plan({ config: {}, main: file })),
    );
    expect(required?.resources.length).toBeGreaterThan(40);
    expect(required?.resources).toEqual(imported?.resources);
  });

  it("makes the credentials a Pulumi secret, though they were given as plain text", async () => {
    const { resources } = await plan({ config: {}, main: join(project, "index.ts") });
    const holders = resources.filter(({ inputs }) => JSON.stringify(inputs).includes("their-private-key"));
    expect(holders.map(({ type, secretInputs }) => [type, secretInputs])).toEqual([
      ["aws:secretsmanager/secretVersion:SecretVersion", ["secretString"]],
    ]);
  });

  it("refuses bad arguments with every problem at once", async () => {
    const bad = join(project, "bad.ts");
    writeFileSync(bad, program.replace('grace: "2 hours"', 'grace: "60 days"').replace('"c2m_theirs"', '""'));
    await expect(plan({ config: {}, main: bad })).rejects.toThrow(
      /The arguments of TokenRotation are not valid:\n {2}- tokens\[0\]\.grace .+\n {2}- tokens\[0\]\.lifetime .+\n {2}- clientId /,
    );
  });

  it("deploys the very code that was tested", async () => {
    const { resources, outputs } = await plan({ config: {}, main: join(project, "index.ts") });
    expect(outputs).toEqual({ topic: expect.stringContaining(":mail-alarms"), names: ["mail/token", "their/token"] });
    const codes = resources
      .filter(({ type }) => type === "aws:lambda/function:Function")
      .map(({ inputs }) => {
        const { "tokens.json": _, ...code } = (inputs.code as { files: Record<string, string> }).files;
        return code;
      });
    expect(codes).toHaveLength(2);
    expect(codes).toEqual(expect.arrayContaining([bundleFiles("rotator"), bundleFiles("reconciler")]));
  });

  it.each([
    ["command line", "dist/cli", []],
    ["client", "dist/client", []],
    ["components", "dist/package", ["@pulumi/aws", "@pulumi/policy", "@pulumi/pulumi"]],
  ])("has a %s that needs no module but what is installed with it or brought by a stack", (_, folder, peers) => {
    const files = readdirSync(join(installed, folder), { recursive: true, encoding: "utf8" });
    const imported = files
      .filter((file) => /\.(js|d\.ts)$/.test(file) && !file.startsWith("functions/"))
      .flatMap((file) => [
        ...readFileSync(join(installed, folder, file), "utf8").matchAll(
          /(?:^(?:import|export|\}).* from |^import |\bimport\()"([^."][^"]*)"/gm,
        ),
      ]);
    const names = [...new Set(imported.map(([, name = ""]) => name))].filter((name) => !name.startsWith("node:"));
    const { dependencies, peerDependencies } = manifest();
    expect(names.filter((name) => !Object.hasOwn(dependencies, name)).sort()).toEqual(peers);
    for (const peer of peers) expect(peerDependencies).toHaveProperty([peer]);
  });

  it("asks a stack for the Pulumi that it was tested with, or a later one, and nobody else for any", () => {
    const { devDependencies, peerDependencies, peerDependenciesMeta } = manifest();
    for (const [name, range] of Object.entries(peerDependencies)) {
      expect(range).toBe(`^${devDependencies[name]}`);
      expect(peerDependenciesMeta[name]).toEqual({ optional: true });
    }
  });

  describe("has an operator's command line that", () => {
    /** Runs it as a shell does, on this Node, in another folder than the package's. */
    function operate(args: string[], env: Record<string, string> = {}) {
      const PATH = `${join(modules, ".bin")}:${dirname(process.execPath)}:/usr/bin:/bin`;
      return promisify(execFile)("c2m-tokens", args, { cwd: tmpdir(), env: { PATH, HOME: "/nonexistent", ...env } });
    }

    it("tells its commands and its version, and completes them", async () => {
      expect((await operate(["--help"])).stdout).toBe(generalHelp(commands));
      expect((await operate(["--version"])).stdout).toBe(`${manifest().version}\n`);
      const { stdout } = await operate(["completion", "--shell", "bash"]);
      expect(stdout).toContain("complete -F _c2m_tokens c2m-tokens");
    });

    it("verifies a token of a stack over HTTP", async () => {
      const { cloud } = await emptyCloud({ clock: new VirtualClock(Date.now()) });
      try {
        await deploy(cloud, await stackPlan());
        const { credentials, endpoint, region } = cloud.clientConfig();
        const { stdout } = await operate(["verify", "--secret", secretName, "--base-url", cloud.c2mUrl, "--json"], {
          AWS_ENDPOINT_URL: endpoint,
          AWS_REGION: region,
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        });
        const { token_id } = currentToken(cloud);
        expect(JSON.parse(stdout)).toEqual({ tokens: [expect.objectContaining({ tokenId: token_id, works: true })] });
      } finally {
        await cloud.stop();
      }
    });

    it("says in a line that a Node is too old for it", async () => {
      const old = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.0" } })`;
      const NODE_OPTIONS = `--import "data:text/javascript,${encodeURIComponent(old)}"`;
      const run = operate(["--version"], { NODE_OPTIONS });
      await expect(run).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^c2m-tokens needs Node >= 22;.*\n$/),
      });
    });
  });
});
