import { describe, expect, it } from "vitest";
import { promises } from "../../../cli/rehearse/promises.ts";
import { rehearse, startSandbox, verdictsIn } from "./sandbox.ts";

describe("a rehearsal", () => {
  it("finds every promise of a sandbox held", async () => {
    const stack = await startSandbox();
    const ran = await rehearse(stack, ["--json"]);
    console.log(ran.stdout, ran.stderr);
    expect(verdictsIn(ran)).toEqual(Object.fromEntries(Object.keys(promises).map((name) => [name, "held"])));
    expect(ran.code).toBe(0);
    await stack.stop();
  });
});
