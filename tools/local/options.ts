import { parseArgs } from "node:util";
import { type C2mKnobs, plainKnobs } from "../../local-cloud/c2m/knobs.ts";
import { parseDuration } from "../../src/formats/duration.ts";

/** What `npm run local` was asked for. */
export interface LocalOptions {
  /** 0: any free one. */
  awsPort: number;
  c2mPort: number;
  /** As it was written, `1 minute`. */
  every: string;
  /** How often secrets are rotated, in ms. */
  everyMs: number;
  /** The file that the state is read from and written to; undefined: it is forgotten at the end. */
  stateFile: string | undefined;
  /** Knobs of the local C2M. */
  c2m: Partial<C2mKnobs>;
  help: boolean;
}

/** A flag that is wrong; the message says which one and what it must be. */
export class WrongOptions extends Error {
  override readonly name = "WrongOptions";
}

/** The knobs that a number turns. */
const c2mKnobs = Object.entries(plainKnobs).flatMap(([name, value]) => (typeof value === "number" ? [name] : []));

const defaults = { awsPort: "4566", c2mPort: "4567", every: "1 minute" } as const;

/** In seconds. A rotation takes about one; NextRotationDate and the grace are in whole seconds. */
const everyRange = { min: 2, max: 30 * 86_400 } as const;

export const help = `Runs a local cloud for people: AWS as far as the product uses it, and C2M, with the Pulumi program deployed into it.
Point an app, the AWS CLI or any AWS SDK at it. Ctrl-C stops it.

Usage: npm run local [-- options]

  --aws-port N     port of AWS on 127.0.0.1 (default ${defaults.awsPort}; 0: any free one)
  --c2m-port N     port of C2M on 127.0.0.1 (default ${defaults.c2mPort}; 0: any free one)
  --every TEXT     how often secrets are rotated, "2 seconds" to "30 days" (default "${defaults.every}")
  --state FILE     keeps secrets, tokens and logs in FILE, so that they survive a restart
  --c2m KNOB=N     turns a knob of the local C2M, as in --c2m revocationDelayMs=300000: a revoked token is accepted for
                   five minutes more; repeatable; docs/local-cloud.md lists the knobs
  --help           this text

Exit status: 0 when it was stopped, 1 when it failed, 2 for wrong options, a port in use or a state file that can't be used.
`;

/** @throws WrongOptions */
export function parseOptions(args: string[]): LocalOptions {
  const values = parsed(args);
  const seconds = parseDuration(values.every);
  if (seconds === undefined || seconds < everyRange.min || seconds > everyRange.max) {
    throw new WrongOptions(`--every must be "2 seconds" to "30 days", not ${JSON.stringify(values.every)}.`);
  }
  const options: LocalOptions = {
    awsPort: port("--aws-port", values["aws-port"]),
    c2mPort: port("--c2m-port", values["c2m-port"]),
    every: values.every,
    everyMs: seconds * 1_000,
    stateFile: values.state,
    c2m: Object.fromEntries(values.c2m.map(knob)),
    help: values.help,
  };
  if (options.stateFile === "") throw new WrongOptions("--state must name a file.");
  if (options.awsPort !== 0 && options.awsPort === options.c2mPort) {
    throw new WrongOptions("--aws-port and --c2m-port must be different.");
  }
  return options;
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        "aws-port": { type: "string", default: defaults.awsPort },
        "c2m-port": { type: "string", default: defaults.c2mPort },
        every: { type: "string", default: defaults.every },
        state: { type: "string" },
        c2m: { type: "string", multiple: true, default: [] },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new WrongOptions(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function knob(text: string): [name: string, value: number] {
  const [name = "", value = "", ...rest] = text.split("=");
  if (!c2mKnobs.includes(name)) {
    throw new WrongOptions(`--c2m must name a knob: ${c2mKnobs.join(", ")}; not ${JSON.stringify(name)}.`);
  }
  if (rest.length > 0 || !/^-?\d{1,15}$/.test(value)) {
    throw new WrongOptions(`--c2m ${name} must be a whole number, as in ${name}=300, not ${JSON.stringify(value)}.`);
  }
  return [name, Number(value)];
}

function port(flag: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new WrongOptions(`${flag} must be a port, 0 to 65535, not ${JSON.stringify(text)}.`);
}
