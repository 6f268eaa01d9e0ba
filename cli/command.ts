import type { HttpSend } from "../src/c2m/http.ts";
import type { Clock } from "../src/ports/clock.ts";
import type { Aws } from "./aws.ts";
import type { ExitCode } from "./failure.ts";
import type { OptionSpecs, Options } from "./options.ts";
import type { Target } from "./target.ts";
import type { Terminal } from "./terminal.ts";

/** One command of the command line; `--help` and completion are made from it. */
export interface Command {
  name: string;
  /** One line. */
  summary: string;
  /** What it does, in whole sentences. */
  description: string;
  /** Each a whole command line after `c2m-tokens`, with what it is for. */
  examples: readonly (readonly [args: string, purpose: string])[];
  /** Beside the common ones. */
  options: OptionSpecs;
  /** What the person has to know who stops it with Ctrl-C, whenever that is. */
  whenInterrupted?: string;
  run(call: Call): Promise<ExitCode>;
}

/** What a command works with. */
export interface Call {
  options: Options;
  terminal: Terminal;
  clock: Clock;
  /** AWS in the account; its SDK is loaded at the first call. */
  aws(): Promise<Aws>;
  /** The secrets and functions that the options name. @throws Failure */
  target(): Promise<Target>;
  /** How C2M is called; default over HTTP. */
  send?: HttpSend;
  /** Uniform in [0, 1), to spread retries of calls to C2M. Default `Math.random`. */
  random?: () => number;
  /** Aborted by Ctrl-C. Protected work looks at it where it can stop between two of its changes. */
  signal: AbortSignal;
  /**
   * Work that must not be left half done: Ctrl-C waits for its end, and the command stops there. A second Ctrl-C cuts it;
   * `ifCut` is said then: what may be left, and what mends it, as far as it is known by then.
   *
   * @throws the signal's reason when Ctrl-C was pressed before or meanwhile
   */
  uninterrupted<Result>(work: () => Promise<Result>, ifCut: string | (() => string)): Promise<Result>;
}
