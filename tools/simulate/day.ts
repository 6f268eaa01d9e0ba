import { tokenKeys } from "../../infra/args/keys.ts";
import { spreadSchedule } from "../../infra/args/spread.ts";
import { Fleet, throttled } from "../../test/harness/rotation-fleet.ts";

const dayMs = 86_400_000;

/** Days until each secret has rotated once, whether spread or not. */
const days = 32;

/** What the busiest day of a fleet was like. */
export interface BusiestDay {
  secrets: number;
  /** Whether `spread` was on. */
  spread: boolean;
  /** Whether each rotation started with its window, in place of any time within it. */
  atOnce: boolean;
  /** Most rotations that ended on one day. */
  rotations: number;
  /** Until the last of them had ended, from midnight, in hours. */
  lastAfterHours: number;
  mostAtOnce: number;
  /** Steps that Lambda refused, of all days. */
  throttled: number;
  /** Attempts that failed, of all days; Secrets Manager tries again within the window. */
  failedAttempts: number;
  c2mPeakPerMinute: number;
  /** C2M's answers 429, of all days. */
  limited: number;
  /** Secrets that no rotation had got to in its window. */
  left: number;
}

export interface DayOptions {
  secrets: number;
  spread: boolean;
  atOnce: boolean;
  /** Of the account, in runs of Lambda. */
  concurrency: number;
  limitPerMinute: number;
  seed: number;
}

/** Lives through a month of a fleet, in which each secret rotates once. */
export async function busiestDay({ spread, atOnce, ...options }: DayOptions): Promise<BusiestDay> {
  const fleet = new Fleet({
    ...options,
    schedule: spread ? (name) => spreadSchedule(name) : tokenKeys.schedule.default,
    startsAtOnce: atOnce,
  });
  try {
    await fleet.deploy();
    for (let day = 1; day <= days; day += 1) await fleet.passDay();
    const byDay = Map.groupBy(fleet.endedAt, (at) => Math.floor(at / dayMs));
    const busiest = [...byDay.values()].toSorted((one, other) => other.length - one.length)[0] ?? [];
    const last = Math.max(0, ...busiest);
    return {
      secrets: options.secrets,
      spread,
      atOnce,
      rotations: busiest.length,
      lastAfterHours: (last % dayMs) / 3_600_000,
      mostAtOnce: fleet.mostAtOnce,
      throttled: fleet.failures.get(throttled) ?? 0,
      failedAttempts: fleet.rotations().failed,
      c2mPeakPerMinute: fleet.calls.peak("c2m per minute").most,
      limited: fleet.calls.limited,
      left: fleet.notRotated().length,
    };
  } finally {
    fleet.stop();
  }
}
