const unitSeconds = { second: 1, minute: 60, hour: 3_600, day: 86_400 } as const;

type Unit = keyof typeof unitSeconds;

/** A length of time as a person writes it: `"30 days"`, `"1 hour"`, `"90 minutes"`. Whole numbers only. */
export type Duration = `${number} ${Unit | `${Unit}s`}`;

/** The seconds of a duration; undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d+) (second|minute|hour|day)s?$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(count) * unitSeconds[unit as Unit];
}

/** A number of seconds as a person reads it, in the largest unit that leaves no rest. */
export function formatDuration(seconds: number): Duration {
  const units = Object.entries(unitSeconds).reverse() as [Unit, number][];
  const [unit, size] = units.find(([, length]) => seconds % length === 0) ?? ["second", 1];
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? "" : "s"}` as Duration;
}
