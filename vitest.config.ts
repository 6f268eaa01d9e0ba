import { defineConfig } from "vitest/config";

/** Proofs that take long; `npm run test:long` runs them. */
export const longProofs = [
  "local-cloud/test/pulumi/drift.test.ts",
  "test/client/rotations.test.ts",
  "test/tools/package.test.ts",
  "test/tools/local.test.ts",
  "test/cli/acting.test.ts",
  "test/cli/in-time.test.ts",
  "test/cli/caller.test.ts",
  "test/cli/doctor.test.ts",
  "test/cli/history.test.ts",
  "test/cli/interrupted.test.ts",
  "test/cli/looking.test.ts",
  "test/cli/networks.test.ts",
  "test/cli/refusals.test.ts",
  "test/cli/rehearse/*.test.ts",
  "test/infra/deployed/key-change.test.ts",
  "test/infra/deployed/mechanisms.test.ts",
  "test/infra/deployed/monitoring.test.ts",
  "test/infra/deployed/options.test.ts",
  "test/infra/deployed/proxy.test.ts",
  "test/infra/deployed/second-stack.test.ts",
  "test/infra/deployed/switches.test.ts",
  "test/infra/deployed/updates.test.ts",
  "test/infra/policy-pack.test.ts",
  "test/infra/standing.test.ts",
  "test/tools/demo.test.ts",
  "test/tools/handler-harness.test.ts",
  "test/proofs/explorer/broken.test.ts",
  "test/proofs/explorer/checkpoints.test.ts",
  "test/proofs/explorer/command.test.ts",
  "test/proofs/explorer/explore.test.ts",
  "test/proofs/explorer/four-faults.test.ts",
  "test/proofs/explorer/history.test.ts",
  "test/proofs/fuzz.property.test.ts",
  "test/proofs/necessity/necessity.test.ts",
  "test/proofs/kill.test.ts",
  "test/proofs/thousand-tokens.test.ts",
  "test/proofs/runbook/*.test.ts",
];

/** What needs the Pulumi CLI; `npm run test:engine` runs it. */
export const underPulumi = "test/proofs/engine/*.test.ts";

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
  test: {
    ...shared,
    include: ["test/**/*.test.ts", "local-cloud/test/**/*.test.ts"],
    exclude: [...longProofs, underPulumi],
  },
});
