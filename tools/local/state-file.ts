import { createHash } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import * as v from "valibot";
import type { CloudState } from "../../local-cloud/cloud.ts";
import type { Plan } from "../../local-cloud/pulumi/plan.ts";

/** What stands in the file of `--state`. */
export interface SavedState {
  cloud: CloudState;
  /** What of the program was deployed and lives on in `cloud`. */
  plan: Plan;
}

/** The file can't be used, and was left as it is. The message says why and what to do. */
export class UnusableStateFile extends Error {
  override readonly name = "UnusableStateFile";
}

const format = "c2m-token-rotation local cloud";

/** To be raised when the shape of what is saved changes: an older file is then refused, and not misread. */
const version = 1;

const envelope = v.object({
  format: v.literal(format),
  version: v.number(),
  /** Of `state`, in hexadecimal: a file that was cut off or edited is told from a whole one without a look at each field. */
  sha256: v.string(),
  /** JSON of a SavedState. */
  state: v.string(),
});

/**
 * Reads the file. Undefined where there is none yet, or an empty one, and one can be written.
 *
 * @throws UnusableStateFile
 */
export function readState(path: string): SavedState | undefined {
  const text = readText(path);
  if (text.trim() === "") return undefined;
  const content = v.safeParse(envelope, jsonOf(text));
  if (!content.success) {
    throw unusable(path, "is not a state of the local cloud, and was left as it is. Give --state another file.");
  }
  const { version: found, sha256, state } = content.output;
  if (found !== version) {
    throw unusable(
      path,
      `was written by another version of the local cloud (${found}, this one is ${version}), and was left as it is. Remove it, or give --state another file.`,
    );
  }
  if (sha256 !== digest(state)) {
    throw unusable(path, "is damaged, and was left as it is. Remove it, or give --state another file.");
  }
  return JSON.parse(state) as SavedState;
}

/** Writes the file as a whole or not at all, readable by its owner only: it holds secrets, if local ones. */
export function writeState(path: string, saved: SavedState): void {
  const state = JSON.stringify(saved);
  const text = JSON.stringify({ format, version, sha256: digest(state), state } satisfies v.InferInput<
    typeof envelope
  >);
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw unusable(path, `can't be read (${codeOf(error)}).`, error);
  }
  try {
    accessSync(dirname(resolve(path)), constants.W_OK);
  } catch (error) {
    throw unusable(path, `can't be written (${codeOf(error)}).`, error);
  }
  return "";
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}

function unusable(path: string, why: string, cause?: unknown): UnusableStateFile {
  return new UnusableStateFile(`The file ${path} ${why}`, { cause });
}
