import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readState, type SavedState, UnusableStateFile, writeState } from "../../tools/local/state-file.ts";

const folder = mkdtempSync(join(tmpdir(), "state-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

const state: SavedState = {
  cloud: {
    secrets: { "us-east-1": [] },
    logs: [{ name: "group", creationTime: 1, events: [] }],
    c2m: { clients: [], tokens: [] },
  },
  plan: { resources: [], outputs: {} },
};

function written(name: string): string {
  const path = join(folder, name);
  writeState(path, state);
  return path;
}

describe("the state file", () => {
  it("gives back what was written", () => {
    expect(readState(written("whole.json"))).toEqual(state);
  });

  it("is readable by its owner only, and nothing is left beside it", () => {
    const own = join(folder, "own");
    mkdirSync(own);
    const path = join(own, "state.json");
    writeState(path, state);
    writeState(path, state);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(own)).toEqual(["state.json"]);
  });

  it("is a fresh start when it is not there yet, or empty", () => {
    const empty = join(folder, "empty.json");
    writeFileSync(empty, "");
    expect(readState(empty)).toBeUndefined();
    expect(readState(join(folder, "none.json"))).toBeUndefined();
  });

  it.each<[what: string, content: (whole: string) => string, message: string]>([
    ["text", () => "some notes", "is not a state of the local cloud"],
    ["JSON of something else", () => '{"secrets": {}}', "is not a state of the local cloud"],
    ["cut off", (whole) => whole.slice(0, -20), "is not a state of the local cloud"],
    ["edited by hand", (whole) => whole.replace("group", "gruop"), "is damaged"],
    [
      "of another version",
      (whole) => whole.replace('"version":1', '"version":2'),
      "another version of the local cloud (2,",
    ],
  ])("is refused and left as it is when it is %s", (what, content, message) => {
    const path = written(`${what}.json`);
    const bytes = content(readFileSync(path, "utf8"));
    writeFileSync(path, bytes);
    expect(() => readState(path)).toThrow(UnusableStateFile);
    expect(() => readState(path)).toThrow(
      `The file ${path} ${message.startsWith("another") ? "was written by " : ""}${message}`,
    );
    expect(readFileSync(path, "utf8")).toBe(bytes);
  });

  it("is refused at the start when it is a folder, or in a folder that is not there", () => {
    expect(() => readState(folder)).toThrow(`The file ${folder} can't be read (EISDIR).`);
    const nowhere = join(folder, "no", "state.json");
    expect(() => readState(nowhere)).toThrow(`The file ${nowhere} can't be written (ENOENT).`);
  });
});
