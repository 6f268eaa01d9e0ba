import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { currentToken } from "../../harness/stack.ts";
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

  it("a pulumi that is killed while the first token is issued leaves nothing that the next up does not mend", async () => {
    let killed: (() => void) | undefined;
    engine = await EngineStack.create({ onC2mExchange: () => killed?.() });
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
    const token = currentToken(engine.cloud).token_id;
    expect(engine.cloud.c2m.liveLongTokens().map(({ id }) => id)).toEqual([token]);
    const { same = 0, ...others } = await engine.preview();
    expect(same).toBeGreaterThan(40);
    expect(others).toEqual({});
  });
});
