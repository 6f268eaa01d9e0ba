import { AwsError } from "../aws/service.ts";
import type { UnrecordedError } from "./knobs.ts";

/** The errors whose code and text were recorded from AWS or stand in its documentation. Secret values never appear in them. */

export const secretNotFound = () =>
  new AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");

export const stageNotFound = (stage: string) =>
  new AwsError(
    "ResourceNotFoundException",
    `Secrets Manager can't find the specified secret value for staging label: ${stage}`,
  );

export const versionNotFound = (versionId: string) =>
  new AwsError(
    "ResourceNotFoundException",
    `Secrets Manager can't find the specified secret value for VersionId: ${versionId}`,
  );

export const stageNotOnVersion = () =>
  new AwsError(
    "InvalidRequestException",
    "You provided a VersionStage that is not associated to the provided VersionId.",
  );

export const badName = () =>
  new AwsError(
    "ValidationException",
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
  );

export const nameTaken = (name: string) =>
  new AwsError("ResourceExistsException", `The operation failed because the secret ${name} already exists.`);

export const nameScheduledForDeletion = () =>
  new AwsError(
    "InvalidRequestException",
    "You can't create this secret because a secret with this name is already scheduled for deletion.",
  );

export const tokenInUse = (token: string, arn: string) =>
  new AwsError(
    "ResourceExistsException",
    `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${arn}.`,
  );

export const markedForDeletion = () =>
  new AwsError(
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was marked for deletion.",
  );

export const removeFromRequired = (stage: string, holder: string) =>
  new AwsError(
    "InvalidParameterException",
    `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
  );

export const tokenMissing = (code: "InvalidParameterException" | "InvalidRequestException") =>
  new AwsError(code, "You must provide a ClientRequestToken value. We recommend a UUID-type value.");

export const noRotationFunction = () =>
  new AwsError("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.");

export const functionNotInvokable = () =>
  new AwsError(
    "AccessDeniedException",
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.",
  );

export const recoveryWindowOutOfRange = () =>
  new AwsError(
    "InvalidParameterException",
    "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
  );

export const idsOrFilters = () =>
  new AwsError("InvalidParameterException", "Either 'SecretIdList' or 'Filters' must be provided, but not both.");

export const maxResultsWithoutFilters = () =>
  new AwsError(
    "InvalidParameterException",
    "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
  );

export const filterWithoutKey = () => new AwsError("InvalidParameterException", "Invalid filter key");

export const filterWithoutValues = (key: string) =>
  new AwsError("InvalidParameterException", `Invalid filter values for key: ${key}`);

export const notOnReplica = () =>
  new AwsError(
    "InvalidParameterException",
    "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
  );

export const invalidReplicaRegion = () => new AwsError("InvalidParameterException", "Invalid replica region.");

export const kmsRefused = () => new AwsError("AccessDeniedException", "Access to KMS is not allowed");

/** Sources differ in the apostrophe; nobody should match on it. */
export const rotationInProgress = (apostrophe: "'" | "’") =>
  new AwsError(
    "InvalidRequestException",
    `A previous rotation isn${apostrophe}t complete. That rotation will be reattempted.`,
  );

/** An error whose text is a knob, with `{stage}` and `{version}` filled in. */
export function unrecorded(error: UnrecordedError, words: Record<string, string | undefined> = {}): AwsError {
  return new AwsError(
    error.code,
    error.message.replace(/\{(\w+)\}/g, (_, word: string) => words[word] ?? ""),
  );
}
