import { Worker } from "node:worker_threads";
import { add, emptyTally, type Tally } from "./figures.ts";
import { type Budget, type Task, tasksFor } from "./tasks.ts";

export interface ExploreOptions {
  budget: Budget;
  /** Of the random schedules. */
  seed: number;
  /** Stops after so many minutes; default: when all is played. */
  minutes?: number | undefined;
  /** Default 2. */
  workers?: number;
  onProgress?: (done: number, tasks: number, tally: Tally) => void;
}

/** Explores on the engines, in worker threads, and resolves with the figures. Rejects when a worker breaks. */
export async function explore({ budget, seed, minutes, workers = 2, onProgress }: ExploreOptions): Promise<Tally> {
  const tasks = tasksFor(budget, seed);
  const waiting = [...tasks];
  /** Another share of what a worker has just done, where there is one: it comes to the same states. */
  const next = (done: Task | undefined) => {
    const index = waiting.findIndex((task) => done !== undefined && isShareOfSame(task, done));
    return waiting.splice(Math.max(0, index), 1)[0];
  };
  const total = emptyTally();
  const until = minutes === undefined ? {} : { until: Date.now() + minutes * 60_000 };
  let done = 0;
  const work = async () => {
    // Nearly everything that a play makes is garbage when it ends.
    const resourceLimits = { maxYoungGenerationSizeMb: 128 };
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { resourceLimits });
    try {
      for (let task = next(undefined); task; task = next(task)) {
        add(total, await performIn(worker, { ...task, ...until }));
        done += 1;
        onProgress?.(done, tasks.length, total);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return total;
}

function isShareOfSame(one: Task, other: Task): boolean {
  if (one.kind !== "pairs" || other.kind !== "pairs") return false;
  return one.scenario === other.scenario && one.family === other.family;
}

function performIn(worker: Worker, task: Task): Promise<Tally> {
  return new Promise((resolve, reject) => {
    worker.once("message", (tally: Tally) => {
      worker.off("error", reject);
      resolve(tally);
    });
    worker.once("error", reject);
    worker.postMessage(task);
  });
}
