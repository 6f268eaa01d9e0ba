import { writeFile } from "node:fs/promises";
import { failed } from "./failure.ts";

/** Writes a page where `--report` says. */
export async function writePage(path: string, page: string): Promise<void> {
  try {
    await writeFile(path, page);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw failed(`--report: ${path} can't be written (${code}).`);
  }
}
