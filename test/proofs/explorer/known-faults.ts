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
    row: "1",
    replay: "grace:3.up-base-url",
    moves: ["up-base-url", "up-base-url-only"],
    says: /sends the client secret/,
  },
  {
    row: "2",
    replay: "grace:59.gateway-json",
    moves: ["gateway-json"],
    says: /is not current, and is not reported|its predecessor/,
  },
  {
    row: "4",
    replay: "grace:59.rollback",
    moves: ["rollback"],
    says: /while it is at AWSCURRENT|the token that it left is dead|last live token/,
  },
  {
    row: "5",
    replay: "grace:49.c2m-revokes-current",
    moves: ["c2m-revokes-current", "operator-back", "c2m-revokes-all"],
    says: /the last live token of its secret/,
  },
  {
    row: "10",
    replay: "grace:49.operator-line",
    moves: ["operator-line"],
    says: /is not current, and is not reported|its predecessor|last live token/,
  },
  {
    row: "12",
    replay: "grace:39.finish-first",
    moves: ["finish-first"],
    says: /becomes current unproven|while it is at AWSCURRENT|no token of C2M's/,
  },
  { row: "18", replay: "two-secrets:52.same-token", moves: ["same-token"], says: /./ },
  {
    row: "store (the winner is read before the loser's token is revoked)",
    replay: "steps-concurrently:112.denied-spell",
    moves: ["denied-spell", "denied"],
    says: /alive, in no version/,
  },
];

/** The row of the known fault that explains all of the violations; undefined where one is new. */
export function faultOf({ strikes, actions = [] }: Schedule, violations: readonly string[]): string | undefined {
  const kinds: string[] = [...strikes, ...actions].map(({ kind }) => kind);
  const possible = knownFaults.filter(({ moves }) => moves.some((move) => kinds.includes(move)));
  const explained = violations.every((text) => possible.some(({ says }) => says.test(text)));
  return explained ? possible[0]?.row : undefined;
}
