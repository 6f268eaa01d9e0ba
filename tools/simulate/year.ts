import { Fleet, type FleetOptions } from "../../test/harness/rotation-fleet.ts";
import { type BilledYear, billOf, perSecret } from "../bench/bill.ts";

const daysPerYear = 365;
/** What a fleet did over the time. Rates are calls; money is US dollars. */
export interface FleetYear {
  secrets: number;
  rotations: number;
  /** Attempts that failed; Secrets Manager tries again while the window is open. */
  failedAttempts: number;
  /** Why steps failed, by code. */
  failures: Record<string, number>;
  /** Secrets whose token is dead at the end. */
  outages: number;
  /** Long-term tokens that live at the end, one per secret being the aim. */
  liveTokens: number;
  c2m: { calls: number; limited: number; peakPerMinute: number; p99PerMinute: number };
  /** The most calls that came in one second. */
  secretsManager: { peakReadsPerSecond: number; peakOthersPerSecond: number };
  /** The runs of the reconciler; `fullRun` looks at all secrets, as each hourly run does. */
  reconcile: {
    mostC2mCalls: number;
    mostSeconds: number;
    notDone: number;
    fullRun: { secretsManagerCalls: number; seconds: number; cpuMsPerSecret: number };
  };
  /** Per secret and year; `shared` is its part of what does not grow with the fleet. */
  cost: { secret: number; rotations: number; reconciler: number; shared: number; total: number };
  billed: BilledYear;
}

/** Lives through the years. */
export async function liveThrough(
  options: FleetOptions & { years: number; onDay?: (day: number) => void },
): Promise<FleetYear> {
  const { years, onDay, ...fleetOptions } = options;
  const fleet = new Fleet(fleetOptions);
  try {
    await fleet.deploy();
    const days = Math.round(years * daysPerYear);
    for (let day = 1; day <= days; day += 1) {
      await fleet.passDay();
      onDay?.(day);
    }
    return await summary(fleet, options);
  } finally {
    fleet.stop();
  }
}

async function summary(fleet: Fleet, { secrets, years }: { secrets: number; years: number }): Promise<FleetYear> {
  const { calls, runs } = fleet;
  const { succeeded, failed } = fleet.rotations();
  const c2m = calls.peak("c2m per minute");
  const most = (field: "c2mCalls" | "seconds") => runs.reduce((max, run) => Math.max(max, run[field]), 0);
  const figures = {
    secrets,
    rotations: succeeded,
    failedAttempts: failed,
    failures: Object.fromEntries(fleet.failures),
    outages: fleet.outages().length,
    liveTokens: fleet.c2mEngine.liveLongTokens().length,
    c2m: {
      calls: calls.total("c2m"),
      limited: calls.limited,
      peakPerMinute: c2m.most,
      p99PerMinute: c2m.p99,
    },
    secretsManager: {
      peakReadsPerSecond: calls.peak("reads per second").most,
      peakOthersPerSecond: calls.peak("others per second").most,
    },
  };
  // Before the runs over all of it, which are not among the year's.
  const { logBytes } = fleet;
  const metricHours = fleet.metricHours.size / years;
  const { run, cpuMs } = await fleet.reconcileAll();
  const { run: daily } = await fleet.reconcileAll("all");
  const sum = (field: "secretsManagerCalls" | "seconds") => runs.reduce((total, one) => total + one[field], 0) / years;
  const billed: BilledYear = {
    secrets,
    rotations: succeeded / years,
    runs: runs.length / years + daysPerYear,
    runCalls: sum("secretsManagerCalls") + daysPerYear * daily.secretsManagerCalls,
    runSeconds: sum("seconds") + daysPerYear * daily.seconds,
    // The daily run tells of the first expiry.
    metricHours: metricHours + daysPerYear,
    logBytes: logBytes / years,
  };
  const bill = billOf(billed, { monitoring: true });
  return {
    ...figures,
    reconcile: {
      mostC2mCalls: most("c2mCalls"),
      mostSeconds: most("seconds"),
      notDone: runs.reduce((sum, { failed }) => sum + failed, 0),
      fullRun: {
        secretsManagerCalls: run.secretsManagerCalls,
        seconds: run.seconds,
        cpuMsPerSecret: cpuMs / secrets,
      },
    },
    cost: {
      secret: bill.secrets / secrets,
      rotations: bill.rotations / secrets,
      reconciler: bill.reconciler / secrets,
      shared: (bill.credentials + bill.logs + bill.metrics + bill.alarms) / secrets,
      total: perSecret(bill, secrets),
    },
    billed,
  };
}
