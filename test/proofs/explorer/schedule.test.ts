import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Move, moves } from "./moves.ts";
import { actionKinds, parseScheduleId, type Schedule, scheduleId } from "./schedule.ts";

const schedules: fc.Arbitrary<Schedule> = fc.record(
  {
    scenario: fc.constantFrom("grace", "no-grace-abandoned"),
    actions: fc.array(fc.record({ afterHours: fc.nat(), secret: fc.nat(), kind: fc.constantFrom(...actionKinds) })),
    strikes: fc.array(fc.record({ at: fc.nat(), kind: fc.constantFrom(...(Object.keys(moves) as Move[])) })),
  },
  { requiredKeys: ["scenario", "strikes"] },
);

describe("the id of a schedule", () => {
  it("says all of it", () => {
    const says = fc.property(schedules, (schedule) => {
      expect(parseScheduleId(scheduleId(schedule))).toEqual(schedule);
    });
    fc.assert(says);
  });

  it.each([
    ["grace", "is not the id of a schedule"],
    ["grace:12.explode", "is not a strike; there are crash,"],
    ["grace@1.sleep.0:", "is not an action; there are rotate,"],
  ])("%s is refused with the reason", (id, reason) => {
    expect(() => parseScheduleId(id)).toThrow(reason);
  });
});
