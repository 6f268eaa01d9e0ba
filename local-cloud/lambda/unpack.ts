import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";

/** Writes an archive's files to a folder of their own and returns its path. The caller removes it. */
export function unpack(files: Record<string, string>): string {
  for (const name of Object.keys(files)) {
    if (normalize(name).startsWith("..") || name.startsWith("/"))
      throw new Error(`The archive's file ${name} lies outside of it.`);
  }
  const folder = mkdtempSync(join(tmpdir(), "lambda-task-"));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return folder;
}
