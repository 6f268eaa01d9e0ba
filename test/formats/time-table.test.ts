import { expect, it } from "vitest";
import { rotatorTimeoutSeconds, stepTime } from "../../src/formats/time-table.ts";
import { all } from "../harness/declared.ts";
import { plan } from "../harness/program.ts";
import { stackConfig } from "../harness/stack.ts";

it("the rotator's time-out is what the parts of a step take, and what the deployed function gets", async () => {
  const sum = Object.values(stepTime).reduce((total, ms) => total + ms, 0);
  expect(rotatorTimeoutSeconds * 1_000).toBe(sum);
  const timeouts = all(await plan(stackConfig()), "Function").map(({ inputs }) => inputs.timeout);
  expect(timeouts).toContain(rotatorTimeoutSeconds);
});

it("an issue call of 15 s and one repetition fit into its part, and a token's 401s are waited for in theirs", () => {
  expect(stepTime.issue).toBeGreaterThanOrEqual(2 * 15_000);
  expect(stepTime.proof).toBeGreaterThan(1_000 + 2_000 + 4_000 + 8_000 + 15_000);
});
