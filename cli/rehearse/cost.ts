import { alarmNames } from "../../src/formats/metrics.ts";
import { revocationMs } from "../acting/compromised.ts";

/**
 * AWS's list prices in us-east-1, in US dollars, without free tiers, as looked up on 2026-11-26 in stored copies of AWS's
 * pricing pages and of guides of 2025 and 2026; none was read on the live pages.
 */
export const prices = {
  secretsManagerCall: 0.05 / 10_000,
  lambdaRequest: 0.2 / 1e6,
  lambdaGbSecond: 0.000_013_333_4,
  /** What the guides have for GetMetricData; of the alarms' calls none says more. */
  cloudWatchCall: 0.01 / 1_000,
  logGb: 0.5,
} as const;

/** From where and when the prices are. */
export const priceSource =
  "AWS's list prices in us-east-1 without free tiers, looked up on 2026-11-26 in stored copies";

const minute = 60_000;

/** What a rehearsal is expected to take. Times in ms. */
export interface Expected {
  leastMs: number;
  mostMs: number;
  longTokens: number;
  /** Exchanges, each of which makes a short token; at the most. */
  shortTokens: number;
  calls: { secretsManager: number; lambda: number; logs: number; cloudWatch: number; c2m: number };
  dollars: number;
}

/** Rotations: one that is rolled back, one whose grace is waited out, one that answers a leak. */
const rotations = 3;

/** At the most, as the parts of a rehearsal look. */
export function expected(graceMs: number): Expected {
  const looks = Math.ceil(revocationMs / 15_000);
  // Three tokens are waited for until they are dead; the command that answers a leak waits for one of them as well.
  const shortTokens = rotations + 12 + 4 * looks;
  const calls = {
    // A rotation's own, its looks for two minutes, and what the commands and the reconciler read.
    secretsManager: rotations * (8 + 150) + 120,
    lambda: rotations * 4 + 10,
    logs: 250,
    cloudWatch: 45 + alarmNames.length,
    c2m: rotations * 3 + shortTokens + 6,
  };
  const gbSeconds = calls.lambda * 0.25 * 5;
  const dollars =
    calls.secretsManager * prices.secretsManagerCall +
    calls.lambda * prices.lambdaRequest +
    gbSeconds * prices.lambdaGbSecond +
    calls.cloudWatch * prices.cloudWatchCall +
    0.001 * prices.logGb;
  return {
    leastMs: graceMs + minute / 2,
    mostMs: graceMs + rotations * 2 * minute + 4 * revocationMs + 10 * minute,
    longTokens: rotations,
    shortTokens,
    calls,
    dollars: Math.ceil(dollars * 100) / 100,
  };
}
