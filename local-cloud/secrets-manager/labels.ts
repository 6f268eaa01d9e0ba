import type { Knobs } from "./knobs.ts";
import type { LabelMove, SecretState, Version } from "./secret.ts";

export const current = "AWSCURRENT";
export const pending = "AWSPENDING";
export const previous = "AWSPREVIOUS";

/** The version that holds a label; at most one does. */
export function holderOf(state: SecretState, stage: string): Version | undefined {
  for (const version of state.versions.values()) if (version.stages.has(stage)) return version;
  return undefined;
}

/** The version of a rotation that has not ended: it holds AWSPENDING and is not current. */
export function pendingVersion(state: SecretState): Version | undefined {
  const version = holderOf(state, pending);
  return version?.stages.has(current) ? undefined : version;
}

/**
 * Puts labels on a version, taking each from whoever holds it. When AWSCURRENT moves, AWSPREVIOUS goes to the version that loses it, and off its
 * former holder. Returns what moved.
 */
export function attach(state: SecretState, version: Version, stages: Iterable<string>): LabelMove[] {
  const moves: LabelMove[] = [];
  for (const stage of stages) {
    const holder = holderOf(state, stage);
    if (holder === version) continue;
    holder?.stages.delete(stage);
    version.stages.add(stage);
    moves.push({ stage, versionId: version.id });
    if (stage === current && holder) moves.push(...attach(state, holder, [previous]));
  }
  return moves;
}

/** Takes a label off whatever version holds it. */
export function detach(state: SecretState, stage: string): void {
  holderOf(state, stage)?.stages.delete(stage);
}

/** The labels of a secret, each once per version that holds it: the number that AWS limits to 20. */
export function labelCount(state: SecretState): number {
  let count = 0;
  for (const version of state.versions.values()) count += version.stages.size;
  return count;
}

/** The labels of a version as an answer shows them; AWS documents no order. */
export function orderedStages({ knobs }: { knobs: Pick<Knobs, "labelOrder"> }, version: Version): string[] {
  const sorted = [...version.stages].sort();
  return knobs.labelOrder === "sorted" ? sorted : sorted.reverse();
}
