import type { RotationLog } from "../formats/ledger.ts";
import type { TokenSettings } from "../formats/settings.ts";
import type { C2m } from "../ports/c2m.ts";
import type { Clock } from "../ports/clock.ts";
import type { SecretStore } from "../ports/secret-store.ts";
import type { Sensitive } from "../ports/sensitive.ts";

/** What a step works with: the two ports, time, randomness, the log, and the settings of the secret at hand. */
export interface RotationContext {
  store: SecretStore;
  c2m: C2m;
  clock: Clock;
  log: RotationLog;
  settings: TokenSettings;
  /** A random UUID. */
  randomId(): string;
  /** Epoch ms at which the function is killed. */
  deadline: number;
}

/** Which version of which secret a step is about. */
export interface StepTarget {
  /** The secret's ARN. */
  secretId: string;
  /** The ClientRequestToken: the id of the version that the rotation makes. */
  versionId: string;
  rotationToken: Sensitive | undefined;
}
