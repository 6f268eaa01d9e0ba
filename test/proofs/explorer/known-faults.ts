import type { Move } from "./moves.ts";
import type { Schedule } from "./schedule.ts";

/** A way in which the promise is known to be broken, and that issue 16 is to mend. */
export interface KnownFault {
  /** Of issue 16's table. */
  row: string;
  /** A schedule that shows it. */
  replay: string;
  /** One of these falls where it shows. */
  moves: readonly Move[];
  /** What the judge says. */
  says: RegExp;
}

/** Each is an expected failure in regressions.test.ts, which turns red when it is mended: then it leaves this list. */
export const knownFaults: readonly KnownFault[] = [
  {
    // The log tells 10 minutes late that a step is at work, and decommission looks for no longer than a step may take.
    row: "6",
    replay: "log-late:32.decommission",
    moves: ["decommission"],
    says: /decommission succeeded|is not current, and is not reported/,
  },
];

/** The row of the known fault that explains all of the violations; undefined where one is new. */
export function faultOf({ strikes, actions = [] }: Schedule, violations: readonly string[]): string | undefined {
  const kinds: string[] = [...strikes, ...actions].map(({ kind }) => kind);
  const possible = knownFaults.filter(({ moves }) => moves.some((move) => kinds.includes(move)));
  const explained = violations.every((text) => possible.some(({ says }) => says.test(text)));
  return explained ? possible[0]?.row : undefined;
}
