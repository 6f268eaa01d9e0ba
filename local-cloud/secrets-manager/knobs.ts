import type { RotationWindow } from "../schedule.ts";
import type { RotationStep } from "./rotation.ts";

/** What may set LastChangedDate. */
export type ChangeKind =
  /** A value was created or stored. */
  | "value"
  /** A label was moved with UpdateSecretVersionStage, or by Secrets Manager at the end of a rotation. */
  | "stage"
  /** RotateSecret or CancelRotateSecret was accepted. */
  | "rotation"
  /** Description, KMS key, deletion, restoration, replication. */
  | "metadata"
  | "tags"
  | "policy";

/** How often the function gets one step of one attempt. What a duplicate answers is ignored. */
export type Delivery =
  | "once"
  /** Again when the first has ended. */
  | "twice"
  /** Two at the same time. */
  | "concurrently"
  /** Again after the last step of the attempt. */
  | "late";

/** An error whose code and text nobody recorded from AWS: ours until somebody does. */
export interface UnrecordedError {
  code: string;
  message: string;
}

/** What is unknown about Secrets Manager, or varies. Each default is the plainest behaviour that the evidence allows. */
export interface Knobs {
  /** Reads see the state as it was this long ago, in ms. */
  visibilityDelayMs: number;
  /** RotateSecret and values are on record; labels are inferred. */
  lastChangedMovedBy: readonly ChangeKind[];
  /** The order of the labels of a version in answers. */
  labelOrder: "sorted" | "reversed";
  /** Whether KMS refuses this operation on this secret (`Access to KMS is not allowed`). */
  kmsDenies: (operation: string, secretArn: string) => boolean;

  /** When AWSPENDING leaves a version that was rotated in: at once, so many ms later, or never. All three were seen. */
  pendingAfterSuccess: "immediate" | "never" | { afterMs: number };
  /** Failed rotations are run again this often while the rotation window is open; `manual`: only by RotateSecret or the next window. */
  retry: "manual" | { everyMs: number; maxAttempts: number };
  /** When in its window a scheduled rotation starts, in epoch ms. AWS says: any time. */
  startWithin: (window: RotationWindow) => number;
  /** Rotates this often instead of on the schedule, in ms: for a local cloud that people watch. */
  rotateEveryMs: number | undefined;
  /** What NextRotationDate shows of the window; the last second is on record for AutomaticallyAfterDays. */
  nextRotationDate: "last-second" | "start";
  delivery: (step: RotationStep, versionId: string) => Delivery;
  /** When it is checked that the pending version came from the rotation function. */
  creatorCheck: "after-createSecret" | "after-finishSecret" | "never";
  /** Whether a failed test (RotateImmediately=false) turns rotation off again. */
  failedTestDisablesRotation: boolean;
  /** Whether a RotateSecret that is refused as in progress still runs the pending rotation again. */
  refusedRotateRetries: boolean;
  /** Whether it also stores the rules and the function that it brought. */
  refusedRotateStoresRules: boolean;
  /** RotateSecret on a secret without a value; AWS accepted it in 2019. */
  rotateWithoutValue: "accept" | "refuse";
  /** RotateSecret with the id of a version that is not pending: answered as a repetition, or refused. */
  rotateWithUsedToken: "accept" | "refuse";
  /** Whether storing a version without AWSCURRENT abandons an open rotation. */
  customPutAbandons: boolean;

  /** Whether ListSecretVersionIds shows the version that a rotation made and nobody has filled. */
  listPlaceholder: boolean;
  /** What the last page of a list has for NextToken: nothing, or an empty text, which then means the first page in a request. */
  lastPageToken: "absent" | "empty";
  /** Whether the first value of a secret becomes AWSCURRENT when it fills a rotation's placeholder. */
  firstValueInPlaceholderIsCurrent: boolean;
  /** AWSCURRENT to a version that has no value. */
  promoteEmptyVersion: "accept" | "refuse";
  /** Versions a secret may have before unlabelled ones older than a day are purged; about 100. */
  versionLimit: number;
  /** How long a name stays taken after ForceDeleteWithoutRecovery, in ms. */
  forceDeleteLingersMs: number;
  /** How long a change takes to reach the replicas, in ms; Infinity for never. They are InProgress until then. */
  replicationLagMs: number;
  /** Regions whose replicas are Failed: nothing reaches them any more. */
  failedReplicaRegions: readonly string[];

  apostrophe: "'" | "’";
  unrecorded: {
    placeholderRead: UnrecordedError;
    wrongRemoveFrom: UnrecordedError;
    unknownMoveTo: UnrecordedError;
    moveNothing: UnrecordedError;
    currentToNowhere: UnrecordedError;
    promoteEmptyVersion: UnrecordedError;
    versionLimit: UnrecordedError;
    labelLimit: UnrecordedError;
    noValue: UnrecordedError;
    bothValues: UnrecordedError;
    rotateWithoutValue: UnrecordedError;
    rotateWithUsedToken: UnrecordedError;
    cancelUnconfigured: UnrecordedError;
    notScheduledForDeletion: UnrecordedError;
    forceWithWindow: UnrecordedError;
    hasReplicas: UnrecordedError;
    notAReplica: UnrecordedError;
    duplicateTag: UnrecordedError;
    systemTag: UnrecordedError;
    tooManyTags: UnrecordedError;
    /** The code of every refused schedule; the text says what is wrong with it. */
    badSchedule: { code: string };
    badPolicy: UnrecordedError;
    noPasswordCharacters: UnrecordedError;
    passwordTooShort: UnrecordedError;
    badPage: UnrecordedError;
  };
  /** The errorMessage of RotationFailed when every step succeeded and AWSCURRENT did not move. */
  currentNotMovedMessage: string;
}

export const hour = 3_600_000;

export function defaultKnobs(): Knobs {
  return {
    visibilityDelayMs: 0,
    lastChangedMovedBy: ["value", "stage", "rotation", "metadata", "tags", "policy"],
    labelOrder: "sorted",
    kmsDenies: () => false,
    pendingAfterSuccess: "immediate",
    retry: { everyMs: hour, maxAttempts: Number.POSITIVE_INFINITY },
    startWithin: (window) => window.start,
    rotateEveryMs: undefined,
    nextRotationDate: "last-second",
    delivery: () => "once",
    creatorCheck: "after-createSecret",
    failedTestDisablesRotation: false,
    refusedRotateRetries: true,
    refusedRotateStoresRules: false,
    rotateWithoutValue: "accept",
    rotateWithUsedToken: "accept",
    customPutAbandons: false,
    listPlaceholder: true,
    lastPageToken: "absent",
    firstValueInPlaceholderIsCurrent: true,
    promoteEmptyVersion: "refuse",
    versionLimit: 100,
    forceDeleteLingersMs: 0,
    replicationLagMs: 0,
    failedReplicaRegions: [],
    apostrophe: "'",
    unrecorded: {
      placeholderRead: {
        code: "ResourceNotFoundException",
        message: "Secrets Manager can't find the specified secret value for VersionId: {version}",
      },
      wrongRemoveFrom: {
        code: "InvalidParameterException",
        message: "The staging label {stage} is not attached to the version in RemoveFromVersionId.",
      },
      unknownMoveTo: {
        code: "ResourceNotFoundException",
        message: "Secrets Manager can't find the specified secret value for VersionId: {version}",
      },
      moveNothing: {
        code: "InvalidParameterException",
        message: "You must provide MoveToVersionId, RemoveFromVersionId or both.",
      },
      currentToNowhere: {
        code: "InvalidParameterException",
        message: "The staging label AWSCURRENT can be moved to another version but not removed.",
      },
      promoteEmptyVersion: {
        code: "InvalidRequestException",
        message: "You can't attach AWSCURRENT to a version that has no value.",
      },
      versionLimit: {
        code: "LimitExceededException",
        message: "The secret has too many versions and none that may be purged.",
      },
      labelLimit: {
        code: "LimitExceededException",
        message: "The secret would have more than 20 staging labels.",
      },
      noValue: { code: "InvalidRequestException", message: "You must provide either SecretString or SecretBinary." },
      bothValues: {
        code: "InvalidParameterException",
        message: "You can't specify both SecretString and SecretBinary.",
      },
      rotateWithoutValue: {
        code: "InvalidRequestException",
        message: "You can't rotate a secret that has no value.",
      },
      rotateWithUsedToken: {
        code: "ResourceExistsException",
        message: "A version with this ClientRequestToken already exists.",
      },
      cancelUnconfigured: {
        code: "InvalidRequestException",
        message: "Rotation is not configured for this secret.",
      },
      notScheduledForDeletion: {
        code: "InvalidRequestException",
        message: "The secret is not scheduled for deletion.",
      },
      forceWithWindow: {
        code: "InvalidParameterException",
        message: "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
      },
      hasReplicas: {
        code: "InvalidParameterException",
        message: "You can't delete secret {secret} that still has replica regions [{regions}]",
      },
      notAReplica: { code: "InvalidRequestException", message: "The secret is not a replica." },
      duplicateTag: {
        code: "InvalidParameterException",
        message: "You can't give the same tag key more than once.",
      },
      systemTag: {
        code: "InvalidParameterException",
        message: "Tag keys that begin with aws: are reserved for AWS.",
      },
      tooManyTags: { code: "InvalidParameterException", message: "A secret can have at most 50 tags." },
      badSchedule: { code: "InvalidParameterException" },
      badPolicy: { code: "MalformedPolicyDocumentException", message: "The resource policy is not valid JSON." },
      noPasswordCharacters: {
        code: "InvalidParameterException",
        message: "No characters are left for the password.",
      },
      passwordTooShort: {
        code: "InvalidParameterException",
        message: "Password length is too short based on the required types.",
      },
      badPage: { code: "InvalidNextTokenException", message: "The NextToken value is invalid." },
    },
    currentNotMovedMessage: "The rotation function ended without moving AWSCURRENT to the pending version.",
  };
}

/** The defaults with what the test sets; `unrecorded` may be given in part. */
export function knobsWith(set: KnobSettings = {}): Knobs {
  const { unrecorded, ...others } = set;
  const knobs = { ...defaultKnobs(), ...others };
  return { ...knobs, unrecorded: { ...knobs.unrecorded, ...unrecorded } };
}

export type KnobSettings = Partial<Omit<Knobs, "unrecorded">> & { unrecorded?: Partial<Knobs["unrecorded"]> };
