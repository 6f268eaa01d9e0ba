import { type RotationState, Secret, type SecretState, type Version } from "./secret.ts";
import { newVersion } from "./versions.ts";

/** A version as JSON holds it. What is undefined is absent. */
type SavedVersion = Omit<Partial<Version>, "stages"> & Pick<Version, "id" | "createdDate"> & { stages: string[] };

/** A secret as JSON holds it: all of its state, values included, but no rotation that is running. */
export interface SavedSecret {
  arn: string;
  name: string;
  createdDate: number;
  state: Partial<Omit<SecretState, "versions">> & { versions: SavedVersion[] };
}

/** A copy of the secret's present state that can be written as JSON. */
export function saveSecret({ arn, name, createdDate, state }: Secret): SavedSecret {
  const versions = [...state.versions.values()].map((version) => ({ ...version, stages: [...version.stages] }));
  return structuredClone({ arn, name, createdDate, state: { ...state, versions } });
}

/**
 * The secret again, from `saveSecret`, also by way of JSON. A rotation that was open is one that waits for its next
 * window; nobody holds its RotationToken any more.
 */
export function restoreSecret({ arn, name, createdDate, state }: SavedSecret): Secret {
  const secret = new Secret(arn, name, createdDate);
  const { versions, rotation, ...others } = structuredClone(state);
  Object.assign(secret.state, others);
  for (const version of versions) {
    const { id } = version;
    const empty = newVersion(id, version.createdDate, undefined);
    secret.state.versions.set(id, { ...empty, ...version, stages: new Set(version.stages) });
  }
  secret.state.rotation = rotation && { ...noSchedule, ...rotation };
  return secret;
}

/** What JSON leaves out of a rotation's state. */
const noSchedule = {
  rules: undefined,
  announced: undefined,
  lastRotatedDate: undefined,
  calculatedDays: undefined,
} satisfies Partial<RotationState>;
