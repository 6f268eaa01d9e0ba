import { defineConfig } from "vitest/config";

/**
 * The suites that judge mutants: those that run in this process, without the property and leak tests, which would take
 * longer for each of a thousand mutants than they would add.
 */
export default defineConfig({
  test: {
    include: [
      "test/ports/**/*.test.ts",
      "test/formats/**/*.test.ts",
      "test/rotation/**/*.test.ts",
      "test/reconcile/**/*.test.ts",
      "test/c2m/**/*.test.ts",
      "test/aws/**/*.test.ts",
      "test/lambdas/**/*.test.ts",
      "test/cli/rollback-plan.test.ts",
    ],
    exclude: ["**/*.property.test.ts", "**/leaks.test.ts", "**/handler.test.ts"],
    pool: "forks",
    restoreMocks: true,
    unstubEnvs: true,
  },
});
