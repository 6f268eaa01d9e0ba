import type { Edges } from "../../../cli/cli.ts";
import type { LocalCloudOptions } from "../../../local-cloud/cloud.ts";
import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { type Ran, runInProcess } from "../../harness/in-process-command.ts";
import { OperatedStack } from "../../harness/operated-stack.ts";
import { plan } from "../../harness/program.ts";
import { secretName, stackConfig } from "../../harness/stack.ts";

const { config, secretKeys = [] } = stackConfig({ grace: "5 minutes" });

/** The program as a sandbox, with a short grace. */
export const sandboxPlan: Plan = await plan({ config: { ...config, sandbox: "true" }, secretKeys });

/** A deployed sandbox, and its operator. */
export async function startSandbox(program: Plan = sandboxPlan, options: Partial<LocalCloudOptions> = {}) {
  return await OperatedStack.start({ program, ...options });
}

/** Rehearses on it, on the cloud's time. */
export async function rehearse(
  stack: OperatedStack,
  args: readonly string[] = [],
  edges: Partial<Edges> = {},
): Promise<Ran> {
  const env = { ...stack.environment(), PATH: await stack.pulumiPath() };
  const given = args.includes("--dry-run") || args.includes("--yes") ? args : [...args, "--yes", secretName];
  return await runInProcess(["rehearse", "--stack", "production", ...given], {
    env,
    clock: stack.clock,
    meanwhile: () => stack.cloud.secretsManager.idle(),
    edges,
  });
}

/** The verdicts by promise, of a rehearsal with `--json`. */
export function verdictsIn({ stdout }: Ran): Record<string, string> {
  const { promises } = JSON.parse(stdout) as { promises: { name: string; verdict: string }[] };
  return Object.fromEntries(promises.map(({ name, verdict }) => [name, verdict]));
}
