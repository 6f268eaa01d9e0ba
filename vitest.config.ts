import { defineConfig } from "vitest/config";

/** Proofs that take long; `npm run test:long` runs them. */
export const longProofs = [
  "test/client/rotations.test.ts",
  "test/ops/refusals.test.ts",
  "test/prove/kill.test.ts",
  "test/runbook/*.test.ts",
];

export const shared = {
  pool: "forks",
  testTimeout: 30_000,
  hookTimeout: 60_000,
  restoreMocks: true,
  unstubEnvs: true,
} as const;

export default defineConfig({
  test: { ...shared, include: ["test/**/*.test.ts"], exclude: longProofs },
});
