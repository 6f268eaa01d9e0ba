import { failureOf } from "../failure.ts";

/** What came of one check. */
export interface Finding {
  check: string;
  ok: boolean;
  said: string;
  /** What to do: a command, a section of the runbook, or a sentence. */
  fix: string | null;
}

/** What one check says when all is well; throws a Failure where not. */
export type Check = [name: string, look: () => Promise<string>];

/** Never throws: what went wrong is what was found. */
export async function found(check: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { check, ok: true, said: await look(), fix: null };
  } catch (error) {
    const { message, remedy } = failureOf(error);
    return { check, ok: false, said: message, fix: remedy ?? null };
  }
}
