import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { remembered } from "../../tools/local/remembered.ts";

/** A repository of one file, and how often something was made from it. */
function repository() {
  const root = mkdtempSync(join(tmpdir(), "remembered-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string) => writeFileSync(join(root, path), text);
  mkdirSync(join(root, "src/deep"), { recursive: true });
  mkdirSync(join(root, "node_modules"));
  write("src/deep/one.ts", "1");
  write("node_modules/.package-lock.json", "{}");
  let made = 0;
  const look = (options = "options") => remembered(options, async () => ({ made: ++made }), root);
  return { root, write, look };
}

it("what was made is given again while nothing has changed", async () => {
  const { look } = repository();
  expect([await look(), await look()]).toEqual([{ made: 1 }, { made: 1 }]);
});

it.each<[what: string, change: (own: ReturnType<typeof repository>) => void]>([
  ["a source has another text", ({ write }) => write("src/deep/one.ts", "2")],
  ["a source was added", ({ write }) => write("src/two.json", "{}")],
  ["a source has another name", ({ root }) => renameSync(join(root, "src/deep/one.ts"), join(root, "src/one.ts"))],
  ["a source is gone", ({ root }) => rmSync(join(root, "src/deep/one.ts"))],
  ["another package is installed", ({ write }) => write("node_modules/.package-lock.json", '{"a": 1}')],
  [
    "what was kept is damaged",
    ({ root, write }) => {
      for (const file of readdirSync(join(root, "node_modules/.cache/local"))) {
        write(join("node_modules/.cache/local", file), '{"key": "');
      }
    },
  ],
])("it is made anew when %s", async (_what, change) => {
  const own = repository();
  await own.look();
  change(own);
  expect([await own.look(), await own.look()]).toEqual([{ made: 2 }, { made: 2 }]);
});

it("it is kept for each of the options by itself", async () => {
  const { look } = repository();
  expect([await look("a"), await look("b"), await look("a")]).toEqual([{ made: 1 }, { made: 2 }, { made: 1 }]);
});

it("it is given where nothing can be kept", async () => {
  const { root, write, look } = repository();
  rmSync(join(root, "node_modules"), { recursive: true });
  write("node_modules", "a file in the place of the folder");
  expect([await look(), await look()]).toEqual([{ made: 1 }, { made: 2 }]);
});
