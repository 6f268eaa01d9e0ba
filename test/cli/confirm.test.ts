import { describe, expect, it } from "vitest";
import { confirmByName } from "../../cli/acting/confirm-and-act.ts";
import type { Call } from "../../cli/command.ts";
import { Options } from "../../cli/options.ts";
import { Terminal } from "../../cli/terminal.ts";

/** Asks for the confirmation of a person who types `answer`; resolves with what was asked. */
async function confirm(answer: string, { args = [] as string[], isInteractive = true, json = false } = {}) {
  const asked: string[] = [];
  const sink = { write: () => undefined };
  const ask = async (question: string) => {
    asked.push(question);
    return answer;
  };
  const terminal = new Terminal({ stdout: sink, stderr: sink, isInteractive, colours: false, json, ask });
  const options = Options.parse(args, { yes: { type: "string", help: "" } });
  await confirmByName({ terminal, options } as Call, "c2m/api-token", "It goes.");
  return asked;
}

describe("what can't be undone", () => {
  it("is asked for at a terminal, and done when the secret's name is typed", async () => {
    expect(await confirm("c2m/api-token\n")).toEqual([expect.stringContaining("It goes. This can't be undone.")]);
  });

  it.each(["", "y", "yes", "c2m/api"])("is refused when %j is typed", async (answer) => {
    await expect(confirm(answer)).rejects.toMatchObject({
      exitCode: 3,
      remedy: expect.stringContaining("--yes c2m/api-token"),
    });
  });

  it("is not asked for with --yes and the name, nor without a terminal, nor with --json", async () => {
    expect(await confirm("", { args: ["--yes", "c2m/api-token"] })).toEqual([]);
    await expect(confirm("c2m/api-token", { isInteractive: false })).rejects.toMatchObject({ exitCode: 3 });
    await expect(confirm("c2m/api-token", { json: true })).rejects.toMatchObject({ exitCode: 3 });
  });
});
