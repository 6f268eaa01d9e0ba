import type { BusiestDay } from "./day.ts";
import type { FleetYear } from "./year.ts";

type Row = [what: string, value: (fleet: FleetYear) => number | string];

const rows: Row[] = [
  ["rotations", ({ rotations }) => rotations],
  ["failed attempts, tried again", ({ failedAttempts }) => failedAttempts],
  ["secrets with a dead token at the end", ({ outages }) => outages],
  ["tokens alive at the end", ({ liveTokens }) => liveTokens],
  ["C2M calls", ({ c2m }) => c2m.calls],
  ["C2M calls a minute, peak", ({ c2m }) => c2m.peakPerMinute],
  ["C2M calls a minute, p99 of those with any", ({ c2m }) => c2m.p99PerMinute],
  ["answers 429", ({ c2m }) => c2m.limited],
  ["Describe and Get a second, peak (quota 10,000)", ({ secretsManager }) => secretsManager.peakReadsPerSecond],
  ["other Secrets Manager calls a second, peak (50)", ({ secretsManager }) => secretsManager.peakOthersPerSecond],
  ["hourly run: C2M calls, most (budget 45)", ({ reconcile }) => reconcile.mostC2mCalls],
  ["hourly run: seconds, most (limit 300)", ({ reconcile }) => reconcile.mostSeconds],
  ["hourly runs: secrets put off to the next", ({ reconcile }) => reconcile.notDone],
  ["hourly run: Secrets Manager calls", ({ reconcile }) => reconcile.fullRun.secretsManagerCalls],
  ["hourly run: CPU per secret here, ms", ({ reconcile }) => reconcile.fullRun.cpuMsPerSecret],
  ["cost per secret and year, $", ({ cost }) => cost.total],
  ["  the secret itself", ({ cost }) => cost.secret],
  ["  rotations", ({ cost }) => cost.rotations],
  ["  hourly runs", ({ cost }) => cost.reconciler],
  ["  its share of credentials, alarms, metrics and logs", ({ cost }) => cost.shared],
];

/** All figures, a column per fleet. */
export function table(fleets: readonly FleetYear[]): string {
  const head = `  ${"secrets".padEnd(50)}${fleets.map(({ secrets }) => text(secrets).padStart(11)).join("")}`;
  const lines = rows.map(
    ([what, value]) => `  ${what.padEnd(50)}${fleets.map((fleet) => text(value(fleet)).padStart(11)).join("")}`,
  );
  return `\n${head}\n${lines.join("\n")}\n`;
}

const curves: Row[] = [
  ["C2M calls a minute, peak", ({ c2m }) => c2m.peakPerMinute],
  ["seconds of the longest hourly run", ({ reconcile }) => reconcile.mostSeconds],
  ["Secrets Manager calls of an hourly run", ({ reconcile }) => reconcile.fullRun.secretsManagerCalls],
];

/** How figures grow with the fleet: a bar per size, logarithmic, so that what grows with the fleet makes a straight line. */
export function growth(fleets: readonly FleetYear[]): string {
  return curves
    .map(([what, value]) => {
      const values = fleets.map((fleet) => Number(value(fleet)));
      const most = Math.max(...values, 2);
      const bars = fleets.map(({ secrets }, index) => {
        const number = values[index] ?? 0;
        const length = Math.max(1, Math.round((40 * Math.log1p(number)) / Math.log1p(most)));
        return `  ${text(secrets).padStart(6)} ${"█".repeat(length)} ${text(number)}`;
      });
      return `${what}\n${bars.join("\n")}\n`;
    })
    .join("\n");
}

const dayRows: [what: string, value: (day: BusiestDay) => number | string][] = [
  ["rotations on the busiest day", ({ rotations }) => rotations],
  ["  the last of them ended so many hours into it", ({ lastAfterHours }) => lastAfterHours],
  ["steps at once, most", ({ mostAtOnce }) => mostAtOnce],
  ["steps that Lambda refused", ({ throttled }) => throttled],
  ["C2M calls a minute, peak", ({ c2mPeakPerMinute }) => c2mPeakPerMinute],
  ["answers 429", ({ limited }) => limited],
  ["failed attempts, tried again after an hour", ({ failedAttempts }) => failedAttempts],
  ["secrets that were not rotated in their window", ({ left }) => left],
];

/** The days beside each other: all on one day, and spread; started at any time of the window, and all with it. */
export function dayTable(days: readonly BusiestDay[]): string {
  const line = (what: string, cells: (number | string)[]) =>
    `  ${what.padEnd(48)}${cells.map((cell) => text(cell).padStart(13)).join("")}`;
  return [
    line(
      "",
      days.map(({ spread }) => (spread ? "spread" : "all alike")),
    ),
    line(
      "AWS starts them",
      days.map(({ atOnce }) => (atOnce ? "all at once" : "at any time")),
    ),
    ...dayRows.map(([what, value]) => line(what, days.map(value))),
  ].join("\n");
}

function text(value: number | string): string {
  if (typeof value === "string") return value;
  return Number.isInteger(value) ? value.toLocaleString("en") : Number(value.toPrecision(3)).toString();
}
