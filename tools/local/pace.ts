const hour = 3_600_000;

/** What replaces the real schedules. */
export interface Pace {
  /** How often secrets are rotated, in ms. */
  everyMs: number;
  /** How often the reconciler runs, in ms. */
  reconcileEveryMs: number;
  /** How long a superseded token lives. */
  graceSeconds: number;
}

/**
 * Half of the time between two rotations is grace, and in the other half there is room for a run of the reconciler
 * whenever its own beat began. Never slower than the real thing, where both are an hour.
 */
export function paceOf(everyMs: number): Pace {
  return {
    everyMs,
    reconcileEveryMs: Math.min(everyMs / 4, hour),
    graceSeconds: Math.min(Math.floor(everyMs / 2_000), hour / 1_000),
  };
}
