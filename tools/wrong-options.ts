/** Ends a command of the tests that can't understand its options: says why, and how they are. Exit status 2. */
export function endWithUsage(error: unknown, help: string): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
  process.exit(2);
}
