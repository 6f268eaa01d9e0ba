import { vi } from "vitest";
import { connectSdk } from "../../cli/aws-sdk.ts";
import { type Edges, run } from "../../cli/cli.ts";
import type { VirtualClock } from "../../local-cloud/clock.ts";

/** What one run of the command line in this process came to. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface InProcessOptions {
  env: Record<string, string>;
  clock: VirtualClock;
  /** Happens whenever the command sleeps, before the time passes. */
  meanwhile?: () => Promise<void>;
  edges?: Partial<Edges>;
}

/** Runs a command line in this process, on the cloud's time: hours pass in seconds. */
export async function runInProcess(
  args: readonly string[],
  { env, clock, meanwhile, edges = {} }: InProcessOptions,
): Promise<Ran> {
  let [stdout, stderr] = ["", ""];
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const now = () => clock.now();
  const code = await run(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: {},
    env,
    clock: {
      now,
      sleep: async (ms) => {
        await meanwhile?.();
        await clock.advanceBy(ms);
      },
    },
    ask: async () => "",
    signal: new AbortController().signal,
    again: new AbortController().signal,
    connect: (region) => connectSdk(region, { env, now }),
    ...edges,
  });
  return { code, stdout, stderr };
}
