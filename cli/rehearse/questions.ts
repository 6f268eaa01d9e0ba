import { span } from "../time-text.ts";

/**
 * What nobody has recorded of AWS or of C2M and the local cloud therefore has a knob for, with the knob's default: what the
 * local cloud does. A rehearsal notes what it meets. (A test holds the defaults to the local cloud's own.)
 */
export const questions = {
  "secretsManager.pendingAfterSuccess": {
    asks: "When does AWSPENDING leave a version that was rotated in?",
    local: "immediate",
  },
  "secretsManager.unrecorded.placeholderRead": {
    asks: "What does a version answer that a rotation has made and not filled yet?",
    local: {
      code: "ResourceNotFoundException",
      message: "Secrets Manager can't find the specified secret value for VersionId: {version}",
    },
  },
  "secretsManager.listPlaceholder": { asks: "Does ListSecretVersionIds show such a version?", local: true },
  "secretsManager.visibilityDelayMs": { asks: "How late does a read see what was written?", local: 0 },
  "secretsManager.labelOrder": { asks: "In which order are the labels of a version told?", local: "sorted" },
  "secretsManager.nextRotationDate": {
    asks: "Which moment of the rotation's window is NextRotationDate?",
    local: "last-second",
  },
  "secretsManager.lastChangedMovedBy": {
    asks: "Do a rotation's start and a moved label change LastChangedDate?",
    local: ["value", "stage", "rotation", "metadata", "tags", "policy"],
  },
  "secretsManager.delivery": { asks: "How often does the function get a step?", local: "once" },
  "logs.deliveryDelayMs": { asks: "How late can a line of the log be read?", local: 0 },
  "c2m.revocationDelayMs": { asks: "For how long is a revoked token still accepted?", local: 0 },
} as const;

export type Knob = keyof typeof questions;

/** What was met of one question. */
export interface Answer {
  knob: Knob;
  asks: string;
  /** What the local cloud does. */
  local: string;
  /** Undefined where it did not come by. */
  answered: string | undefined;
  differs: boolean;
}

/** The answers that a rehearsal has met. Of several the one that differs is told. */
export class Answers {
  readonly #met = new Map<Knob, { answered: string; differs: boolean }>();
  readonly #delays = new Map<Knob, number>();

  met(knob: Knob, answered: string, differs: boolean): void {
    if (this.#met.get(knob)?.differs && !differs) return;
    this.#met.set(knob, { answered, differs });
  }

  /** The longest delay counts. One within `toleranceMs` can't be told from none by somebody who looks so often. */
  delay(knob: Knob, ms: number, toleranceMs: number): void {
    if (ms < (this.#delays.get(knob) ?? 0)) return;
    this.#delays.set(knob, ms);
    this.met(knob, ms > toleranceMs ? `about ${span(ms)}` : "none that could be seen", ms > toleranceMs);
  }

  has(knob: Knob): boolean {
    return this.#met.has(knob);
  }

  all(): Answer[] {
    return (Object.keys(questions) as Knob[]).map((knob) => {
      const { asks, local } = questions[knob];
      const { answered, differs = false } = this.#met.get(knob) ?? {};
      return { knob, asks, local: localText(local), answered, differs };
    });
  }
}

function localText(local: (typeof questions)[Knob]["local"]): string {
  if (typeof local !== "object") return String(local);
  return "code" in local ? `${local.code}: ${local.message}` : local.join(", ");
}
