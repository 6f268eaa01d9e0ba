import type { Clock } from "../clock.ts";
import type { Knobs } from "./knobs.ts";
import type { SecretState, Version } from "./secret.ts";

const day = 86_400_000;

/** A version without a value and labels. */
export function newVersion(id: string, createdDate: number, kmsKeyId: string | undefined): Version {
  return {
    id,
    createdDate,
    stages: new Set(),
    value: undefined,
    kmsKeyId,
    formerKmsKeyIds: [],
    lastAccessedDate: undefined,
    fromRotationFunction: false,
  };
}

/**
 * Makes room for one more version: above the limit the oldest unlabelled ones go, but none that is younger than a day. Tells whether
 * there is room now.
 */
export function purgeVersions({ clock, knobs }: { clock: Clock; knobs: Knobs }, { versions }: SecretState): boolean {
  const old = clock.now() - day;
  for (const version of versions.values()) {
    if (versions.size < knobs.versionLimit) break;
    if (version.stages.size === 0 && version.createdDate <= old) versions.delete(version.id);
  }
  return versions.size < knobs.versionLimit;
}
