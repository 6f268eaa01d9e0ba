import { defineConfig } from "vitest/config";

/** Proofs that take long; `npm run test:long` runs them. */
export const longProofs = [
  "local-cloud/test/pulumi/drift.test.ts",
  "test/client/rotations.test.ts",
  "test/tools/package.test.ts",
  "test/tools/local.test.ts",
  "test/cli/acting.test.ts",
  "test/cli/in-time.test.ts",
  "test/cli/doctor.test.ts",
  "test/cli/history.test.ts",
  "test/cli/interrupted.test.ts",
  "test/cli/looking.test.ts",
  "test/cli/networks.test.ts",
  "test/cli/refusals.test.ts",
  "test/cli/rehearse/*.test.ts",
