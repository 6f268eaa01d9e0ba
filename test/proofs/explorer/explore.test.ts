import { expect, it } from "vitest";
import { explore } from "./explore.ts";
import { schedulesOf } from "./figures.ts";

it("no schedule with one crash breaks the promise in a core scenario, nor any of a sample elsewhere and with more", async () => {
  const tally = await explore({ budget: "quick", seed: 20_261_121 });
  expect(tally.breaches).toEqual([]);
  expect(tally.played.oneCrash).toBeGreaterThan(1_000);
  expect(tally.played.twoCrashes).toBeGreaterThan(500);
  expect(schedulesOf(tally)).toBeGreaterThan(2_000);
  // A schedule has many effects; figures that don't say so would count nothing.
  expect(tally.effects).toBeGreaterThan(50 * schedulesOf(tally));
}, 60_000);
