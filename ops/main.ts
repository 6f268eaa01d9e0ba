#!/usr/bin/env node
/** `npx c2m-tokens`, `npm run ops --`: the operator's command line. */
import { createInterface } from "node:readline/promises";
import * as timers from "node:timers/promises";
import { run } from "./cli.ts";

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // Who presses it twice does not want to wait for anything.
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort();
  });
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // In raw mode readline gets Ctrl-C before the process does.
  lines.once("SIGINT", () => process.emit("SIGINT"));
  try {
    return await lines.question(question, { signal: interrupt.signal });
  } finally {
    lines.close();
  }
}

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  clock: { now: () => Date.now(), sleep: (ms) => timers.setTimeout(ms) },
  ask,
  signal: interrupt.signal,
});
// What was interrupted may still wait for an answer.
if (interrupt.signal.aborted) process.exit();
