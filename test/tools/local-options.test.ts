import { describe, expect, it } from "vitest";
import { parseOptions, WrongOptions } from "../../tools/local/options.ts";
import { paceOf } from "../../tools/local/pace.ts";

describe("the flags of npm run local", () => {
  it("are the fixed ports, a rotation per minute and no state without any", () => {
    expect(parseOptions([])).toEqual({
      awsPort: 4566,
      c2mPort: 4567,
      every: "1 minute",
      everyMs: 60_000,
      stateFile: undefined,
      c2m: {},
      help: false,
    });
  });

  it("set what they name", () => {
    const args = ["--aws-port", "5000", "--c2m-port=5001", "--every", "90 seconds", "--state", "state.json"];
    expect(parseOptions(args)).toMatchObject({
      awsPort: 5000,
      c2mPort: 5001,
      everyMs: 90_000,
      stateFile: "state.json",
    });
  });

  it("turn knobs of the local C2M by numbers", () => {
    const args = ["--c2m", "revocationDelayMs=300000", "--c2m=clockAheadMs=-1500", "--c2m", "rateLimitPerMinute=10"];
    expect(parseOptions(args).c2m).toEqual({
      revocationDelayMs: 300_000,
      clockAheadMs: -1_500,
      rateLimitPerMinute: 10,
    });
  });

  it.each([
    [["--c2m", "revocationDelay=1"], /^--c2m must name a knob: .*revocationDelayMs.*; not "revocationDelay"\.$/],
    [["--c2m", "errorBody=html"], /^--c2m must name a knob: /],
    [["--c2m", "revocationDelayMs"], "--c2m revocationDelayMs must be a whole number"],
    [["--c2m", "revocationDelayMs=5 minutes"], "--c2m revocationDelayMs must be a whole number"],
    [["--c2m", "revocationDelayMs=1=2"], "--c2m revocationDelayMs must be a whole number"],
    [["--aws-port", "http"], '--aws-port must be a port, 0 to 65535, not "http".'],
    [["--aws-port", "65536"], '--aws-port must be a port, 0 to 65535, not "65536".'],
    [["--c2m-port", "1e3"], '--c2m-port must be a port, 0 to 65535, not "1e3".'],
    [["--aws-port", "5000", "--c2m-port", "5000"], "--aws-port and --c2m-port must be different."],
    [["--every", "minute"], '--every must be "2 seconds" to "30 days", not "minute".'],
    [["--every", "1 second"], '--every must be "2 seconds" to "30 days", not "1 second".'],
    [["--every", "31 days"], '--every must be "2 seconds" to "30 days", not "31 days".'],
    [["--state", ""], "--state must name a file."],
    [["--state"], /--state/],
    [["--verbose"], /--verbose/],
    [["extra"], /extra/],
  ])("are refused when they are %j", (args, message) => {
    expect(() => parseOptions(args)).toThrow(WrongOptions);
    expect(() => parseOptions(args)).toThrow(message);
  });
});

describe("the pace of the local cloud", () => {
  it.each([2, 5, 60, 3_600, 86_400, 30 * 86_400])(
    "with a rotation every %d s leaves room for a run of the reconciler between the end of the grace and the next rotation",
    (seconds) => {
      const { everyMs, graceSeconds, reconcileEveryMs } = paceOf(seconds * 1_000);
      expect(graceSeconds).toBeGreaterThan(0);
      expect(graceSeconds * 1_000 + reconcileEveryMs).toBeLessThan(everyMs);
    },
  );

  it("is never slower than the real one: an hour of grace, and a reconciler each hour", () => {
    expect(paceOf(30 * 86_400_000)).toMatchObject({ graceSeconds: 3_600, reconcileEveryMs: 3_600_000 });
  });
});
