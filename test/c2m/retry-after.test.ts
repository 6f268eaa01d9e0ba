import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retryAfterMs } from "../../src/c2m/retry-after.ts";

const now = Date.parse("1994-11-06T08:49:37Z");
const ask = (header: string | undefined, rest: { date?: string; message?: string } = {}) =>
  retryAfterMs({ header, date: rest.date, message: rest.message }, now);

describe("Retry-After", () => {
  // RFC 9110 §5.6.7: the same time in the three forms, here with 60 seconds more than now.
  it.each(["Sun, 06 Nov 1994 08:50:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT", "Sun Nov  6 08:50:37 1994"])(
    "takes %s",
    (header) => expect(ask(header)).toBe(60_000),
  );

  it.each([
    ["60", 60_000],
    ["007", 7_000],
    [" 60 ", 60_000],
    ["0", 1_000],
    ["Sun, 06 Nov 1994 08:49:37 GMT", 1_000],
    ["Sat, 01 Jan 1994 00:00:00 GMT", 1_000],
    ["Sun, 06 Nov 1994 08:49:60 GMT", 23_000],
    ["Sun, 06 Nov 1994 08:59:37 GMT", 600_000],
    ["Sun, 06 Nov 1994 23:49:37 GMT", 54_000_000],
    // The leap second at the end of a year belongs to it.
    ["Sat, 31 Dec 1994 23:59:60 GMT", Date.parse("1995-01-01T00:00:00Z") - now],
    ["Thursday, 06-Nov-75 08:49:37 GMT", 1_000],
  ])("takes %j for %d ms: a second at least", (header, ms) => expect(ask(header)).toBe(ms));

  it.each("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" "))("knows the month %s", (month) => {
    expect(ask(`Tue, 21 ${month} 1995 08:49:37 GMT`)).toBe(Date.parse(`21 ${month} 1995 08:49:37 GMT`) - now);
  });

  it("means by two digits of a year that seem more than 50 years ahead the century before", () => {
    const present = Date.parse("2026-01-01T00:00:00Z");
    const inYear = (year: string) =>
      retryAfterMs({ header: `Sunday, 06-Nov-${year} 08:49:37 GMT`, date: undefined, message: undefined }, present);
    expect(inYear("76")).toBe(Date.parse("2076-11-06T08:49:37Z") - present);
    expect(inYear("77")).toBe(1_000);
  });

  it.each([
    "soon",
    "-5",
    "5x",
    "1.5",
    "",
    "Sun, 31 Feb 1994 08:50:37 GMT",
    "Sun, 00 Nov 1994 08:50:37 GMT",
    "Sun, 06 Nov 1994 24:50:37 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:50:61 GMT",
    "Sun, 06 Nov 1994 08:50:37 +0000",
    "1994-11-06T08:50:37Z",
  ])("says nothing with %j", (header) => expect(ask(header)).toBeUndefined());

  it("is judged by the answer's own date, whatever clocks say", () => {
    const header = "Wed, 21 Oct 2026 07:28:30 GMT";
    expect(ask(header, { date: "Wed, 21 Oct 2026 07:28:00 GMT" })).toBe(30_000);
    expect(ask(header, { date: " Wed, 21 Oct 2026 07:28:00 GMT " })).toBe(30_000);
    expect(ask(header, { date: "nonsense" })).toBe(Date.parse("2026-10-21T07:28:30Z") - now);
  });

  it("counts before the message, which counts where the header says nothing", () => {
    const message = "Too many requests, retry after 60 seconds";
    expect(ask("7", { message })).toBe(7_000);
    expect(ask("soon", { message })).toBe(60_000);
    expect(ask(undefined, { message })).toBe(60_000);
    expect(ask(undefined, { message: "Try again in 2 minutes." })).toBe(120_000);
    expect(ask(undefined, { message: "Try again in 1 minute." })).toBe(60_000);
    expect(ask(undefined, { message: "Please wait 30s" })).toBe(30_000);
    expect(ask(undefined, { message: "Too many requests" })).toBeUndefined();
    expect(ask(undefined, { message: "The token expired after 900 seconds" })).toBeUndefined();
  });

  it("whatever it holds, asks for nothing or for a second or more", () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[\w ,:-]{0,30}$/),
      fc.date({ noInvalidDate: true }).map(String),
    );
    fc.assert(
      fc.property(text, text, text, (header, date, message) => {
        const ms = ask(header, { date, message });
        expect(ms === undefined || ms >= 1_000).toBe(true);
      }),
    );
  });
});
