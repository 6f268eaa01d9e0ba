import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** How often it is looked whether npm still runs, in ms. */
const lookEveryMs = 250;

/**
 * Calls `onGone`, once, when the npm that has started this process is gone. npm, and the shell that it puts between, pass on
 * no signal that kills them, and a closed terminal may tell them only. A process that npm has not started belongs to nobody.
 */
export function watchLauncher(onGone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const shell = process.ppid;
  const npm = parentOf(shell);
  const timer = setInterval(() => {
    if (process.ppid === shell && isAlive(shell) && (npm === undefined || isAlive(npm))) return;
    clearInterval(timer);
    onGone();
  }, lookEveryMs);
  timer.unref();
}

function parentOf(pid: number): number | undefined {
  const text =
    process.platform === "linux"
      ? // The name before it stands in parentheses and may hold anything.
        /.*\) \S (\d+)/s.exec(attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8")) ?? "")?.[1]
      : attempt(() => execFileSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }));
  const parent = Number(text);
  // 0 and 1 are nobody's npm, but where this process runs alone in a container.
  return Number.isInteger(parent) && parent > 1 ? parent : undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function attempt(run: () => string): string | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
