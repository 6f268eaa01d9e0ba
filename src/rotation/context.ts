import type { LedgerFault, RotationLog } from "../formats/ledger.ts";
import type { TokenSettings } from "../formats/settings.ts";
import type { TokenIssuer, TokenUser } from "../ports/c2m.ts";
import type { Clock } from "../ports/clock.ts";
import type { SecretStore } from "../ports/secret-store.ts";
import type { Sensitive } from "../ports/sensitive.ts";
import type { ProvenVersions } from "./proven.ts";

/** What everybody has who looks after one token secret: rotator, reconciler and operator. */
export interface SecretContext {
  /** The secret's ARN. */
  arn: string;
  store: SecretStore;
  /**
   * The C2M that a token belongs to which says this base URL. Undefined where it is none of those in the settings: then
   * the token is sent nowhere.
   */
  c2mAt(baseUrl: string | undefined): TokenUser | undefined;
  clock: Clock;
  log: RotationLog;
  /** Epoch ms by which the function must be done. */
  deadline: number;
}

/** What a step of the rotator works with. */
export interface RotationContext extends SecretContext {
  issuer: TokenIssuer;
  settings: TokenSettings;
  /** The other secrets of the settings that hold tokens of the same client at the same C2M, by name. */
  siblings: readonly string[];
  /** A change freeze: nothing is begun. Default false. */
  paused?: boolean | undefined;
  /** Why lines would not reach the ledger, so that nothing may be issued. Default: they do. */
  ledgerFault?: LedgerFault | undefined;
  /** What this process has proven. */
  proven: ProvenVersions;
  /** A random UUID. */
  randomId(): string;
}

/** Which version a step is about. */
export interface StepTarget {
  /** The ClientRequestToken: the id of the version that the rotation makes. */
  versionId: string;
  rotationToken: Sensitive | undefined;
}
