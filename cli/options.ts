import { parseArgs } from "node:util";
import { parseDuration } from "../src/formats/duration.ts";
import { nearestName } from "../src/formats/nearest-name.ts";
import { usage } from "./failure.ts";

/** One option of a command, as `--help` and completion show it. */
export interface OptionSpec {
  type: "string" | "boolean";
  /** May be given several times. */
  multiple?: boolean;
  /** One letter that stands for it. */
  short?: string;
  /** What stands for the value in the help: `NAME`. */
  value?: string;
  help: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What every command understands. */
export const commonOptions: OptionSpecs = {
  stack: { type: "string", value: "STACK", help: "the Pulumi stack to work on: its outputs name everything below" },
  secret: {
    type: "string",
    multiple: true,
    value: "NAME",
    help: "a token secret, by name or ARN; of a stack's, only this one",
  },
  rotator: { type: "string", value: "NAME", help: "the rotation function (default: the one that the secret names)" },
  reconciler: {
    type: "string",
    value: "NAME",
    help: "the reconciling function (default: the rotator's name with -reconciler)",
  },
  "log-group": {
    type: "string",
    value: "NAME",
    help: "the functions' log group (default: the one that the rotator names)",
  },
  "base-url": {
    type: "string",
    value: "URL",
    help: "the C2M API, without /auth (default: the stack's, else the public one)",
  },
  region: { type: "string", value: "REGION", help: "the AWS region (default: AWS_REGION or the profile's)" },
  json: { type: "boolean", help: "print one JSON object and nothing else" },
  help: { type: "boolean", short: "h", help: "this text (or -h)" },
};

/** The options as they were given. */
export class Options {
  readonly #values: Record<string, unknown>;

  /** @throws Failure (usage) naming the option that is wrong */
  static parse(args: readonly string[], specs: OptionSpecs): Options {
    const options = Object.fromEntries(
      Object.entries(specs).map(([name, { type, multiple = false, short }]) => [
        name,
        { type, multiple, ...(short === undefined ? {} : { short }) },
      ]),
    );
    try {
      return new Options(parseArgs({ args: [...args], options, allowPositionals: false }).values);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const [, unknown] = /^Unknown option '-{1,2}([^']+)'/.exec(said) ?? [];
      if (unknown === undefined) throw usage(said);
      const near = nearestName(unknown, Object.keys(specs));
      const mark = said.includes(`'--${unknown}'`) ? "--" : "-";
      throw usage(`There is no option ${mark}${unknown}${near === undefined ? "." : `; did you mean --${near}?`}`);
    }
  }

  private constructor(values: Record<string, unknown>) {
    this.#values = values;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    if (value === "") throw usage(`--${name} must not be empty.`);
    return typeof value === "string" ? value : undefined;
  }

  texts(name: string): string[] {
    const value = this.#values[name];
    const texts = Array.isArray(value) ? value.map(String) : [];
    if (texts.includes("")) throw usage(`--${name} must not be empty.`);
    return texts;
  }

  /** A duration in ms: `"10 minutes"`, or a number of seconds (`"0.5"`). */
  duration(name: string, fallbackMs: number): number {
    const text = this.text(name);
    if (text === undefined) return fallbackMs;
    const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : parseDuration(text);
    if (seconds === undefined) throw usage(`--${name} must be a duration, as in "10 minutes" or a number of seconds.`);
    return seconds * 1_000;
  }
}
