import { defineConfig } from "vitest/config";
import { longProofs, shared } from "./vitest.config.ts";

/** The proofs that take long, with real processes by the hundred. */
export default defineConfig({ test: { ...shared, include: longProofs } });
