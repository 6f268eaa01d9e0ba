import { Fleet, type FleetOptions } from "../../test/harness/rotation-fleet.ts";
import { hoursPerMonth, prices } from "../bench/prices.ts";

const daysPerYear = 365;
/** As deployed. */
const functionGb = 256 / 1_024;

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
  /** Per secret and year. */
  cost: { secret: number; rotations: number; reconciler: number; shared: number; total: number };
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
  const { run, secretsManagerCalls, cpuMs } = await fleet.reconcileAll();
  return {
    ...figures,
    reconcile: {
      mostC2mCalls: most("c2mCalls"),
      mostSeconds: most("seconds"),
      notDone: runs.reduce((sum, { failed }) => sum + failed, 0),
      fullRun: { secretsManagerCalls, seconds: run.seconds, cpuMsPerSecret: cpuMs / secrets },
    },
    cost: costOf({
      secrets,
      rotations: succeeded / years,
      reconcileCalls: secretsManagerCalls,
      reconcileSeconds: run.seconds,
    }),
  };
}

/** Metrics that the reconciler emits each hour, in src/formats/metrics.ts. */
const hourlyMetrics = 11;

/** Seconds that the four steps of a rotation take a function, C2M's answers included. */
const rotationSeconds = 6;

function costOf(fleet: {
  secrets: number;
  /** Per year. */
  rotations: number;
  reconcileCalls: number;
  reconcileSeconds: number;
}): FleetYear["cost"] {
  const hours = hoursPerMonth * 12;
  const running = (seconds: number) => seconds * functionGb * prices.lambdaGbSecond;
  const rotation = 8 * prices.secretsManagerCall + 4 * prices.lambdaRequest + running(rotationSeconds);
  const run = fleet.reconcileCalls * prices.secretsManagerCall + prices.lambdaRequest + running(fleet.reconcileSeconds);
  const parts = {
    secret: prices.secretMonth * 12,
    rotations: (fleet.rotations * rotation) / fleet.secrets,
    reconciler: (hours * run) / fleet.secrets,
    // The credentials' secret, and the metrics, whose number does not grow with the fleet.
    shared: (prices.secretMonth * 12 + hourlyMetrics * prices.metricMonth * 12) / fleet.secrets,
  };
  return { ...parts, total: parts.secret + parts.rotations + parts.reconciler + parts.shared };
}
