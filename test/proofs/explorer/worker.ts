/** A worker of the explorer: does one task after another. */
import { parentPort } from "node:worker_threads";
import { perform, type Task } from "./tasks.ts";

parentPort?.on("message", async (task: Task) => parentPort?.postMessage(await perform(task)));
