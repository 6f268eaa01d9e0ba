import { createHash } from "node:crypto";
import type { Submission } from "./submission.ts";

/** A submission that was accepted: what is mailed, and billed. */
export interface AcceptedJob {
  readonly requestId: number;
  readonly clientId: string;
  /** The token that it came with. */
  readonly tokenId: string;
  /** Epoch ms. */
  readonly acceptedAt: number;
  readonly submission: Submission;
  /** The `requestId` of an earlier one of the same client with the same content: this letter is mailed a second time. */
  readonly repeats: number | undefined;
}

/** Every submission that was accepted, in order. C2M has no idempotency key: what is sent twice is mailed twice. */
export class JobRegister {
  readonly #jobs: AcceptedJob[] = [];
  /** The first `requestId` of each content. */
  readonly #firsts = new Map<string, number>();
  readonly #listeners = new Set<(job: AcceptedJob) => void>();

  get all(): readonly AcceptedJob[] {
    return this.#jobs;
  }

  /** The letters that are mailed again. */
  get repeated(): AcceptedJob[] {
    return this.#jobs.filter(({ repeats }) => repeats !== undefined);
  }

  onAccepted(listener: (job: AcceptedJob) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  accept(job: Omit<AcceptedJob, "requestId" | "repeats">): AcceptedJob {
    const requestId = (this.#jobs.at(-1)?.requestId ?? 0) + 1;
    const accepted = { ...job, requestId, repeats: this.#firsts.get(contentOf(job)) };
    this.restore(accepted);
    for (const listener of this.#listeners) listener(accepted);
    return accepted;
  }

  /** Takes back a job from a saved state. */
  restore(job: AcceptedJob): void {
    this.#jobs.push(job);
    const content = contentOf(job);
    if (!this.#firsts.has(content)) this.#firsts.set(content, job.requestId);
  }
}

function contentOf({ clientId, submission }: Pick<AcceptedJob, "clientId" | "submission">): string {
  return createHash("sha256")
    .update(JSON.stringify([clientId, inOrder(submission)]))
    .digest("base64");
}

/** The order of an object's fields says nothing. */
function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const fields = Object.entries(value).map(([field, content]) => [field, inOrder(content)] as const);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}
