import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { EngineStack } from "./engine-stack.ts";

describe("under the Pulumi engine", () => {
  let engine: EngineStack;
  afterEach(() => engine.stop());

  it("preview tells all that is wrong with the config at once, and makes nothing", async () => {
    engine = await EngineStack.create({
      config: {
        recoveryWindowInDays: "3",
        baseUrl: "ftp://api.click2mail.com",
        otpSeed: "JBSWY3DPEHPK3PXP",
        "tokens[0].grace": "soon",
        "tokens[1].name": "c2m/another",
        "tokens[1].lifetime": "20 days",
      },
    });
    await expect(engine.preview()).rejects.toThrow();
    for (const problem of [
      "recoveryWindowInDays (how long a deleted secret can be restored): must be 0 or 7 to 30 days",
      "baseUrl (the C2M API): ",
      "clientSecret (how the client proves itself): must be set",
      "tokens[0].grace (how long a superseded token stays alive): must be a duration",
      "tokens[1].lifetime (the lifetime to ask C2M for): must be longer than",
    ]) {
      expect(engine.printed).toContain(problem);
    }
    expect(engine.printed).not.toContain("JBSWY3DPEHPK3PXP");
    expect(engine.cloud.calls.calls).toEqual([]);
  });

  it("a pulumi that is killed while one token of four is issued leaves nothing that the next up does not mend: it goes on there", async () => {
    const issued = () => engine.cloud.c2m.tokens.filter(({ kind }) => kind === "long").length;
    let killed: (() => void) | undefined;
    const names = ["c2m/api-token", "c2m/token-1", "c2m/token-2", "c2m/token-3"];
    engine = await EngineStack.create({
      // One has proven the credentials: the third of the four has just been issued.
      onC2mExchange: () => issued() === 4 && killed?.(),
      config: Object.fromEntries(names.map((name, index) => [`tokens[${index}].name`, name])),
    });
    const up = spawn("pulumi", ["up", "--skip-preview"], {
      cwd: engine.folder,
      env: engine.environment(),
      stdio: "ignore",
      // A group of its own: the CLI is killed with the language host and the program.
      detached: true,
    });
    killed = () => up.pid !== undefined && process.kill(-up.pid, "SIGKILL");
    expect(await once(up, "exit")).toEqual([null, "SIGKILL"]);
    killed = undefined;

    // What the CLI asks for after such an end: it found its own lock.
    await expect(engine.sh("pulumi up")).rejects.toThrow("pulumi cancel");
    await engine.sh("pulumi cancel && pulumi up");
    const { engine: secrets } = engine.cloud.secretsManager;
    const tokens = names.map(
      (SecretId) => JSON.parse(secrets.getSecretValue({ SecretId }).SecretString ?? "").token_id,
    );
    expect(
      engine.cloud.c2m
        .liveLongTokens()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(tokens.sort());
    // None was issued twice.
    expect(issued()).toBe(5);
    const { same = 0, ...others } = await engine.preview();
    expect(same).toBeGreaterThan(40);
    expect(others).toEqual({});
  });
});
