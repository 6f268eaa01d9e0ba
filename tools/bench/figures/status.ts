import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { LocalProcess } from "../../local/local-process.ts";
import type { Figure } from "../figure.ts";

const cli = resolve(import.meta.dirname, "../../../cli/c2m-tokens.js");
const run = promisify(execFile);

/** How long a person waits for `c2m-tokens status`, from the start of its process to its end, against the local cloud. */
export const statusTime: Figure = {
  name: "status",
  what: "`c2m-tokens status` against the local cloud",
  unit: "s",
  aim: 0.35,
  async prepare() {
    const local = LocalProcess.start();
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...(await local.ready()) };
    const status = () => run(process.execPath, [cli, "status", "--secret", "c2m/api-token"], { env });
    // Its code is compiled once.
    await status();
    return {
      async sample() {
        const start = performance.now();
        await status();
        return (performance.now() - start) / 1_000;
      },
      close: async () => void (await local.stop()),
    };
  },
};
