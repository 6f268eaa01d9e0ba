import { fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { PlanOptions, Recorded } from "../../../local-cloud/pulumi/plan.ts";
import { program } from "../../../test/harness/program.ts";
import type { Figure } from "../figure.ts";

const root = resolve(import.meta.dirname, "../../..");
const recorder = resolve(root, "local-cloud/pulumi/record-program.ts");

const sdkTakes =
  "by the profile a quarter is the garbage collector, a fifth the Pulumi SDK's promises with a stack trace each, most of the rest its outputs and its messages; ours is under 2 %";

/** Time and memory of the Pulumi program until all is registered, in a process of its own, against mocks. */
export const programFigures: Figure[] = [
  ...[1, 10, 100, 1_000].flatMap((tokens) => {
    const what = `program with ${tokens.toLocaleString("en")} token${tokens === 1 ? "" : "s"}, until all is registered`;
    const goal = tokens === 1_000 ? { aim: 10, missed: sdkTakes } : {};
    return [
      figure({ name: `program-${tokens}`, what, unit: "s", ...goal }, async () => (await run(tokens)).seconds),
      figure(
        { name: `program-${tokens}-memory`, what: "  its peak memory", unit: "MB" },
        async () => (await run(tokens)).megabytes,
      ),
    ];
  }),
  figure(
    { name: "program-ratio", what: "  a hundred tokens to one", unit: "", aim: 1.5, missed: sdkTakes },
    async () => {
      const one = await run(1);
      return (await run(100)).seconds / one.seconds;
    },
  ),
];

function figure(of: Omit<Figure, "prepare">, sample: () => Promise<number>): Figure {
  return { rounds: 3, ...of, prepare: async () => ({ sample, close: async () => undefined }) };
}

async function run(tokens: number): Promise<{ seconds: number; megabytes: number }> {
  const options: PlanOptions = {
    program,
    config: {
      clientId: "c2m_bench",
      clientSecret: "bench-client-secret",
      tokens: JSON.stringify(Array.from({ length: tokens }, (_, index) => ({ name: `c2m/apps/token-${index}` }))),
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
  const refused = once(child, "message").then(([recorded]) => {
    child.disconnect();
    if ("failed" in (recorded as Recorded)) throw new Error((recorded as { failed: string }).failed);
  });
  child.send(options);
  const [printed] = await Promise.all([text(child.stderr as Readable), refused]);
  return JSON.parse(printed.split("\n").at(-1) ?? "") as { seconds: number; megabytes: number };
}
