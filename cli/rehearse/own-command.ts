import type { Call } from "../command.ts";
import type { ExitCode } from "../failure.ts";
import { failureOf } from "../failure.ts";
import { commonOptions, type OptionSpecs, Options } from "../options.ts";
import { Terminal } from "../terminal.ts";
import type { Stage } from "./stage.ts";

/** A command of this command line. */
export type OwnCommand = (call: Call) => Promise<ExitCode>;

/**
 * Runs a command as the operator does, on the rehearsal's secret. Ctrl-C stops it where it may be stopped.
 *
 * @returns its exit status, and what it said: its JSON, or why it failed
 */
export async function commandOn(
  stage: Stage,
  command: OwnCommand,
  args: readonly string[],
  specs: OptionSpecs,
): Promise<{ code: ExitCode; said: string }> {
  const { call, target } = stage.options;
  let [said, protectedParts] = ["", 0];
  const terminal = new Terminal({
    stdout: { write: (text) => (said += text) },
    // Warnings are the person's.
    stderr: { write: (text) => call.terminal.line(`  ${text.trim()}`) },
    json: true,
    isInteractive: false,
    colours: false,
    ask: async () => "",
  });
  const inner: Call = {
    ...call,
    options: Options.parse([...args, "--json"], { ...commonOptions, ...specs }),
    terminal,
    target: async () => ({ ...target, secrets: [stage.arn] }),
    clock: {
      now: () => call.clock.now(),
      sleep: async (ms) => await (protectedParts > 0 ? call.clock.sleep(ms) : stage.pause(ms)),
    },
    uninterrupted: async (work) => {
      call.signal.throwIfAborted();
      protectedParts += 1;
      try {
        return await work();
      } finally {
        protectedParts -= 1;
        call.signal.throwIfAborted();
      }
    },
  };
  try {
    return { code: await command(inner), said };
  } catch (error) {
    call.signal.throwIfAborted();
    const { exitCode: code, message } = failureOf(error);
    return { code, said: message };
  }
}
