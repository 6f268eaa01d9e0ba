import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ran, runInProcess } from "../../harness/in-process-command.ts";
import { currentToken, secretName } from "../../harness/stack.ts";
import { EngineStack } from "./engine-stack.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../../docs/operators.md"), "utf8");

/** The commands of Pulumi under "A rehearsal", as they are written. */
const [, commands = ""] = /\n## A rehearsal\n.*?```sh\n(.*?)^c2m-tokens/ms.exec(page) ?? [];

// Each of these goes on where the one before it ended.
describe("c2m-tokens rehearse on a stack under the Pulumi engine", () => {
  let engine: EngineStack;
  const folder = process.cwd();

  beforeAll(async () => {
    engine = await EngineStack.create();
    await engine.up();
  });
  afterAll(async () => {
    process.chdir(folder);
    await engine.stop();
  });

  function rehearse(...args: string[]): Promise<Ran> {
    // It asks the CLI for the stack's outputs, in the project's folder.
    process.chdir(engine.folder);
    const { world, cloud } = engine;
    return runInProcess(["rehearse", "--stack", "dev", "--yes", secretName, "--json", ...args], {
      env: engine.environment(),
      clock: world.clock,
      meanwhile: () => cloud.secretsManager.idle(),
    });
  }

  it("is refused as long as the config does not say that it is a sandbox", async () => {
    const refused = await rehearse();
    expect(refused.stderr).toContain("does not say that it is a sandbox");
    expect(refused.code).toBe(3);
  });

  it("finds every promise held after the commands of docs/operators.md, and prints no secret", async () => {
    expect(commands).toContain("pulumi config set sandbox true");
    await engine.sh(commands);
    const ran = await rehearse();
    const told = JSON.parse(ran.stdout) as { promises: { name: string; verdict: string }[]; graceSeconds: number };
    expect(told.promises.filter(({ verdict }) => verdict !== "held")).toEqual([]);
    expect(told.promises.length).toBeGreaterThan(10);
    expect(told.graceSeconds).toBe(300);
    expect(ran.code).toBe(0);
    expect(engine.cloud.c2m.liveLongTokens().map(({ id }) => id)).toEqual([currentToken(engine.cloud).token_id]);
    for (const secret of engine.secrets()) expect(ran.stdout + ran.stderr).not.toContain(secret);
  });

  it("has changed nothing that a later up would put back", async () => {
    process.chdir(folder);
    const { same = 0, ...others } = await engine.preview();
    expect(same).toBeGreaterThan(40);
    expect(others).toEqual({});
  });
});
