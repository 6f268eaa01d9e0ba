/** What is wrong with an argument. Holds no value: it could be a secret in the wrong place. */
export interface Problem {
  /** `tokens[0].grace`. */
  path: string;
  /** What the argument is for. */
  meaning: string;
  /** What it must be. */
  rule: string;
}

/** All problems as one text, a line each. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems.map(({ path, meaning, rule }) => `  - ${path} (${meaning}): ${rule}`).join("\n");
}
