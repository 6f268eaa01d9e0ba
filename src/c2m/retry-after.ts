/** What an answer says about when to come back. */
export interface RetryAdvice {
  /** `Retry-After`. */
  header: string | undefined;
  /** The answer's own `Date`, which a date in the header is judged by: the two are of one clock. */
  date: string | undefined;
  /** The text of the error, since C2M declares no such header: "… retry after 60 seconds". */
  message: string | undefined;
}

/** Who is told to come back at once comes back after this, in ms. */
const floorMs = 1_000;

/**
 * How long the other side asks us to wait, in ms, 1,000 at least; undefined where it does not say. `Retry-After` counts
 * (RFC 9110 §10.2.3: seconds, or a date in any of the three forms that a recipient must accept), else the message.
 *
 * @param now epoch ms, for an answer without a date of its own
 */
export function retryAfterMs({ header, date, message }: RetryAdvice, now: number): number | undefined {
  const askedMs = inHeader(header?.trim() ?? "", dateOf(date?.trim() ?? "", now) ?? now) ?? inMessage(message ?? "");
  return askedMs === undefined ? undefined : Math.max(floorMs, askedMs);
}

function inHeader(header: string, now: number): number | undefined {
  if (/^\d+$/.test(header)) return Number(header) * 1_000;
  const at = dateOf(header, now);
  return at === undefined ? undefined : at - now;
}

function inMessage(message: string): number | undefined {
  const [, count, unit = ""] =
    /\b(?:retry|again|wait)\b\D{0,20}(\d{1,9}) ?(s|sec|seconds?|m|min|minutes?)\b/i.exec(message) ?? [];
  return count === undefined ? undefined : Number(count) * (/^m/i.test(unit) ? 60_000 : 1_000);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const time = String.raw`(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})`;
const month = `(?<month>${months.join("|")})`;
/** RFC 9110 §5.6.7: IMF-fixdate, and the obsolete forms of RFC 850 and of C's asctime. */
const forms = [
  String.raw`[A-Z][a-z]{2}, (?<day>\d{2}) ${month} (?<year>\d{4}) ${time} GMT`,
  String.raw`[A-Z][a-z]{5,8}, (?<day>\d{2})-${month}-(?<year>\d{2}) ${time} GMT`,
  String.raw`[A-Z][a-z]{2} ${month} (?<day>[ \d]\d) ${time} (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/** Epoch ms; undefined for what is no HTTP-date. */
function dateOf(text: string, now: number): number | undefined {
  const fields = forms.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (!fields) return undefined;
  const { day, hour, minute, second, year = "" } = fields;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const monthIndex = months.indexOf(fields.month ?? "");
  const at = Date.UTC(fullYear(year, now), monthIndex, Number(day), Number(hour), Number(minute), Number(second));
  // The 31st of a month that has 30 days, or the 0th.
  const isDate = new Date(at - Number(second) * 1_000).getUTCMonth() === monthIndex;
  return isDate ? at : undefined;
}

/** Two digits that seem to be more than 50 years ahead mean the century before. */
function fullYear(year: string, now: number): number {
  if (year.length > 2) return Number(year);
  const present = new Date(now).getUTCFullYear();
  const inThisCentury = present - (present % 100) + Number(year);
  return inThisCentury > present + 50 ? inThisCentury - 100 : inThisCentury;
}
