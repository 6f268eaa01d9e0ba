/** An answer off the wire as the SDK hands it out. */
export function withDates(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withDates);
  const dated: Record<string, unknown> = {};
  for (const key in value) {
    const entry: unknown = value[key as keyof typeof value];
    // So are called the fields that the SDK hands out as dates, and the wire carries as epoch seconds.
    if (typeof entry === "number" && key.endsWith("Date")) dated[key] = new Date(entry * 1_000);
    else dated[key] = typeof entry === "object" ? withDates(entry) : entry;
  }
  return dated;
}
