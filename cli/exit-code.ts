/** What the process ends with. Documented in `c2m-tokens --help`; scripts rely on it. */
export const exitCode = {
  /** Done, or nothing is wrong. */
  done: 0,
  /** It did not succeed, or something is wrong with a token. */
  failed: 1,
  /** The command line can't be understood. */
  usage: 2,
  /** A precondition or the confirmation was missing. Nothing was changed. */
  refused: 3,
  /** AWS or C2M could not be reached, or denied it. */
  unavailable: 4,
  /** Stopped with Ctrl-C, by SIGTERM, or because the terminal was closed. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
