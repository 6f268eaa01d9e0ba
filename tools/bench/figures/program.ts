import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
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
    prepare: async () => ({ sample: async () => run(tokens)[field], close: async () => undefined }),
  };
}

function run(tokens: number): { seconds: number; megabytes: number } {
  const options: PlanOptions = {
    program,
    config: {
      clientId: "c2m_bench",
      clientSecret: "bench-client-secret",
      tokens: JSON.stringify(Array.from({ length: tokens }, (_, index) => ({ name: `c2m/token-${index}` }))),
    },
    secretKeys: ["clientSecret"],
  };
  // The program prints its plan on stdout; what it took goes to stderr as it exits.
  const report = `process.on("exit", () => process.stderr.write("\\n" + JSON.stringify({ seconds: performance.now() / 1000, megabytes: process.resourceUsage().maxRSS / 1024 })))`;
  const args = ["--import", `data:text/javascript,${encodeURIComponent(report)}`, recorder, JSON.stringify(options)];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stderr.split("\n").at(-1) ?? "") as { seconds: number; megabytes: number };
}
