/** A worker of the explorer: does one task after another. */
import { parentPort } from "node:worker_threads";
import { perform, type Task } from "./tasks.ts";

// The engines answer many calls with errors, whose stacks nobody reads.
Error.stackTraceLimit = 0;

parentPort?.on("message", async (task: Task) => parentPort?.postMessage(await perform(task)));
