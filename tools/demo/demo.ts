/** `npm run demo`: rotates a token end to end on this machine and shows it. */
import { closeSync, openSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { endWithUsage } from "../wrong-options.ts";
import { renderReport } from "./report/page.ts";
import { type DemoResult, runDemo } from "./run.ts";
import type { Moment } from "./timeline.ts";

const help = `Rotates a C2M token end to end, without AWS: deploys the Pulumi program into a local cloud, and lets weeks
of virtual time pass with an app that reads the secret and sends letters all the time, and one whose process is frozen in each rotation.

Usage: npm run demo [-- options]

  --weeks N   virtual weeks, 1 to 52; the schedule is weekly (default 3)
  --json      print one JSON object with the figures, and nothing else
  --report F  write a page to the file F that shows it: a lane per token, the apps' letters, calls per step
  --help      this text

Exit status: 0, or 1 when the promise was broken, or 2 for wrong options.
`;

const options = readOptions();
if (options.help) {
  process.stdout.write(help);
} else {
  if (!options.json) {
    process.stdout.write(`c2m-token-rotation demo on Node ${process.version}; nothing here reaches AWS or C2M\n\n`);
  }
  const start = performance.now();
  const result = await runDemo({
    weeks: options.weeks,
    ...(options.json ? {} : { onMoment: (moment: Moment) => process.stdout.write(`${row(moment)}\n`) }),
  });
  const seconds = (performance.now() - start) / 1_000;
  if (options.report !== undefined) writeFileSync(options.report, renderReport(result));
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : closing(result, options.weeks, seconds));
  if (options.report !== undefined && !options.json) process.stdout.write(`The report is in ${options.report}.\n`);
  if (result.violations.length > 0) process.exitCode = 1;
}

function readOptions(): { weeks: number; json: boolean; help: boolean; report?: string | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        weeks: { type: "string", default: "3" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        report: { type: "string" },
      },
    });
    const weeks = Number(values.weeks);
    if (!Number.isInteger(weeks) || weeks < 1 || weeks > 52) throw new Error("--weeks must be a whole number, 1 to 52");
    if (values.report !== undefined) checkWritable(values.report);
    return { ...values, weeks };
  } catch (error) {
    return endWithUsage(error, help);
  }
}

/** Before the demo plays for half a minute, and not after it. */
function checkWritable(file: string): void {
  try {
    closeSync(openSync(file, "a"));
  } catch (error) {
    throw new Error(
      `--report: the file can't be written (${(error as NodeJS.ErrnoException).code}). Check its folder.`,
    );
  }
}

function row({ at, what, tokenId, note }: Moment): string {
  const time = new Date(at).toISOString().replace("T", " ").slice(0, 19);
  return `${time}  ${what.padEnd(11)}  ${(tokenId ?? "-").padEnd(14)}  ${note ?? ""}`.trimEnd();
}

function closing(result: DemoResult, weeks: number, seconds: number): string {
  const rows: [string, string | number][] = [
    ["rotations", result.rotations],
    ["tokens issued", result.tokensIssued],
    ["tokens revoked", result.tokensRevoked],
    ["tokens live", result.tokensLive],
    ["letters sent", result.lettersSent],
    ["  accepted", result.lettersAccepted],
    ["  sent twice", result.lettersDouble],
    ["  lost", result.lettersLost],
    ["Secrets Manager calls per rotation", result.awsCallsPerRotation],
    ["C2M calls per rotation", result.c2mCallsPerRotation],
    ["AWS calls per day, reconciler", result.reconcilerCallsPerDay],
  ];
  const table = rows.map(([name, value]) => `  ${name.padEnd(36)}${String(value).padStart(8)}`).join("\n");
  const verdict =
    result.violations.length === 0
      ? "The promise was kept."
      : `The promise was BROKEN:\n${result.violations.map((text) => `  ${text}`).join("\n")}`;
  return `\n${weeks} weeks in ${seconds.toFixed(1)} s\n\n${table}\n\n${verdict}\n`;
}
