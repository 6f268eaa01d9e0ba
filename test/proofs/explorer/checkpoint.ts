import type { C2mState } from "../../../local-cloud/c2m/engine.ts";
import type { C2mKnobs } from "../../../local-cloud/c2m/knobs.ts";
import type { SecretsSnapshot } from "../../../local-cloud/secrets-manager/engine.ts";
import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import type { SavedEffects } from "./effects.ts";
import type { SavedFunctions } from "./functions.ts";
import type { SavedLedger } from "./in-memory-ledger.ts";
import type { Place } from "./life.ts";
import type { Appointment, ClientCredentials, TokenSecret } from "./parts.ts";
import type { Watch } from "./watch.ts";

/** All of a world at a moment in which nothing ran, and where it was: another one can go on from here. */
export interface Checkpoint {
  place: Place;
  now: number;
  /** By base URL. */
  c2ms: ReadonlyMap<string, { state: C2mState; knobs: C2mKnobs }>;
  secrets: SecretsSnapshot;
  /** What was purged, as it was, by ARN. */
  seen: ReadonlyMap<string, Secret>;
  watch: Watch;
  ledger: SavedLedger;
  functions: SavedFunctions;
  effects: SavedEffects;
  tokenSecrets: readonly Readonly<TokenSecret>[];
  appointments: readonly Appointment[];
  rest: Remembered;
}

/** What else a world remembers. */
export interface Remembered {
  credentials: ClientCredentials;
  credentialsBefore: ClientCredentials | undefined;
  rightCredentials: ClientCredentials;
  wrongUntil: number;
  paused: boolean;
  toDeploy: readonly number[];
  toDecommission: readonly number[];
  decommissioned: readonly number[];
  unlisted: readonly number[];
  failed: readonly (readonly [arn: string, versionId: string])[];
  ids: number;
  tokens: number;
  madeAgain: number;
}
