import type { Caller } from "../../../local-cloud/aws/service.ts";
import type { C2mEngine } from "../../../local-cloud/c2m/engine.ts";
import type { VirtualClock } from "../../../local-cloud/clock.ts";
import type { SecretsManagerEngine } from "../../../local-cloud/secrets-manager/engine.ts";
import type { RotationEvent } from "../../../local-cloud/secrets-manager/rotation.ts";
import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import type { SecretsManagerService } from "../../../local-cloud/secrets-manager/service.ts";
import type { TokenSettings } from "../../../src/formats/settings.ts";
import type { ReconcileReport } from "../../../src/reconcile/report.ts";
import type { Scope } from "../../../src/reconcile/survey.ts";
import type { C2ms } from "./c2ms.ts";
import type { Connection } from "./connection.ts";
import type { Effects } from "./effects.ts";
import type { CommandName, CommandResult, FunctionEnd, FunctionRun } from "./function-run.ts";
import type { InMemoryLedger } from "./in-memory-ledger.ts";
import type { Spell } from "./moves.ts";
import type { Scenario } from "./scenarios.ts";
import type { Watch } from "./watch.ts";

/** A token secret and its settings. */
export interface TokenSecret {
  index: number;
  /** Another one when it was deleted and made again. */
  arn: string;
  /** As they are deployed now. */
  settings: TokenSettings;
}

/** What the credentials secret holds. */
export interface ClientCredentials {
  clientId: string;
  clientSecret: string;
  /** As the program writes it. */
  baseUrl: string;
}

/** Something that happens by itself at a time, epoch ms. */
export type Appointment = { at: number } & (
  | { kind: "spell ends"; spell: Spell }
  | { kind: "freeze ends" }
  | { kind: "listed again"; index: number }
  | { kind: "credentials righted"; wrong: ClientCredentials; right: ClientCredentials }
);

/** The explored world as its parts see it. */
export interface World {
  readonly clock: VirtualClock;
  readonly scenario: Scenario;
  /** The C2M that everything begins with. */
  readonly c2m: C2mEngine;
  readonly c2ms: C2ms;
  readonly service: SecretsManagerService;
  readonly engine: SecretsManagerEngine;
  readonly ledger: InMemoryLedger;
  readonly effects: Effects;
  readonly watch: Watch;
  readonly functions: Invocations;
  readonly secrets: readonly TokenSecret[];
  readonly region: string;
  credentials: ClientCredentials;
  /** What the credentials secret held before. */
  credentialsBefore: ClientCredentials | undefined;
  /** What the credentials secret would hold if nobody had deployed wrong ones. */
  rightCredentials: ClientCredentials;
  /** Until when something is deployed that can't work, epoch ms. */
  wrongUntil: number;
  /** Whether the whole rotation is paused by its settings. */
  paused: boolean;
  /** What will happen by itself. */
  readonly appointments: ReadonlySet<Appointment>;
  appoint(appointment: Appointment): void;
  /** Indices of the secrets whose bootstrap failed: whoever deploys tries again. */
  readonly toDeploy: Set<number>;
  /** Indices of the secrets that somebody began to decommission: whoever did goes on. */
  readonly toDecommission: Set<number>;
  /** Indices of the secrets that are deleted, and out of the settings. */
  readonly decommissioned: Set<number>;
  /** Indices of the secrets that are out of the settings for a while. */
  readonly unlisted: Set<number>;
  /** How the functions reach the world. */
  readonly connection: Connection;
  readonly functionArn: string;
  readonly administrator: Caller;
  /** Whom a function acts as. */
  callerOf(run: FunctionRun): Caller;
  /** The secret as it is, whatever readers see. */
  readonly secret: (index: number) => Secret;
  of(index: number): TokenSecret;
  /** Of the secret with this ARN. */
  indexOf(arn: string): number;
  /** Makes one secret more, with the settings of the first one. Returns its index. */
  addSecret(): number;
  /** Deletes a secret for good and makes it again under its name. */
  makeAgain(index: number): void;
  /** The id of the version that has a label, and with `without` does not have another. */
  holder(index: number, stage: string, without?: string): string | undefined;
  /** A new id, the same ones in each run of a schedule. */
  id(kind?: string): string;
  /** Another C2M than the first, made when it is asked for. */
  addC2m(baseUrl: string): { baseUrl: string; engine: C2mEngine };
  /** Resolves when nothing runs any more. */
  idle(): Promise<void>;
  /** Delivers the steps of a rotation again that failed after it had moved AWSCURRENT. */
  deliverAgain(index: number): Promise<void>;
  /** Whether a rotation failed that had moved AWSCURRENT, and is to be delivered again. */
  readonly isFailing: boolean;
  /** What it remembers beside all this, as far as it decides what comes. */
  memory(): unknown;
}

/** What can be run. */
export interface Invocations {
  /** How many have begun and not ended. */
  readonly running: number;
  /** Versions that steps were run for, in order. */
  readonly versionIds: readonly string[];
  bootstrap(index: number): Promise<FunctionEnd<unknown>>;
  proveCredentials(): Promise<FunctionEnd<unknown>>;
  /** What a warm process remembers. */
  memory(): unknown;
  step(event: RotationEvent): Promise<FunctionEnd<unknown>>;
  /** Resolves when createSecret for this version ends for the first time from now on. */
  whenCreated(versionId: string): Promise<void>;
  /** The four steps of a rotation, as far as they succeed; whether all did. */
  steps(secret: number, versionId: string, rotationToken: string): Promise<boolean>;
  /** An operator's command, as it is. */
  command(name: CommandName, index: number): Promise<FunctionEnd<CommandResult>>;
  reconcile(
    scope: Scope,
    options?: { graceSeconds?: number | undefined; secrets?: string[] | undefined },
  ): Promise<FunctionEnd<ReconcileReport>>;
}
