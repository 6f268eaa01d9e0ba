import type { Clock } from "../../../src/ports/clock.ts";
import { ProvenVersions } from "../../../src/rotation/proven.ts";

/** What a warm process remembers of proofs, so that it can be looked at and carried over. */
export class WatchedProofs extends ProvenVersions {
  readonly #clock: { at: number | undefined; now: () => number };
  readonly #proofs: { arn: string; versionId: string; at: number }[] = [];

  constructor(clock: Pick<Clock, "now">) {
    const own = { at: undefined as number | undefined, now: () => own.at ?? clock.now() };
    super(own);
    this.#clock = own;
  }

  /** @param at when it was proven, epoch ms; default now */
  override add(arn: string, versionId: string, at = this.#clock.now()): void {
    this.#clock.at = at;
    super.add(arn, versionId);
    this.#clock.at = undefined;
    this.#proofs.push({ arn, versionId, at });
  }

  /** The versions whose proof still holds. */
  held(): string[] {
    return this.#proofs.filter(({ arn, versionId }) => this.has(arn, versionId)).map(({ versionId }) => versionId);
  }

  /** The same memory in a process with this clock. */
  copy(clock: Pick<Clock, "now">): WatchedProofs {
    const copy = new WatchedProofs(clock);
    for (const { arn, versionId, at } of this.#proofs) copy.add(arn, versionId, at);
    return copy;
  }
}
