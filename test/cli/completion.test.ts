import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { commands } from "../../cli/commands.ts";
import { startOps } from "../harness/operated-stack.ts";

const { stdout: script } = await startOps(["completion", "--shell", "bash"], {}).ended;

/** What bash offers for the last word; the secrets' names come from a stand-in for the command. */
function offered(...words: string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(" ");
  const program = `c2m-tokens() { echo c2m/api-token; }\n${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _c2m_tokens; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", program], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.split("\n").filter(Boolean);
}

describe("completion in bash", () => {
  it("offers commands, the options of the command, and secrets' names", () => {
    expect(offered("c2m-tokens", "")).toEqual([...commands.map(({ name }) => name), "--help", "--version"]);
    expect(offered("c2m-tokens", "ro")).toEqual(["rotate", "rollback"]);
    expect(offered("c2m-tokens", "rotate", "--w")).toEqual(["--wait"]);
    expect(offered("c2m-tokens", "verify", "--w")).toEqual([]);
    expect(offered("c2m-tokens", "verify", "--secret", "c2m/")).toEqual(["c2m/api-token"]);
  });
});
