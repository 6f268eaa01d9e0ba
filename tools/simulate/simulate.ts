/** `npm run simulate`: years of a fleet of secrets, on a virtual clock. */
import { parseArgs } from "node:util";
import { type FleetLimit, limitsOf } from "../../test/harness/limits.ts";
import { endWithUsage } from "../wrong-options.ts";
import { type BusiestDay, busiestDay } from "./day.ts";
import { dayTable, growth, table } from "./report.ts";
import { type FleetYear, liveThrough } from "./year.ts";

const help = `Lives through years of a fleet of secrets that were deployed at once: the protocol and the reconciler as
they are, on the engines of the local cloud, with calls that take time.

Usage: npm run simulate -- [options]

  --secrets N,…    sizes of the fleet, 1 to 5000 each (default 1,10,100,1000)
  --years Y        up to 5 (default 1)
  --limit L        C2M's auth calls per minute and address, 0 for no limit (default 10, the bad case)
  --schedule S     as Secrets Manager takes it (default "rate(30 days)")
  --day            the busiest day of a month instead: all alike, and with \`spread\`
  --concurrency C  with --day, the runs of Lambda that the account has (default 10, as a new one)
  --seed S         another draw of the times within the rotation windows (default 1)
  --json           print one JSON object, and nothing else
  --help           this text

A thousand secrets take a minute or two per year, and as long for --day.
`;

/** As deployed: lambdas/reconciler/handler.ts. */
const budget = 45;

const options = readOptions();
const limitPerMinute = options.limit === 0 ? Number.POSITIVE_INFINITY : options.limit;
if (options.day) await showDays();
else await showYears();

/** Before and after, for each size. */
async function showDays(): Promise<void> {
  const { secrets: sizes, concurrency, seed, json } = options;
  for (const secrets of sizes) {
    const days: BusiestDay[] = [];
    for (const spread of [false, true]) {
      for (const atOnce of [false, true]) {
        days.push(await busiestDay({ secrets, spread, atOnce, concurrency, limitPerMinute, seed }));
      }
    }
    const head = `${secrets.toLocaleString("en")} secrets, rotated every 30 days; ${concurrency} runs of Lambda at once, ${limitPerMinute} C2M calls a minute`;
    process.stdout.write(json ? `${JSON.stringify(days)}\n` : `\n${head}\n\n${dayTable(days)}\n`);
  }
}

async function showYears(): Promise<void> {
  const fleets: FleetYear[] = [];
  for (const secrets of options.secrets) {
    const { years, schedule, seed } = options;
    fleets.push(
      await liveThrough({ secrets, years, schedule, seed, limitPerMinute, budget, onDay: progressOf(secrets) }),
    );
  }
  const largest = fleets.at(-1);
  const rotationsPerYear = largest ? largest.rotations / largest.secrets / options.years : 0;
  const limits = limitsOf({ limitPerMinute, rotationsPerYear, budget });
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ...options, fleets, limits })}\n`
      : `${table(fleets)}\n${growth(fleets)}\n${limitTable(limits)}`,
  );
}

function limitTable(limits: FleetLimit[]): string {
  const rows = limits.map(({ limit, secrets }) => `  ${secrets.toLocaleString("en").padStart(8)}  ${limit}`);
  return `Fleet size at which each limit is reached, on an average hour\n\n${rows.join("\n")}\n`;
}

function progressOf(secrets: number): (day: number) => void {
  const { years, json } = options;
  const days = Math.round(years * 365);
  return (day) => {
    if (json || !process.stderr.isTTY) return;
    process.stderr.write(`\r${secrets} secrets: day ${day} of ${days}${day === days ? "\n" : ""}`);
  };
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        secrets: { type: "string", default: "1,10,100,1000" },
        years: { type: "string", default: "1" },
        limit: { type: "string", default: "10" },
        schedule: { type: "string", default: "rate(30 days)" },
        seed: { type: "string", default: "1" },
        day: { type: "boolean", default: false },
        concurrency: { type: "string", default: "10" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    return {
      secrets: values.secrets.split(",").map((text) => numberIn(text, "--secrets", 1, 5_000)),
      years: numberIn(values.years, "--years", 0.01, 5, { whole: false }),
      limit: numberIn(values.limit, "--limit", 0, 1_000_000),
      schedule: values.schedule,
      seed: numberIn(values.seed, "--seed", 0, 2 ** 31),
      day: values.day,
      concurrency: numberIn(values.concurrency, "--concurrency", 1, 10_000),
      json: values.json,
    };
  } catch (error) {
    return endWithUsage(error, help);
  }
}

function numberIn(text: string, name: string, min: number, max: number, { whole } = { whole: true }): number {
  const number = Number(text);
  if (text.trim() === "" || !(number >= min && number <= max) || (whole && !Number.isInteger(number))) {
    throw new Error(`${name} must be ${whole ? "whole numbers" : "a number"} from ${min} to ${max}`);
  }
  return number;
}
