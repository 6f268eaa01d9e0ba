import type { Call } from "../command.ts";
import { type ExitCode, exitCode, usage } from "../failure.ts";
import { writePage } from "../page-file.ts";
import { gather } from "./gather.ts";
import { historyPage } from "./page.ts";
import { asCsv, asRecord } from "./record.ts";
import { show } from "./told.ts";

const day = 86_400_000;

export async function history(call: Call): Promise<ExitCode> {
  const { options, terminal } = call;
  const since = sinceOf(options.text("since") ?? "90d");
  const report = options.text("report");
  // Told before anything is read.
  options.duration("grace", 0);
  if (options.flag("csv") && options.flag("json")) throw usage("--csv and --json: use one of them.");
  const histories = await gather(call, await call.target(), since);
  if (report !== undefined) await writePage(report, historyPage(histories));
  if (options.flag("csv")) {
    terminal.text(asCsv(histories));
    return exitCode.done;
  }
  terminal.result(asRecord(histories), () => {
    if (report === undefined) show(terminal, histories);
    else terminal.line(`Written to ${report}.`);
  });
  return exitCode.done;
}

/** `90d`, `12 weeks`, or a day: `2026-01-31`. @throws Failure (usage) */
function sinceOf(text: string): (now: number) => number {
  const [, count, unit] = /^(\d{1,5}) ?(d|days?|h|hours?|w|weeks?)$/.exec(text) ?? [];
  if (unit !== undefined) {
    const length = unit.startsWith("h") ? day / 24 : unit.startsWith("w") ? 7 * day : day;
    return (now) => Math.max(0, now - Number(count) * length);
  }
  const at = /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw usage('--since must be a length of time, as in 90d, or a day, as in "2026-01-31" (UTC).');
  return (now) => {
    if (at > now) throw usage("--since is in the future.");
    return at;
  };
}
