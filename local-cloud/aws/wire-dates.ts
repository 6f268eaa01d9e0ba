/** An answer off the wire as the SDK hands it out. */
export function withDates(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withDates);
  const dated: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(value)) {
    // So are called the fields that the SDK hands out as dates, and the wire carries as epoch seconds.
    dated[key] = typeof entry === "number" && key.endsWith("Date") ? new Date(entry * 1_000) : withDates(entry);
  }
  return dated;
}
