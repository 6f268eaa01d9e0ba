import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** Says at its end which files a process has loaded. */
const spy = `import { registerHooks } from "node:module";
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
process.on("exit", () => process.stderr.write(JSON.stringify(loaded.filter((url) => url.startsWith("file:")))));`;

it.each([["--help"], ["rollback", "--help"], ["rehearse", "--help"], ["completion", "--shell", "bash"], ["--version"]])(
  "%s %s loads no package and none of the commands, so that it is there at once",
  (...args) => {
    const preload = `data:text/javascript,${encodeURIComponent(spy)}`;
    const { status, stderr } = spawnSync(process.execPath, ["--import", preload, main, ...args.filter(Boolean)], {
      encoding: "utf8",
    });
    expect(status).toBe(0);
    const loaded = JSON.parse(stderr) as string[];
    expect(loaded.length).toBeGreaterThan(5);
    expect(loaded.length).toBeLessThan(20);
    expect(loaded.filter((url) => /node_modules|\/cli\/(acting|looking|history|rehearse|report)\//.test(url))).toEqual(
      [],
    );
  },
);
