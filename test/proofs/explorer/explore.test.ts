import { expect, it } from "vitest";
import { explore } from "./explore.ts";
import { schedulesOf } from "./figures.ts";

it("no schedule of a sample breaks the promise, and none finds another verdict without merging", async () => {
  const tally = await explore({ budget: "quick", seed: Math.floor(Math.random() * 2 ** 31) });
  expect(tally.breaches).toEqual([]);
  expect(tally.played.singles).toBeGreaterThan(1_000);
  expect(tally.played.crashPairs).toBeGreaterThan(100);
  expect(Object.keys(tally.moves).length, "kinds of moves that fell").toBeGreaterThan(50);
  // A schedule has many effects; figures that don't say so would count nothing.
  expect(tally.effects).toBeGreaterThan(30 * schedulesOf(tally));
}, 300_000);
