import { describe, expect, it } from "vitest";
import { Interrupt } from "../../cli/interrupt.ts";

/** What is aborted after signals at these times, in ms. */
function pressedAt(...times: number[]): string {
  let now = 0;
  const interrupt = new Interrupt(() => now);
  for (const time of times) {
    now = time;
    interrupt.press();
  }
  return interrupt.again.aborted ? "at once" : interrupt.signal.aborted ? "stop" : "on";
}

describe("signals", () => {
  it("stop at the first, and at once at the second", () => {
    expect([pressedAt(), pressedAt(10), pressedAt(10, 2_000)]).toEqual(["on", "stop", "at once"]);
  });

  it("that npm passes on to a script that the terminal has told already are one press", () => {
    expect(pressedAt(10, 11, 400)).toBe("stop");
    expect(pressedAt(10, 11, 800)).toBe("at once");
  });
});
