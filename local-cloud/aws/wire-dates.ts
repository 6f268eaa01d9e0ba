/** Fields that the SDK hands out as dates and the wire carries as epoch seconds. */
const dateField = /Date$/;

/** An answer off the wire as the SDK hands it out. */
export function withDates(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDates);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      dateField.test(key) && typeof entry === "number" ? new Date(entry * 1_000) : withDates(entry),
    ]),
  );
}
