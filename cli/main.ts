#!/usr/bin/env node
/** `npx c2m-tokens`, `npm run ops --`: the operator's command line. */
import { createInterface } from "node:readline/promises";
import { systemClock } from "../src/ports/clock.ts";
import { run } from "./cli.ts";
import { Interrupt } from "./interrupt.ts";

const interrupt = new Interrupt(() => performance.now());
// SIGHUP: the terminal was closed, or the connection to it lost.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupt.press());
// Where nobody is left to read (`| head`, a closed terminal), what is under way is finished all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

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
  clock: systemClock,
  ask,
  signal: interrupt.signal,
  again: interrupt.again,
});
// What was interrupted may still wait for an answer.
if (interrupt.signal.aborted) process.exit();
