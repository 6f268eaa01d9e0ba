import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleFiles } from "../../infra/bundle.ts";
import { plan } from "../harness/pulumi/plan.ts";

const root = resolve(import.meta.dirname, "../..");

/** Another team's stack, as they would write it. */
const program = `
import * as aws from "@pulumi/aws";
import { type ScheduleExpression, TokenRotation } from "c2m-token-rotation";

const adopted = new aws.secretsmanager.Secret("theirs", { name: "their/token" });
const rotation = new TokenRotation("mail", {
  clientId: "c2m_theirs",
  credentials: { privateKey: "their-private-key", keyId: "key-1" },
  tokens: [{ name: "mail/token", schedule: "cron(0 8 1 * ? *)", grace: "2 hours" }, { name: "their/token", secretArn: adopted.arn }],
});
// @ts-expect-error: the editor refuses what is no schedule
const weekly: ScheduleExpression = "weekly";

export const topic = rotation.monitoring?.alarmTopic.arn;
export const names = Object.keys(rotation.tokenSecrets);
`;

describe("the packed package", () => {
  const project = mkdtempSync(join(tmpdir(), "stack-"));
  let packed: string[];

  beforeAll(() => {
    // In a copy, so that two runs of the tests can't disturb each other's build.
    const sources = join(project, "sources");
    mkdirSync(sources);
    for (const name of ["infra", "lambdas", "client", "package.json", "tsconfig.json", "README.md", "LICENSE"]) {
      cpSync(join(root, name), join(sources, name), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(sources, "node_modules"));
    execFileSync("npm", ["pack", "--pack-destination", project], { cwd: sources, stdio: "pipe" });
    const tarball = join(project, readdirSync(project).find((file) => file.endsWith(".tgz")) ?? "");
    const modules = join(project, "node_modules");
    const installed = join(modules, "c2m-token-rotation");
    mkdirSync(installed, { recursive: true });
    execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
    packed = execFileSync("tar", ["-tzf", tarball]).toString().trim().split("\n");
    // What npm would install beside it.
    for (const name of readdirSync(join(root, "node_modules"))) {
      if (!name.startsWith(".")) symlinkSync(join(root, "node_modules", name), join(modules, name));
    }
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

  it("holds the compiled program, its types and the functions' code, and nothing else", () => {
    const kinds = packed.map((path) => path.replace(/^package\//, ""));
    const expected =
      /^(package\.json|README\.md|LICENSE|dist\/client\/.+\.(js|d\.ts)|dist\/package\/(infra|lambdas)\/.+\.(js|d\.ts)|dist\/client\/.+\.(js|d\.ts)|dist\/package\/functions\/[a-z-]+\/((index|jose|otpauth)\.js|tokens\.json))$/;
    expect(kinds.filter((path) => !expected.test(path))).toEqual([]);
  });

  it("lets a stack of another project use the components, with types", () => {
    execFileSync(process.execPath, [join(root, "node_modules/.bin/tsc"), "-p", project], {
      cwd: project,
      stdio: "pipe",
    });
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
      /The arguments of TokenRotation are not valid:\n {2}- clientId .+\n {2}- tokens\[0\]\.grace .+\n {2}- tokens\[0\]\.lifetime /,
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
    expect(codes).toEqual([bundleFiles("rotate-token"), bundleFiles("reconcile-tokens")]);
  });
});
