import { AmbiguousError } from "../src/ports/errors.ts";
import type { C2mFetch } from "./c2m-fetch.ts";
import { type JobsError, readJobsError } from "./jobs-error.ts";

/**
 * What `POST /static` takes, as C2M's data dictionary has it. Its documents disagree on the forms of a document and of a
 * recipient, so both are sent as they are.
 */
export interface Letter {
  /** Which document: `{ documentIdSource: { documentId: 1 } }`, `{ requestIdSource: { requestId: 2 } }`, `{ url: "…" }` or an id. */
  docSourceAll: unknown;
  /** To whom: `{ singleAddress: {…} }`, `{ recipientAddressByList: { addressList: [{…}] } }`, or the id of a stored address or list. */
  recipientAddressSource: unknown;
  /** A saved template's name; not together with `jobOptions`. */
  jobTemplate?: string;
  /** `documentClass`, `layout`, `productionTime`, `envelope`, `color`, `paperType`, `printOption`, `mailClass`: all of them. */
  jobOptions?: Readonly<Record<string, string>>;
  returnAddress?: unknown;
  paymentDetails?: unknown;
  tags?: readonly string[];
}

/** What came of a letter. */
export type LetterOutcome =
  /** C2M took it. `requestId` as a text, whichever C2M sent; undefined where it sent none. */
  | { outcome: "accepted"; requestId: string | undefined }
  /** C2M did not take it, and why. */
  | { outcome: "refused"; error: JobsError }
  /** C2M may have taken it: sent again, it may be mailed and billed twice. Look there first. */
  | { outcome: "unknown"; reason: string };

/**
 * Sends one letter (`POST /static`; scope `jobs:submit`). Never twice: C2M has no idempotency key, so a letter whose
 * answer was lost, or was a 5xx, or can't be read, is `unknown`.
 *
 * @param signal ends the wait; whether the letter was taken is not known then
 * @throws what c2mFetch throws, AmbiguousError apart: nothing was taken, and the error says whether to try again
 *
 * @example
 * ```ts
 * const sent = await sendLetter(c2mFetch, {
 *   docSourceAll: { documentIdSource: { documentId: 1 } },
 *   recipientAddressSource: { singleAddress: { firstName: "Ada", … } },
 *   jobTemplate: "First class letter",
 * });
 * ```
 */
export async function sendLetter(c2mFetch: C2mFetch, letter: Letter, signal?: AbortSignal): Promise<LetterOutcome> {
  let answer: Response;
  try {
    answer = await c2mFetch("/static", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(letter),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (error instanceof AmbiguousError) return { outcome: "unknown", reason: error.message };
    throw error;
  }
  if (answer.ok) return accepted(answer);
  const error = await readJobsError(answer);
  await answer.body?.cancel().catch(() => undefined);
  if (error.kind !== "unknown") return { outcome: "refused", error };
  return { outcome: "unknown", reason: `C2M answered HTTP ${error.status}${error.code ? ` (${error.code})` : ""}.` };
}

async function accepted(answer: Response): Promise<LetterOutcome> {
  const unreadable = {
    outcome: "unknown",
    reason: `C2M answered HTTP ${answer.status}, and nothing that can be read.`,
  };
  try {
    const { status, requestId } = (await answer.json()) as { status?: unknown; requestId?: unknown };
    const isId = typeof requestId === "number" || typeof requestId === "string";
    if (!isId && status !== "accepted") return unreadable as LetterOutcome;
    return { outcome: "accepted", requestId: isId ? String(requestId) : undefined };
  } catch {
    // Cut off, or a gateway's page.
    return unreadable as LetterOutcome;
  }
}
