/** `npm run prove`: looks for a schedule of crashes and faults that breaks the promise. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { endWithUsage } from "../../../tools/wrong-options.ts";
import { explore } from "./explore.ts";
import { type Breach, type Family, families, schedulesOf, type Tally } from "./figures.ts";
import { type Move, moves } from "./moves.ts";
import { play } from "./play.ts";
import { scenarioNamed } from "./scenarios.ts";
import { parseScheduleId } from "./schedule.ts";
import { budgets } from "./tasks.ts";

const help = `Looks for a schedule that breaks the promise: the functions and the operators' commands on the local Secrets Manager, log
and C2Ms, with every move of docs/proof.md at every request and log line, on a virtual clock.

Usage: npm run prove [-- options]

  --budget B    quick: under a minute; ci: every single move and every pair of crashes, and a crash with any other
                move in the core scenarios, stopped after 5 minutes; full: every pair of moves (default ci)
  --minutes N   stops after so long (default: 5 for ci, else when all is played)
  --seed N      seed of the random schedules: a number, or a commit's hash (default: another each time, and printed)
  --workers N   threads (default 2)
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
  const { budget, seed, workers, minutes, json } = options;
  const start = performance.now();
  const cpuBefore = process.cpuUsage();
  const tally = await explore({
    budget,
    seed,
    workers,
    minutes,
    onProgress: (done, tasks, { breaches }) => progress(`${done} of ${tasks} tasks, ${breaches.length} broken`),
  });
  progress("");
  const { user, system } = process.cpuUsage(cpuBefore);
  const time = { seconds: rounded((performance.now() - start) / 1_000), cpuSeconds: rounded((user + system) / 1e6) };
  const { breaches } = tally;
  process.stdout.write(json ? `${asJson(tally, time)}\n` : asText(tally, time));
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

/** How long it took; the threads' time on a CPU tells the speed also where the machine has other work to do. */
interface Time {
  seconds: number;
  cpuSeconds: number;
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

function asText(tally: Tally, { seconds, cpuSeconds }: Time): string {
  const rows: [string, number][] = (Object.keys(families) as Family[]).map((family) => [
    families[family],
    tally.played[family],
  ]);
  rows.push(
    ["schedules played", schedulesOf(tally)],
    ["of them to a state that was played to its end before", tally.merged],
  );
  rows.push(["pairs not played: the second move falls after such a state", pairsMerged(tally)]);
  rows.push(["effects, the promise checked after each", tally.effects]);
  rows.push(["violations", tally.breaches.length]);
  const lines = rows.map(([name, value]) => `  ${name.padEnd(74)}${value.toLocaleString("en").padStart(12)}`);
  const played = (Object.keys(moves) as Move[]).map((move) => {
    const times = (tally.moves[move] ?? 0).toLocaleString("en").padStart(12);
    return `  ${move.padEnd(22)}${moves[move].padEnd(72)}${times}`;
  });
  const pairs = Object.entries(tally.pairs).map(
    ([scenario, { possible, played: times, merged }]) =>
      `  ${scenario.padEnd(40)}${[possible, times, merged].map((figure) => figure.toLocaleString("en").padStart(12)).join("")}`,
  );
  const left = Object.entries(tally.left).map(([kind, pieces]) => `${pieces} of ${kind}`);
  const cut =
    left.length === 0
      ? ""
      : `Stopped after ${options.minutes} minutes, with these pieces of work not done to the end: ${left.join(", ")}.\n`;
  return [
    ...lines,
    "\nMoves, and how often each was played:",
    ...played,
    "\nPairs of moves".padEnd(43) + ["possible", "played", "merged"].map((name) => name.padStart(12)).join(""),
    ...pairs,
    `\n${cut}${seconds} s on ${options.workers} threads, ${cpuSeconds} s of CPU: ${Math.round(schedulesOf(tally) / seconds)} schedules a second, ${Math.round(schedulesOf(tally) / cpuSeconds)} a CPU second; seed ${options.seed}\n`,
  ].join("\n");
}

function pairsMerged({ pairs }: Tally): number {
  return Object.values(pairs).reduce((total, { merged }) => total + merged, 0);
}

function asJson(tally: Tally, { seconds, cpuSeconds }: Time): string {
  const { budget, seed, workers } = options;
  const { breaches, played, effects, pairs, left } = tally;
  const timesOf = Object.fromEntries((Object.keys(moves) as Move[]).map((move) => [move, tally.moves[move] ?? 0]));
  return JSON.stringify({
    budget,
    seed,
    workers,
    schedules: schedulesOf(tally),
    ...played,
    effects,
    violations: breaches.length,
    merged: tally.merged,
    seconds,
    cpuSeconds,
    schedulesPerCpuSecond: Math.round(schedulesOf(tally) / cpuSeconds),
    left,
    moves: timesOf,
    pairs,
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
        budget: { type: "string", default: "ci" },
        minutes: { type: "string" },
        seed: { type: "string", default: String(randomInt(2 ** 31)) },
        workers: { type: "string", default: "2" },
        replay: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const budget = budgets.find((one) => one === values.budget);
    if (!budget) throw new Error(`--budget must be ${budgets.join(", ")}`);
    const minutes = values.minutes === undefined ? undefined : wholeNumber("--minutes", values.minutes, 1, 100_000);
    return {
      ...values,
      budget,
      minutes: minutes ?? (budget === "ci" ? 5 : undefined),
      seed: seedOf(values.seed),
      workers: wholeNumber("--workers", values.workers, 1, 64),
    };
  } catch (error) {
    return endWithUsage(error, help);
  }
}

/** A hash is told from a number by its length. */
function seedOf(text: string): number {
  if (/^[0-9a-f]{12,64}$/.test(text)) return Number.parseInt(text.slice(0, 8), 16) >>> 1;
  return wholeNumber("--seed", text, 0, 2 ** 31 - 1);
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text !== "" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`${name} must be a whole number, ${min} to ${max}`);
}
