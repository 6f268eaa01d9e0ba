import { fork } from "node:child_process";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { PlanOptions } from "../../../local-cloud/pulumi/plan.ts";
import { program } from "../../../test/harness/program.ts";
import type { Figure } from "../figure.ts";

const root = resolve(import.meta.dirname, "../../..");
const recorder = resolve(root, "local-cloud/pulumi/record-program.ts");

/** Time and memory of the Pulumi program until all is registered, in a process of its own, against mocks. */
export const programFigures: Figure[] = [1, 10, 100].flatMap((tokens) => [
  figure(
    `program-${tokens}`,
    `program with ${tokens} token${tokens === 1 ? "" : "s"}, until all is registered`,
    "s",
    tokens,
    "seconds",
  ),
  figure(`program-${tokens}-memory`, "  its peak memory", "MB", tokens, "megabytes"),
]);

function figure(name: string, what: string, unit: string, tokens: number, field: "seconds" | "megabytes"): Figure {
  return {
    name,
    what,
    unit,
    rounds: 3,
    prepare: async () => ({ sample: async () => (await run(tokens))[field], close: async () => undefined }),
  };
}

async function run(tokens: number): Promise<{ seconds: number; megabytes: number }> {
  const options: PlanOptions = {
    program,
    config: {
      clientId: "c2m_bench",
      clientSecret: "bench-client-secret",
      tokens: JSON.stringify(Array.from({ length: tokens }, (_, index) => ({ name: `c2m/token-${index}` }))),
    },
    secretKeys: ["clientSecret"],
  };
  // What it took goes to stderr as it exits.
  const report = `process.on("exit", () => process.stderr.write("\\n" + JSON.stringify({ seconds: performance.now() / 1000, megabytes: process.resourceUsage().maxRSS / 1024 })))`;
  const child = fork(recorder, {
    cwd: root,
    execArgv: ["--import", `data:text/javascript,${encodeURIComponent(report)}`],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  child.once("message", () => child.disconnect());
  child.send(options);
  const printed = await text(child.stderr as Readable);
  return JSON.parse(printed.split("\n").at(-1) ?? "") as { seconds: number; megabytes: number };
}
