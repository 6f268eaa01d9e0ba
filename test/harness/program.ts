import { resolve } from "node:path";
import { type Plan, type PlanOptions, plan as planOf } from "../../local-cloud/pulumi/plan.ts";
import type { Program } from "../../local-cloud/pulumi/program.ts";

/** This project's own program, as Pulumi.yaml names it. */
export const program: Program = {
  folder: resolve(import.meta.dirname, "../.."),
  project: "c2m-token-rotation",
  main: "infra/index.ts",
};

/** What the program declares for a config; another `main` runs in its place. */
export function plan({ main, ...options }: Omit<PlanOptions, "program"> & { main?: string }): Promise<Plan> {
  return planOf({ ...options, program: main === undefined ? program : { ...program, main } });
}
