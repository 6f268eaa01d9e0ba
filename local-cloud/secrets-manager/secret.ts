import type { RotationRules, RotationWindow, ScheduleHistory } from "../schedule.ts";
import type { Tag } from "./shapes.ts";
import type { SecretValue } from "./value.ts";

export interface Version {
  readonly id: string;
  readonly createdDate: number;
  readonly stages: Set<string>;
  /** Undefined for the placeholder of a rotation. */
  value: SecretValue | undefined;
  kmsKeyId: string | undefined;
  /** Keys that it is encrypted with as well, since its secret has changed its key. */
  formerKmsKeyIds: string[];
  lastAccessedDate: number | undefined;
  /** The value was stored by the rotation function itself, or with the rotation's RotationToken. */
  fromRotationFunction: boolean;
}

/** A label that came to a version it was not on. */
export interface LabelMove {
  stage: string;
  versionId: string;
}

export interface RotationState {
  enabled: boolean;
  lambdaArn: string;
  rules: RotationRules | undefined;
  history: ScheduleHistory;
  /** What NextRotationDate is taken from. */
  announced: RotationWindow | undefined;
  lastRotatedDate: number | undefined;
  /** AutomaticallyAfterDays, calculated from the expression by the last successful rotation. */
  calculatedDays: number | undefined;
}

/** A region to which a secret is replicated. */
export interface Replica {
  Region: string;
  KmsKeyId?: string | undefined;
  /** When the last change will have reached it, epoch ms. */
  inSyncAt: number;
  /** Why nothing reaches it; undefined where something does. */
  failure: string | undefined;
}

/** Everything of a secret that changes. Dates are epoch ms. */
export interface SecretState {
  versions: Map<string, Version>;
  description: string | undefined;
  kmsKeyId: string | undefined;
  /** Undefined as long as there never was one: answers then have no field for them. */
  tags: Tag[] | undefined;
  policy: string | undefined;
  replicas: Replica[];
  /** The ARN of the secret that this one is a replica of. */
  primaryArn: string | undefined;
  lastChangedDate: number;
  lastAccessedDate: number | undefined;
  deletion: { deletedDate: number; purgeDate: number } | undefined;
  rotation: RotationState | undefined;
}

/** A secret: its state, now and, where reads lag behind, before. */
export class Secret {
  readonly arn: string;
  readonly name: string;
  readonly createdDate: number;
  readonly state: SecretState;
  #past: { until: number; state: SecretState }[] = [];

  constructor(arn: string, name: string, createdDate: number) {
    this.arn = arn;
    this.name = name;
    this.createdDate = createdDate;
    this.state = {
      versions: new Map(),
      description: undefined,
      kmsKeyId: undefined,
      tags: undefined,
      policy: undefined,
      replicas: [],
      primaryArn: undefined,
      lastChangedDate: createdDate,
      lastAccessedDate: undefined,
      deletion: undefined,
      rotation: undefined,
    };
  }

  /** Keeps the state for reads that lag up to `delayMs`; to be called before each change. */
  remember(now: number, delayMs: number): void {
    if (delayMs === 0) {
      if (this.#past.length > 0) this.#past = [];
      return;
    }
    this.#past = this.#past.filter((past) => past.until > now - delayMs);
    this.#past.push({ until: now, state: copyOf(this.state) });
  }

  /** Another one that is as this is, now and for reads that lag behind, and shares nothing that changes. */
  copy(): Secret {
    const secret = new Secret(this.arn, this.name, this.createdDate);
    Object.assign(secret.state, copyOf(this.state));
    // What was does not change any more.
    secret.#past = [...this.#past];
    return secret;
  }

  /** The state that was true at `time`; undefined when the secret was not there. */
  stateAt(time: number): SecretState | undefined {
    if (time < this.createdDate) return undefined;
    return this.#past.find((past) => past.until > time)?.state ?? this.state;
  }
}

/** A copy that shares nothing that changes. */
export function copyOf(state: SecretState): SecretState {
  const versions = new Map<string, Version>();
  for (const [id, version] of state.versions) versions.set(id, { ...version, stages: new Set(version.stages) });
  return {
    ...state,
    versions,
    tags: state.tags && [...state.tags],
    replicas: state.replicas.map((replica) => ({ ...replica })),
    rotation: state.rotation && { ...state.rotation },
  };
}
