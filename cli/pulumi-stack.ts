import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as v from "valibot";
import { failed } from "./failure.ts";

/** The stack's outputs that the commands use; others are ignored. */
const outputs = v.object({
  /** By the secrets' names. */
  tokenSecretArns: v.record(v.string(), v.string()),
  rotatorName: v.optional(v.string()),
  reconcilerName: v.optional(v.string()),
  logGroupName: v.optional(v.string()),
  /** Absent where the monitoring is off. */
  alarmTopicArn: v.optional(v.string()),
  /** The C2M API, without `/auth`. */
  baseUrl: v.optional(v.string()),
  /** By the secrets' names. */
  graceSeconds: v.optional(v.record(v.string(), v.number())),
});

export type StackOutputs = v.InferOutput<typeof outputs>;

/**
 * The outputs of a Pulumi stack, from `pulumi stack output` in the working directory.
 *
 * @throws Failure where there is no Pulumi, no such stack, or it is not one of ours
 */
export async function stackOutputs(stack: string): Promise<StackOutputs> {
  const parsed = v.safeParse(outputs, await printedOutputs(stack));
  if (parsed.success) return parsed.output;
  throw failed(
    `The stack ${JSON.stringify(stack)} has no output tokenSecretArns: it is not deployed, or not a stack of this program.`,
    "Run `pulumi up` first, or name the secret with --secret.",
  );
}

async function printedOutputs(stack: string): Promise<unknown> {
  try {
    const { stdout } = await promisify(execFile)("pulumi", ["stack", "output", "--json", "--stack", stack]);
    return JSON.parse(stdout) as unknown;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: unknown };
    if (code === "ENOENT") {
      throw failed(
        "--stack needs the Pulumi CLI, and there is no `pulumi` on the PATH.",
        "Install it (https://www.pulumi.com/docs/install/), or name the secret with --secret.",
      );
    }
    const said =
      String(stderr ?? "")
        .trim()
        .split("\n")[0] ?? "";
    throw failed(
      `\`pulumi stack output\` failed${said === "" ? "." : `: ${said}`}`,
      "Log in with `pulumi login`, and check the stack's name.",
    );
  }
}
