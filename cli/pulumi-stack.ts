import { execFile } from "node:child_process";
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
  sandbox: v.optional(v.boolean()),
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

/** Outputs of hundreds of tokens. In bytes. */
const mostPrinted = 64 * 1_024 * 1_024;

async function printedOutputs(stack: string): Promise<unknown> {
  const args = ["stack", "output", "--json", "--stack", stack];
  const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
    execFile("pulumi", args, { maxBuffer: mostPrinted }, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr }),
    ),
  );
  if (code === "ENOENT") {
    throw failed(
      "--stack needs the Pulumi CLI, and there is no `pulumi` on the PATH.",
      "Install it (https://www.pulumi.com/docs/install/), or name the secret with --secret.",
    );
  }
  const printed = code === 0 ? jsonIn(stdout) : undefined;
  if (printed !== undefined) return printed;
  const said = `${code === 0 ? stdout : ""}\n${stderr}`.trim();
  throw failed(
    code === 0
      ? `\`pulumi stack output\` printed no JSON: ${said || "nothing"}`
      : `\`pulumi stack output\` failed (${code})${said === "" ? "." : `: ${said}`}`,
    remedyFor(said, stack),
  );
}

/** The object in what `pulumi` printed: warnings of its own and of plugins may stand around it. */
function jsonIn(printed: string): unknown {
  const ends = [...printed.matchAll(/\}[ \t\r]*$/gm)].map(({ index }) => index + 1).reverse();
  for (const { index } of printed.matchAll(/^\{/gm)) {
    for (const end of ends) {
      try {
        return JSON.parse(printed.slice(index, end)) as unknown;
      } catch {
        // What begins or ends here is none.
      }
    }
  }
  return undefined;
}

/** By what Pulumi's own error says; where it says something else, that is all there is to say. */
function remedyFor(said: string, stack: string): string | undefined {
  if (/pulumi login|PULUMI_ACCESS_TOKEN|not logged in|Unauthorized/i.test(said)) return "pulumi login";
  if (/passphrase/i.test(said)) return "Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE.";
  if (/no stack named|stack .*not found/i.test(said))
    return `\`pulumi stack ls\` lists the stacks; there is no ${stack}.`;
  if (/no Pulumi\.yaml/i.test(said)) return "Run it in the folder of the Pulumi project.";
  return undefined;
}
