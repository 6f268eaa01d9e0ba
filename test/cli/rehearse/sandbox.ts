import { vi } from "vitest";
import { compromised } from "../../../cli/acting/compromised.ts";
import { rollback } from "../../../cli/acting/rollback.ts";
import type { Edges } from "../../../cli/cli.ts";
import { commands } from "../../../cli/commands.ts";
import type { Tried } from "../../../cli/rehearse/promises.ts";
import { type Rehearsed, rehearse as rehearsal } from "../../../cli/rehearse/rehearse.ts";
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

/** Rehearses on it, on the cloud's time; `instead` are commands that are rehearsed in place of the real ones. */
export async function rehearse(
  stack: OperatedStack,
  args: readonly string[] = [],
  edges: Partial<Edges> = {},
  instead: Partial<Rehearsed> = {},
  moreEnv: Record<string, string> = {},
): Promise<Ran> {
  const command = commands.find(({ name }) => name === "rehearse");
  if (command && Object.keys(instead).length > 0) {
    vi.spyOn(command, "run").mockImplementation((call) => rehearsal(call, { rollback, compromised, ...instead }));
  }
  const env = { ...stack.environment(), PATH: await stack.pulumiPath(), ...moreEnv };
  const given = args.includes("--dry-run") || args.includes("--yes") ? args : [...args, "--yes", secretName];
  return await runInProcess(["rehearse", "--stack", "production", ...given], {
    env,
    clock: stack.clock,
    meanwhile: () => stack.cloud.secretsManager.idle(),
    edges,
  });
}

/** The promises that a rehearsal with `--json` has not found held, with why. */
export function unheldIn({ stdout }: Ran): Record<string, string> {
  const { promises } = JSON.parse(stdout) as { promises: Tried[] };
  return Object.fromEntries(
    promises
      .filter(({ verdict }) => verdict !== "held")
      .map(({ name, verdict, evidence }) => {
        const problems = evidence.filter((one) => one.verdict !== "held").map(({ answered }) => answered);
        return [name, problems.join("; ") || verdict];
      }),
  );
}
