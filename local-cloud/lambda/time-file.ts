import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VirtualClock } from "../clock.ts";

/**
 * The virtual time, for processes to read: 8 bytes (a little-endian double, epoch ms) in a file without a name, whose
 * descriptor they inherit. Reading it is one system call, cheap enough for every Date.now().
 */
export class TimeFile {
  readonly descriptor: number;
  readonly #unfollow: () => void;

  constructor(clock: VirtualClock) {
    const folder = mkdtempSync(join(tmpdir(), "virtual-time-"));
    this.descriptor = openSync(join(folder, "now"), "w+");
    rmSync(folder, { recursive: true });
    const buffer = Buffer.alloc(8);
    this.#unfollow = clock.onChange((now) => {
      buffer.writeDoubleLE(now);
      writeSync(this.descriptor, buffer, 0, 8, 0);
    });
  }

  close(): void {
    this.#unfollow();
    closeSync(this.descriptor);
  }
}
