import * as v from "valibot";
import { PermanentError } from "../../src/ports/errors.ts";

/**
 * What the schedule sends is ignored but for `scope`; by hand, `{"graceSeconds": 0, "secrets": ["name"]}` ends the
 * grace of these secrets at once.
 */
const reconcileEvent = v.object({
  /** `all` reads the whole ledger and every version; default `recent`, and `all` where the grace is ended by hand. */
  scope: v.optional(v.picklist(["recent", "all"])),
  /** In place of each secret's own grace, in seconds. */
  graceSeconds: v.optional(
    v.pipe(v.number(), v.integer("must be a whole number"), v.minValue(0, "must not be negative")),
  ),
  /** Names of listed secrets; default all of them. */
  secrets: v.optional(v.array(v.string())),
});

export type ReconcileEvent = v.InferOutput<typeof reconcileEvent>;

/** Reads an event. PermanentError `event_invalid` names each field that is wrong and its rule, and no value. */
export function parseEvent(event: unknown): ReconcileEvent {
  const result = v.safeParse(reconcileEvent, event ?? {});
  if (result.success) return result.output;
  const problems = result.issues.map(
    (issue) =>
      `${v.getDotPath(issue) ?? "the event"} ${issue.kind === "validation" ? issue.message : `must be ${issue.expected}`}`,
  );
  throw new PermanentError("event_invalid", `${problems.join("; ")}.`);
}
