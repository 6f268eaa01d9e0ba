/** `npm run bench`: figures, not asserts. */
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { endWithUsage } from "../wrong-options.ts";
import { type Figure, measure, type Result } from "./figure.ts";
import { bills } from "./figures/bill.ts";
import { calls } from "./figures/calls.ts";
import { costs } from "./figures/cost.ts";
import { localStart } from "./figures/local-start.ts";
import { memorySizes } from "./figures/memory-size.ts";
import { programFigures } from "./figures/program.ts";
import { reconcileFigures } from "./figures/reconcile.ts";
import { thousandRotations } from "./figures/rotations.ts";
import { bundleGzip, bundleSize, firstStep, init, instructions, memory, rotationCpu } from "./figures/rotator.ts";
import { sdkCall } from "./figures/sdk-call.ts";
import { statusTime } from "./figures/status.ts";
import { upTimes } from "./figures/up.ts";

const figures: readonly Figure[] = [
  bundleSize,
  bundleGzip,
  ...init,
  ...firstStep,
  ...rotationCpu,
  ...instructions,
  ...memory,
  ...memorySizes,
  ...calls,
  ...costs,
  ...bills,
  ...reconcileFigures,
  ...programFigures,
  ...upTimes,
  sdkCall,
  thousandRotations,
  localStart,
  statusTime,
];

const help = `Measures and prints figures: the median, between what bounds it lay, what we want at most, and what nothing that does the
job can be below. Nothing fails for being slow.

Usage: npm run bench [-- options] [figure …]

${figures.map(({ name, what }) => `  ${name.padEnd(12)}  ${what}`).join("\n")}

  --rounds N    samples of each, taken in turns, 1 to 100 (default 5)
  --json        print one JSON object, and nothing else
  --help        this text
`;

const { rounds, json, asked } = readOptions();
const results = await measure(asked, rounds, (figure, value) => {
  if (!json) process.stderr.write(`${figure.name}: ${short(value)} ${figure.unit}\n`);
});
const machine = { node: process.version, cpu: cpus()[0]?.model ?? "unknown", cores: availableParallelism() };
process.stdout.write(json ? `${JSON.stringify({ ...machine, figures: results })}\n` : table(results));

function readOptions(): { rounds: number; json: boolean; asked: Figure[] } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: "string", default: "5" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new Error("--rounds must be 1 to 100");
    const unknown = positionals.filter((name) => !figures.some((figure) => figure.name === name));
    if (unknown.length > 0) throw new Error(`there is no figure ${unknown.join(", ")}`);
    const asked = figures.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
    return { rounds, json: values.json, asked };
  } catch (error) {
    return endWithUsage(error, help);
  }
}

function table(results: Result[]): string {
  const rows = results.map(({ what, unit, median, min, max, aim, limit, missed }) => {
    const wanted = aim === undefined ? "" : `aim ${aim}`.padEnd(11);
    const least = limit === undefined ? "" : `limit ${limit}`.padEnd(12);
    const verdict = aim === undefined ? "" : median <= aim ? "met" : `MISSED${missed ? `: ${missed}` : ""}`;
    const bounds = `${short(min)} to ${short(max)}`.padEnd(18);
    return `  ${what.padEnd(50)}  ${`${short(median)} ${unit}`.padStart(12)}  ${bounds}  ${wanted.padEnd(11)}  ${least.padEnd(12)}  ${verdict}`;
  });
  return `\nNode ${machine.node}, ${machine.cores} cores, ${machine.cpu}\n\n${rows.join("\n").replace(/ +$/gm, "")}\n`;
}

/** Three digits say enough. */
function short(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
