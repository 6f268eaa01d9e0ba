import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { mbPerCpu } from "../prices.ts";

const root = "/sys/fs/cgroup";
const periodUs = 20_000;

/** Processes that have no more of the machine than Lambda gives a function. */
export class Cgroup {
  readonly #folder: string;

  /** The share of a CPU that a function of this memory size has; undefined where this system lets us make no cgroup. */
  static ofCpu(memoryMb: number): Cgroup | undefined {
    const quotaUs = String(Math.round((periodUs * memoryMb) / mbPerCpu));
    return Cgroup.#make(
      "cpu",
      { "cpu.cfs_period_us": String(periodUs), "cpu.cfs_quota_us": quotaUs },
      { "cpu.max": `${quotaUs} ${periodUs}` },
    );
  }

  /** No more memory than this: Node and V8 size their heap by it. Undefined as above. */
  static ofMemory(memoryMb: number): Cgroup | undefined {
    const bytes = String(memoryMb * 1_048_576);
    return Cgroup.#make("memory", { "memory.limit_in_bytes": bytes }, { "memory.max": bytes });
  }

  /** @param first the files of version 1 of cgroups, which has a tree for each controller, and of version 2 */
  static #make(
    controller: "cpu" | "memory",
    first: Record<string, string>,
    second: Record<string, string>,
  ): Cgroup | undefined {
    const isFirst = Object.keys(first).every((file) => existsSync(`${root}/${controller}/${file}`));
    const folder = `${isFirst ? `${root}/${controller}` : root}/c2m-bench-${randomUUID()}`;
    try {
      mkdirSync(folder);
      for (const [file, text] of Object.entries(isFirst ? first : second)) writeFileSync(`${folder}/${file}`, text);
      return new Cgroup(folder);
    } catch {
      // Not Linux, or not root.
      return undefined;
    }
  }

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** The file that a process writes its id into to join. */
  get procs(): string {
    return `${this.#folder}/cgroup.procs`;
  }

  remove(): void {
    rmdirSync(this.#folder);
  }
}
