import { type ChildProcess, execFile, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const entry = join(import.meta.dirname, "main.ts");

export interface Exit {
  status: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

// A later flag overrides an earlier one.
const anyPorts = ["--aws-port", "0", "--c2m-port", "0"];
// Nothing of the caller's AWS settings.
const env = { PATH: process.env.PATH, HOME: process.env.HOME };
const stdio: StdioOptions = ["ignore", "pipe", "pipe"];

/** `npm run local` as a process of its own, as people run it, but on any free ports. */
export class LocalProcess {
  readonly exit: Promise<Exit>;
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  /** Without the npm. */
  static start(...args: string[]): LocalProcess {
    return new LocalProcess(spawn(process.execPath, [entry, ...anyPorts, ...args], { env, stdio }));
  }

  /** By npm, in a process group of its own, as terminals make them. `exit` resolves when all of them have ended. */
  static startByNpm(...args: string[]): LocalProcess {
    const cwd = join(import.meta.dirname, "../..");
    const all = ["run", "local", "--", ...anyPorts, ...args];
    return new LocalProcess(spawn("npm", all, { cwd, env, stdio, detached: true }));
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    let stderr = "";
    this.#child.stderr?.on("data", (text: Buffer) => {
      stderr += text.toString();
    });
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => {
        this.lines.push(line);
        this.#tellWaiting();
      });
    }
    this.exit = once(this.#child, "close").then(([status, signal]) => {
      this.#isOver = true;
      this.#tellWaiting();
      return { status, signal, stdout: this.lines.join("\n"), stderr };
    });
  }

  /** Resolves when everything runs, with the environment that the exported lines make. */
  async ready(): Promise<Record<string, string>> {
    await this.line(/^Ready /);
    const exports = this.lines.filter((line) => /^ +export /.test(line)).join(" ");
    return Object.fromEntries([...exports.matchAll(/(\w+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value]));
  }

  /** Resolves with the first line that matches, from line `from` on. Rejects when the process ends without it. */
  async line(pattern: RegExp, from = 0): Promise<string> {
    for (;;) {
      const found = this.lines.slice(from).find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error(`It ended without ${pattern}: ${(await this.exit).stderr}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** C2M's base URL. */
  get c2mUrl(): string {
    return /C2M's base URL is (\S+)\./.exec(this.lines.join("\n"))?.[1] ?? "";
  }

  /** The processes that it has started and that still run. */
  async children(): Promise<number[]> {
    const { pid } = this.#child;
    // Slim images have no ps, and only Linux has /proc.
    const listed = existsSync("/proc")
      ? readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      : (await promisify(execFile)("pgrep", ["-P", String(pid)])).stdout;
    return listed.split(/\s+/).filter(Boolean).map(Number);
  }

  stop(signal: NodeJS.Signals = "SIGINT"): Promise<Exit> {
    this.#child.kill(signal);
    return this.exit;
  }

  /** What a terminal does when it is closed; for one started by npm. */
  hangUp(): Promise<Exit> {
    process.kill(-(this.#child.pid ?? Number.NaN), "SIGHUP");
    return this.exit;
  }

  /** Closes the pipe that it prints to. */
  stopReading(): Promise<Exit> {
    this.#child.stdout?.destroy();
    return this.exit;
  }

  #tellWaiting(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
