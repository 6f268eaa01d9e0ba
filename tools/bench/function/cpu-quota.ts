import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { mbPerCpu } from "../prices.ts";

const periodUs = 20_000;

/** A cgroup that gives its processes the share of a CPU which Lambda gives a function of this memory size. */
export class CpuQuota {
  readonly #folder: string;

  /** Undefined where this system lets us make no cgroup: not Linux, or not root. */
  static of(memoryMb: number): CpuQuota | undefined {
    const quotaUs = Math.round((periodUs * memoryMb) / mbPerCpu);
    const name = `c2m-bench-${process.pid}-${memoryMb}`;
    try {
      if (existsSync("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")) {
        const folder = `/sys/fs/cgroup/cpu/${name}`;
        mkdirSync(folder);
        writeFileSync(`${folder}/cpu.cfs_period_us`, String(periodUs));
        writeFileSync(`${folder}/cpu.cfs_quota_us`, String(quotaUs));
        return new CpuQuota(folder);
      }
      const folder = `/sys/fs/cgroup/${name}`;
      mkdirSync(folder);
      writeFileSync(`${folder}/cpu.max`, `${quotaUs} ${periodUs}`);
      return new CpuQuota(folder);
    } catch {
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
