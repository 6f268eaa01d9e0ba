import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";

/** A cgroup whose processes have no more memory than a function of this size: Node and V8 size their heap by it. */
export class MemoryLimit {
  readonly #folder: string;

  /** Undefined where this system lets us make no cgroup: not Linux, or not root. */
  static of(memoryMb: number): MemoryLimit | undefined {
    const name = `c2m-bench-${randomUUID()}`;
    const isOld = existsSync("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    const folder = isOld ? `/sys/fs/cgroup/memory/${name}` : `/sys/fs/cgroup/${name}`;
    try {
      mkdirSync(folder);
      writeFileSync(`${folder}/${isOld ? "memory.limit_in_bytes" : "memory.max"}`, String(memoryMb * 1_048_576));
      return new MemoryLimit(folder);
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
