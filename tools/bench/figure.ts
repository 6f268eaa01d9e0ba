/** One number that says how good something is. A file in `figures/` each. */
export interface Figure {
  /** Short and unique; what is asked for on the command line. */
  name: string;
  /** What is measured, in a few words. */
  what: string;
  /** `ms`, `s`, `bytes`, … */
  unit: string;
  /** What we want to see, in `unit`: at most so much. Never asserted: machines differ. */
  aim?: number;
  /** What nothing that does this job can be below, in `unit`, measured on a quiet machine. */
  limit?: number;
  /** Why the aim is missed, where it is known to be. */
  missed?: string;
  /** How often it is measured; default as often as the runner says. 1 for what can't vary. */
  rounds?: number;
  /** Gets ready whatever is not measured. */
  prepare(): Promise<Measurement>;
}

/** A figure that is ready to be measured. */
export interface Measurement {
  /** Measures once. Steadies itself: a time that is short is the median of many. */
  sample(): Promise<number>;
  close(): Promise<void>;
}

export interface Result extends Pick<Figure, "name" | "what" | "unit" | "aim" | "limit" | "missed"> {
  median: number;
  min: number;
  max: number;
  /** In the order in which they were taken. */
  samples: number[];
}

/**
 * Measures the figures in turns, one sample of each per round: what else the machine does meanwhile hits all alike, and two that are
 * to be compared see the same of it.
 */
export async function measure(
  figures: readonly Figure[],
  rounds: number,
  onSample: (figure: Figure, value: number) => void = () => undefined,
): Promise<Result[]> {
  const running: { figure: Figure; measurement: Measurement; samples: number[] }[] = [];
  try {
    for (const figure of figures) running.push({ figure, measurement: await figure.prepare(), samples: [] });
    for (let round = 1; round <= rounds; round++) {
      for (const { figure, measurement, samples } of running) {
        if (round > (figure.rounds ?? rounds)) continue;
        const value = await measurement.sample();
        samples.push(value);
        onSample(figure, value);
      }
    }
  } finally {
    for (const { measurement } of running) await measurement.close();
  }
  return running.map(({ figure: { name, what, unit, aim, limit, missed }, samples }) => ({
    name,
    what,
    unit,
    ...(aim === undefined ? {} : { aim }),
    ...(limit === undefined ? {} : { limit }),
    ...(missed === undefined ? {} : { missed }),
    median: median(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
    samples,
  }));
}

/** The middle one, or the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}
