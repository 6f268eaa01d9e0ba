import { defineConfig } from "vitest/config";

/** Proofs that take long; `npm run test:long` runs them. */
export const longProofs = [
  "test/client/rotations.test.ts",
  "test/infra/package.test.ts",
  "test/local/local.test.ts",
  "test/ops/acting.test.ts",
  "test/ops/doctor.test.ts",
  "test/ops/interrupted.test.ts",
  "test/ops/looking.test.ts",
  "test/ops/refusals.test.ts",
  "test/prove/kill.test.ts",
  "test/runbook/*.test.ts",
];

/** What needs the Pulumi CLI; `npm run test:engine` runs it. */
export const underPulumi = "test/engine/*.test.ts";

export const shared = {
  pool: "forks",
  // A worker keeps its modules from file to file: loading the SDK a hundred times would take a third of the time. So a
  // test undoes what it changes outside of itself.
  isolate: false,
  // By default one core is left free: half of a small machine.
  maxWorkers: "100%",
  testTimeout: 30_000,
  hookTimeout: 60_000,
  restoreMocks: true,
  unstubEnvs: true,
} as const;

export default defineConfig({
  test: { ...shared, include: ["test/**/*.test.ts"], exclude: [...longProofs, underPulumi] },
});
