import { version } from "../src/c2m/http.ts";
import { nearestName } from "../src/formats/nearest-name.ts";
import type { Clock } from "../src/ports/clock.ts";
import type { Aws } from "./aws.ts";
import type { Call, Command } from "./command.ts";
import { commands } from "./commands.ts";
import { type ExitCode, exitCode, type Failure, failureOf, usage } from "./failure.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { commonOptions, Options } from "./options.ts";
import { asJson, type Sink, Terminal } from "./terminal.ts";
import { span } from "./time-text.ts";

/** The process around the command line. */
export interface Edges {
  stdout: Sink & { isTTY?: boolean };
  stderr: Sink;
  stdin: { isTTY?: boolean };
  /** NO_COLOR and FORCE_COLOR are read from it. */
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  ask: (question: string) => Promise<string>;
  /** AWS for who drives the commands without it; default: by its SDK. */
  connect?: (region: string | undefined) => Aws;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** Aborted by a second Ctrl-C. */
  again: AbortSignal;
}

/** Runs one command line and resolves with what the process is to end with. Never throws. */
export async function run(args: readonly string[], edges: Edges): Promise<ExitCode> {
  const [first, second] = args;
  const isHelp = first === "--help" || first === "-h" || first === "help";
  if (first === undefined || (isHelp && (second === undefined || second.startsWith("-")))) {
    edges.stdout.write(generalHelp(commands));
    return first === undefined ? exitCode.usage : exitCode.done;
  }
  // `help rotate` is `rotate --help`.
  const [name, ...rest] = isHelp ? [second ?? "", "--help"] : [first, ...args.slice(1)];
  if (name === "--version") {
    edges.stdout.write(`${version}\n`);
    return exitCode.done;
  }
  const command = commands.find((one) => one.name === name);
  // Before the options are known to be right, so that a wrong one is told in the form that was asked for.
  const json = rest.includes("--json");
  const colours = coloursFor(edges);
  const terminal = new Terminal({ ...edges, json, colours, isInteractive: edges.stdin.isTTY === true });
  try {
    if (!command) throw noCommand(name);
    const options = Options.parse(rest, { ...command.options, ...commonOptions });
    if (options.flag("help")) {
      edges.stdout.write(commandHelp(command));
      return exitCode.done;
    }
    return await perform(command, { options, terminal, edges });
  } catch (error) {
    return tell(failureOf(error), { edges, json, terminal, command });
  }
}

async function perform(
  command: Command,
  { options, terminal, edges }: { options: Options; terminal: Terminal; edges: Edges },
): Promise<ExitCode> {
  let aws: Promise<Aws> | undefined;
  const clock = new AwsClock(edges.clock, terminal);
  let ifCut: string | (() => string) | undefined;
  const { signal, again } = edges;
  const call: Call = {
    options,
    terminal,
    clock,
    aws: async () => {
      aws ??= connectTo(options.text("region"), edges);
      clock.aws = await aws;
      return clock.aws;
    },
    target: async () => (await import("./target.ts")).resolveTarget(options, edges.env),
    signal,
    uninterrupted: async (work, whatIsLeft) => {
      signal.throwIfAborted();
      ifCut = whatIsLeft;
      try {
        const result = await work();
        signal.throwIfAborted();
        return result;
      } finally {
        ifCut = undefined;
      }
    },
  };
  const { promise: interrupted, resolve } = Promise.withResolvers<ExitCode>();
  const stop = () => {
    if (ifCut !== undefined) return void edges.stderr.write(finishing);
    edges.stderr.write("\nStopping.\n");
    resolve(stopped(command, edges));
  };
  const cut = () => {
    const left = typeof ifCut === "function" ? ifCut() : ifCut;
    edges.stderr.write(`\nStopped at once.${left === undefined ? "" : ` ${left}`}\n`);
    resolve(exitCode.interrupted);
  };
  signal.addEventListener("abort", stop, { once: true });
  again.addEventListener("abort", cut, { once: true });
  try {
    return await Promise.race([command.run(call), interrupted]);
  } catch (error) {
    // The command has stopped at the end of what it had to finish.
    if (signal.aborted && error === signal.reason) return stopped(command, edges);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    again.removeEventListener("abort", cut);
    (await aws)?.close();
  }
}

/** Off by more than this, in ms, a machine's clock is told of and not followed. */
const clockToleranceMs = 60_000;

/**
 * The machine's time, or AWS's where the machine's is wrong: else what a command writes into the log would be refused or
 * stand in the wrong order, and a token would be judged by the wrong time.
 */
class AwsClock implements Clock {
  aws: Aws | undefined;
  readonly #machine: Clock;
  readonly #terminal: Terminal;
  #told = false;

  constructor(machine: Clock, terminal: Terminal) {
    this.#machine = machine;
    this.#terminal = terminal;
  }

  now(): number {
    const ahead = this.aws?.clockAheadMs() ?? 0;
    if (Math.abs(ahead) <= clockToleranceMs) return this.#machine.now();
    if (!this.#told) {
      this.#told = true;
      const how = `${span(ahead)} ${ahead > 0 ? "ahead of" : "behind"}`;
      this.#terminal.warn(`this machine's clock is ${how} AWS's. AWS's time is used; set the clock.`);
    }
    return this.#machine.now() - ahead;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#machine.sleep(ms, signal);
  }
}

/** Late, so that what needs no AWS, `--help` above all, does not wait for the SDK. */
async function connectTo(region: string | undefined, { connect, env, clock: { now } }: Edges): Promise<Aws> {
  if (connect) return connect(region);
  const { connectSdk } = await import("./aws-sdk.ts");
  return connectSdk(region, { env, now });
}

const finishing =
  "\nStopping as soon as what must not be left half done is finished. Press Ctrl-C again to stop at once.\n";

function stopped({ whenInterrupted }: Command, { stderr }: Edges): ExitCode {
  if (whenInterrupted !== undefined) stderr.write(`${whenInterrupted}\n`);
  return exitCode.interrupted;
}

function noCommand(name: string): Failure {
  const names = commands.map((one) => one.name);
  const near = nearestName(name, names);
  const meant = near === undefined ? "" : ` Did you mean ${near}?`;
  return usage(`There is no command ${JSON.stringify(name)}; there are ${names.join(", ")}.${meant}`);
}

function tell(
  { message, remedy, exitCode: code }: Failure,
  { edges, json, terminal, command }: { edges: Edges; json: boolean; terminal: Terminal; command: Command | undefined },
): ExitCode {
  if (json) edges.stdout.write(`${asJson({ error: { exitCode: code, message, remedy: remedy ?? null } })}\n`);
  terminal.fail({ message, remedy });
  if (code === exitCode.usage) {
    const help = command
      ? `\`c2m-tokens ${command.name} --help\` tells its options, with examples.`
      : "`c2m-tokens --help` lists the commands, `c2m-tokens COMMAND --help` their options.";
    edges.stderr.write(`${help}\n`);
  }
  return code;
}

/** https://no-color.org, and colours only where a person looks. */
function coloursFor({ env, stdout }: Edges): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return stdout.isTTY === true && env.TERM !== "dumb";
}
