import { describe, expect, it } from "vitest";
import { plan } from "../harness/program.ts";

const traced = async (config: Record<string, string> = {}) => {
  const secret = { clientSecret: "secret-77" };
  const main = "test/infra/traced-program.ts";
  return (await plan({ main, config: { ...secret, ...config }, secretKeys: ["clientSecret"] })).outputs;
};

describe("stack traces, of which Pulumi's SDK keeps one for each promise,", () => {
  it("are short while the rotation's parts are declared, and as long as the program's afterwards", async () => {
    const { during, after } = await traced();
    // The component itself is declared before its parts.
    expect(during).toEqual([7, ...Array((during as number[]).length - 1).fill(2)]);
    expect((during as number[]).length).toBeGreaterThan(20);
    expect(after).toBe(7);
  });

  it("still tell where a program's own code refused a part, and are long again", async () => {
    const { thrownAt, after } = await traced({ refused: "aws:lambda/function:Function" });
    expect(thrownAt).toMatch(/^Error: refused here\n +at .*transformation.*traced-program\.ts\S*:\d+/);
    expect(after).toBe(7);
  });

  it("are left alone where somebody looks for promises that leak, which prints them", async () => {
    const { during } = await traced({ leaks: "true" });
    expect(new Set(during as number[])).toEqual(new Set([7]));
  });
});
