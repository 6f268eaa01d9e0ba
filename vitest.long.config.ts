import { defineConfig } from "vitest/config";
import { longProofs, shared } from "./vitest.config.ts";

/** The proofs that take long, with real processes by the hundred and functions deployed by the dozen. */
export default defineConfig({
  test: { ...shared, include: longProofs, testTimeout: 120_000, hookTimeout: 180_000 },
});
