import type { Clock } from "../ports/clock.ts";

/** How long a proof holds, in ms: the steps of one rotation follow each other within minutes. */
const holdsMs = 15 * 60_000;

/** Versions whose token this process has seen to work, so that finishSecret need not ask C2M again. */
export class ProvenVersions {
  readonly #clock: Pick<Clock, "now">;
  readonly #provenAt = new Map<string, number>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  add(arn: string, versionId: string): void {
    for (const [key, at] of this.#provenAt) if (!this.#holds(at)) this.#provenAt.delete(key);
    this.#provenAt.set(`${arn} ${versionId}`, this.#clock.now());
  }

  delete(arn: string, versionId: string): void {
    this.#provenAt.delete(`${arn} ${versionId}`);
  }

  has(arn: string, versionId: string): boolean {
    const at = this.#provenAt.get(`${arn} ${versionId}`);
    return at !== undefined && this.#holds(at);
  }

  #holds(at: number): boolean {
    const ageMs = this.#clock.now() - at;
    return ageMs >= 0 && ageMs < holdsMs;
  }
}
