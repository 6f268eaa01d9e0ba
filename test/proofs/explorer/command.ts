/** `npm run prove`: looks for a schedule of crashes and faults that breaks the promise. */
import { parseArgs } from "node:util";
import { endWithUsage } from "../../../tools/wrong-options.ts";
import { explore } from "./explore.ts";
import { type Breach, type Family, families, schedulesOf, type Tally } from "./figures.ts";
import { play } from "./play.ts";
import { core, scenarioNamed, varied } from "./scenarios.ts";
import { parseScheduleId } from "./schedule.ts";
import type { Budget } from "./tasks.ts";

const help = `Looks for a schedule that breaks the promise: the functions on the local Secrets Manager, log and C2M, killed and
disturbed at every request and log line, on a virtual clock.

Usage: npm run prove [-- options]

  --budget B    quick: about 20 seconds; full: several minutes, and schedules over HTTP (default full)
  --seed N      seed of the random schedules (default: the time, and printed)
  --workers N   threads (default 3: one of them mostly waits)
  --replay ID   plays one schedule and shows every request and log line
  --json        print one JSON object with the figures, and nothing else
  --help        this text

Exit status: 0, or 1 when the promise was broken, or 2 for wrong options.
`;

const options = readOptions();
if (options.help) process.stdout.write(help);
else if (options.replay !== undefined) await replay(options.replay);
else await prove();

async function prove(): Promise<void> {
  const { budget, seed, workers, json } = options;
  const start = performance.now();
  const tally = await explore({
    budget,
    seed,
    workers,
    onProgress: (done, tasks, { breaches }) => progress(`${done} of ${tasks} tasks, ${breaches.length} broken`),
  });
  progress("");
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  const { breaches } = tally;
  process.stdout.write(json ? `${asJson(tally, seconds)}\n` : asText(tally, seconds));
  if (breaches.length === 0) return;
  process.exitCode = 1;
  if (!json) for (const breach of smallest(breaches)) await show(breach);
}

async function replay(id: string): Promise<void> {
  const { violations, trace, checks } = await play(parsed(id), { trace: true });
  if (options.json) process.stdout.write(`${JSON.stringify({ id, violations, effects: checks })}\n`);
  else process.stdout.write(`${trace.join("\n")}\n\n${verdict(violations)}\n`);
  if (violations.length > 0) process.exitCode = 1;
}

function parsed(id: string) {
  try {
    const schedule = parseScheduleId(id);
    scenarioNamed(schedule.scenario);
    return schedule;
  } catch (error) {
    return endWithUsage(error, help);
  }
}

/** What to look at first. */
function smallest(breaches: readonly Breach[]): Breach[] {
  return breaches.toSorted((one, other) => one.id.length - other.id.length).slice(0, 3);
}

/** A breach with the id to replay it, and what struck on the way. */
async function show({ id, violations }: Breach): Promise<void> {
  const { trace } = await play(parsed(id), { trace: true });
  const struck = trace.filter((line) => line.includes("<-"));
  process.stdout.write(`\n${violations.join("\n")}\n${struck.join("\n")}\n  npm run prove -- --replay '${id}'\n`);
}

function asText(tally: Tally, seconds: number): string {
  const rows: [string, number][] = (Object.keys(families) as Family[]).map((family) => [
    families[family],
    tally.played[family],
  ]);
  rows.push(["schedules", schedulesOf(tally)], ["effects, the promise checked after each", tally.effects]);
  rows.push(["violations", tally.breaches.length]);
  const table = rows.map(([name, value]) => `  ${name.padEnd(74)}${value.toLocaleString("en").padStart(12)}`);
  const whole =
    options.budget === "full"
      ? `Every schedule with one strike is among them in ${core.length + varied.length} scenarios, and with two crashes in ${core.length}.\n`
      : "";
  return `${table.join("\n")}\n\n${whole}${seconds} s on ${options.workers} threads, seed ${options.seed}\n`;
}

function asJson(tally: Tally, seconds: number): string {
  const { budget, seed, workers } = options;
  const { breaches } = tally;
  return JSON.stringify({
    budget,
    seed,
    workers,
    schedules: schedulesOf(tally),
    ...tally.played,
    effects: tally.effects,
    violations: breaches.length,
    seconds,
    breaches,
  });
}

function verdict(violations: readonly string[]): string {
  return violations.length === 0 ? "The promise was kept." : `The promise was BROKEN:\n  ${violations.join("\n  ")}`;
}

/** On stderr, in one line where it is a terminal. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else if (text !== "") process.stderr.write(`${text}\n`);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        budget: { type: "string", default: "full" },
        seed: { type: "string", default: String(Math.floor(Date.now() / 1_000)) },
        workers: { type: "string", default: "3" },
        replay: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.budget !== "quick" && values.budget !== "full") throw new Error("--budget must be quick or full");
    const budget: Budget = values.budget;
    const seed = wholeNumber("--seed", values.seed, 0, 2 ** 31 - 1);
    return { ...values, budget, seed, workers: wholeNumber("--workers", values.workers, 1, 64) };
  } catch (error) {
    return endWithUsage(error, help);
  }
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`${name} must be a whole number, ${min} to ${max}`);
}
