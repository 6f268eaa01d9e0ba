import { defineConfig } from "vitest/config";
import { shared, underPulumi } from "./vitest.config.ts";

/** The program under the real Pulumi engine. One run of the CLI takes seconds, and several share the machine. */
export default defineConfig({
  test: { ...shared, include: [underPulumi], testTimeout: 600_000, hookTimeout: 600_000 },
});
