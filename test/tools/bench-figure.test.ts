import { describe, expect, it } from "vitest";
import { type Figure, measure, median } from "../../tools/bench/figure.ts";

describe("the median", () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[], Number.NaN],
  ])("of %j is %d", (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe("measuring", () => {
  function figureOf(name: string, values: number[], log: string[], rounds?: number): Figure {
    return {
      name,
      what: name,
      unit: "ms",
      ...(rounds === undefined ? {} : { rounds }),
      prepare: async () => ({
        sample: async () => {
          log.push(name);
          const value = values.shift();
          if (value === undefined) throw new Error("no value");
          return value;
        },
        close: async () => void log.push(`${name} closed`),
      }),
    };
  }

  it("takes the figures in turns, and some only once", async () => {
    const log: string[] = [];
    const results = await measure([figureOf("a", [3, 1, 2], log), figureOf("b", [9], log, 1)], 3);
    expect(log).toEqual(["a", "b", "a", "a", "a closed", "b closed"]);
    expect(results).toEqual([
      { name: "a", what: "a", unit: "ms", median: 2, min: 1, max: 3, samples: [3, 1, 2] },
      { name: "b", what: "b", unit: "ms", median: 9, min: 9, max: 9, samples: [9] },
    ]);
  });

  it("closes everything when one fails", async () => {
    const log: string[] = [];
    await expect(measure([figureOf("a", [1], log), figureOf("b", [], log)], 1)).rejects.toThrow("no value");
    expect(log).toEqual(["a", "b", "a closed", "b closed"]);
  });
});
