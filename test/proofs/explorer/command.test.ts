import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const command = fileURLToPath(new URL("command.ts", import.meta.url));

function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

describe("npm run prove", () => {
  it("replays a schedule and shows where it strikes", async () => {
    const { status, stdout } = await run("--replay", "grace:33.crash-done");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ +33 .*<- done, killed before the answer$/m);
    expect(stdout).toContain("The promise was kept.");
  });

  it("replays into one JSON object", async () => {
    const { stdout } = await run("--replay", "grace:33.crash-done", "--json");
    expect(JSON.parse(stdout)).toEqual({ id: "grace:33.crash-done", violations: [], effects: expect.any(Number) });
  });

  it.each([
    [["--replay", "nowhere:1.crash"], 'There is no scenario "nowhere"'],
    [["--replay", "grace:1.explode"], "is not a strike"],
    [["--budget", "huge"], "--budget must be quick, ci, full"],
    [["--seed", "x"], "--seed must be a whole number"],
  ])("refuses %j with the reason and status 2", async (args, reason) => {
    const { status, stderr } = await run(...args);
    expect(status).toBe(2);
    expect(stderr).toContain(reason);
    expect(stderr).toContain("Usage: npm run prove");
  });
});
