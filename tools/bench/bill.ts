import { alarmNames } from "../../src/formats/metrics.ts";
import { hoursPerMonth, prices } from "./prices.ts";

/** As deployed. */
const functionGb = 256 / 1_024;

/** Seconds that a new process takes until its handler runs, at the CPU share of 256 MB; each hourly run has one. */
const initSeconds = 1;

/** Seconds that the four steps of a rotation take a function, C2M's answers included. */
const rotationSeconds = 6;

/** Bytes of Lambda's own lines for one run: its start, its end and its report. */
const platformBytes = 1_000;

/** What a fleet did in a year that AWS charges for. */
export interface BilledYear {
  secrets: number;
  rotations: number;
  /** The runs of the reconciler: how many, their calls of Secrets Manager, and their time without INIT. */
  runs: number;
  runCalls: number;
  runSeconds: number;
  /** Hours in which a custom metric was sent, of each metric. */
  metricHours: number;
  /** Of the functions' own lines. */
  logBytes: number;
}

/** US dollars for the whole fleet. */
export interface Bill {
  secrets: number;
  /** The secret that holds the client's credentials. */
  credentials: number;
  rotations: number;
  reconciler: number;
  logs: number;
  metrics: number;
  /** Zero where the monitoring is off. */
  alarms: number;
}

/** AWS's bill of a year for a stack that stands as it is deployed by default. */
export function billOf(year: BilledYear, { monitoring }: { monitoring: boolean }): Bill {
  const running = (seconds: number) => seconds * functionGb * prices.lambdaGbSecond;
  const rotation = 8 * prices.secretsManagerCall + 4 * prices.lambdaRequest + running(initSeconds + rotationSeconds);
  const invocations = year.runs + 4 * year.rotations;
  return {
    secrets: year.secrets * prices.secretMonth * 12,
    credentials: prices.secretMonth * 12,
    rotations: year.rotations * rotation,
    reconciler:
      year.runCalls * prices.secretsManagerCall +
      year.runs * (prices.lambdaRequest + running(initSeconds)) +
      running(year.runSeconds),
    logs: ((year.logBytes + invocations * platformBytes) / 1e9) * prices.logGb,
    metrics: (year.metricHours / hoursPerMonth) * prices.metricMonth,
    alarms: monitoring ? alarmNames.length * prices.alarmMonth * 12 : 0,
  };
}

/** All of it, per secret. */
export function perSecret(bill: Bill, secrets: number): number {
  return Object.values(bill).reduce((sum, part) => sum + part, 0) / secrets;
}
