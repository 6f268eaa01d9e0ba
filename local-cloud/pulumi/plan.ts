import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { promisify } from "node:util";
import type { Program } from "./program.ts";

/** One resource as the Pulumi program registered it. */
export interface PlannedResource {
  urn: string;
  /** `aws:secretsmanager/secret:Secret`. */
  type: string;
  /** The name within the program. */
  name: string;
  /** False for components. */
  custom: boolean;
  parent: string;
  /** As the provider would get them, secrets unwrapped; an archive stands as `{ files: { path: text } }`. */
  inputs: Record<string, unknown>;
  /** The inputs that are secret, and so are encrypted in the state. */
  secretInputs: string[];
  /** URNs of all that it depends on, by `dependsOn` or by an input. */
  dependencies: string[];
  protect: boolean;
  ignoreChanges: string[];
  /** Whether the engine forgets it where it would delete it. */
  retainOnDelete: boolean;
  /** What the provider would have answered, ARNs and ids among it. */
  id: string;
  outputs: Record<string, unknown>;
}

/** What the program declares, in the order of registration. */
export interface Plan {
  resources: PlannedResource[];
  /** The stack's outputs. */
  outputs: Record<string, unknown>;
}

export interface PlanOptions {
  program: Program;
  /** The stack's config, without the project's prefix. Objects and lists are given as JSON. */
  config: Record<string, string>;
  /** The config keys that are secret. */
  secretKeys?: string[];
  stack?: string;
  /** Whether outputs that only a deployment knows are unknown. */
  preview?: boolean;
  accountId?: string;
  region?: string;
}

const plans = new Map<string, Promise<Plan>>();

/**
 * Runs the Pulumi program on Node, with its types stripped, as `pulumi up` does, and resolves with what it registers.
 * In a process of its own, since the Pulumi SDK keeps one program per process. Rejects with what the program printed
 * when it fails.
 */
export function plan(options: PlanOptions): Promise<Plan> {
  const key = createHash("sha256").update(JSON.stringify(options)).digest("hex");
  const known = plans.get(key) ?? run(options);
  plans.set(key, known);
  return known;
}

async function run(options: PlanOptions): Promise<Plan> {
  const { folder } = options.program;
  const recorder = resolve(import.meta.dirname, "record-program.ts");
  const child = promisify(execFile)(process.execPath, [recorder, JSON.stringify(options)], {
    cwd: folder,
    maxBuffer: 256 * 1024 * 1024,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      AWS_REGION: options.region ?? "us-east-1",
      NO_COLOR: "1",
      // The Pulumi SDK is large: compiled once, it loads in half the time.
      NODE_COMPILE_CACHE: resolve(folder, "node_modules/.cache/compile"),
    },
  });
  try {
    return JSON.parse((await child).stdout) as Plan;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`The Pulumi program failed:\n${stderr ?? String(error)}`, { cause: error });
  }
}
