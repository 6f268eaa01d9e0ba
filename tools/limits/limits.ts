/** `npm run limits`: what a program with so many tokens takes of AWS's quotas. */
import { parseArgs } from "node:util";
import type { Plan } from "../../local-cloud/pulumi/plan.ts";
import { plan } from "../../test/harness/program.ts";
import { endWithUsage } from "../wrong-options.ts";
import { measuresOf } from "./measures.ts";
import { report } from "./report.ts";

const help = `Runs the Pulumi program with so many tokens, and shows each size and count of what it declares that AWS limits:
the resource that takes the most of it, AWS's default quota, and what is left; the worst first.

Usage: npm run limits -- --tokens N [options]

  --tokens N           how many tokens, 1 to 5000
  --config KEY=VALUE   another key of the stack's config, as in kmsKey=create; may be repeated
  --json               print one JSON object, and nothing else
  --help               this text

Exit status: 0 when all fits, 1 when something is over its quota or the program itself refuses, 2 for wrong options. Of what is counted over an
account or a region, only the program's own part is known. The tokens' names are c2m/production/app-0001 and so on,
which is what sizes with names in them depend on.
`;

const nameOf = (index: number) => `c2m/production/app-${String(index + 1).padStart(4, "0")}`;
const options = readOptions();
const measures = measuresOf(await declared());
const fits = measures.every(({ left }) => left >= 0);
process.stdout.write(
  options.json ? `${JSON.stringify({ tokens: options.tokens, fits, measures })}\n` : report(options.tokens, measures),
);
process.exitCode = fits ? 0 : 1;

/** What the program declares. Where it refuses by itself, its message is all there is to say. */
async function declared(): Promise<Plan> {
  try {
    return await plan({
      config: {
        clientId: "c2m_limits",
        clientSecret: "client-secret-of-the-limits",
        tokens: JSON.stringify(Array.from({ length: options.tokens }, (_, index) => ({ name: nameOf(index) }))),
        ...options.config,
      },
      secretKeys: ["clientSecret"],
    });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        tokens: { type: "string" },
        config: { type: "string", multiple: true, default: [] },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    const tokens = Number(values.tokens);
    if (!/^\d+$/.test(values.tokens ?? "") || tokens < 1 || tokens > 5_000)
      throw new Error("--tokens must be a number from 1 to 5000.");
    return { tokens, json: values.json, config: Object.fromEntries(values.config.map(keyAndValue)) };
  } catch (error) {
    endWithUsage(error, help);
  }
}

function keyAndValue(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new Error(`--config must be KEY=VALUE, not ${text}.`);
  return [text.slice(0, at), text.slice(at + 1)];
}
