import { AwsError } from "../../aws/service.ts";
import { type Context, checkKms, liveSecret, seconds, visibleState } from "../context.ts";
import {
  idsOrFilters,
  maxResultsWithoutFilters,
  stageNotFound,
  stageNotOnVersion,
  unrecorded,
  versionNotFound,
} from "../errors.ts";
import { checkFilters, matchesFilters } from "../filters.ts";
import { current, holderOf, orderedStages } from "../labels.ts";
import { page } from "../paging.ts";
import type { SecretState, Version } from "../secret.ts";
import type { Input } from "../shapes.ts";
import { valueOutput } from "../value.ts";

export interface SecretValueOutput {
  ARN: string;
  Name: string;
  VersionId: string;
  SecretString?: string;
  SecretBinary?: string;
  VersionStages: string[];
  CreatedDate: number;
}

/** Reads one version: by id, by label, or AWSCURRENT. */
export function getSecretValue(context: Context, input: Input<"GetSecretValue">): SecretValueOutput {
  const secret = liveSecret(context, input.SecretId);
  const state = visibleState(context, secret);
  checkKms(context, "GetSecretValue", secret.arn);
  const version = findVersion(state, input);
  if (!version.value) {
    throw unrecorded(context.knobs.unrecorded.placeholderRead, { version: version.id, stage: input.VersionStage });
  }
  // AWS keeps it with the resolution of a day.
  const today = Math.floor(context.clock.now() / 86_400_000) * 86_400_000;
  secret.state.lastAccessedDate = today;
  const actual = secret.state.versions.get(version.id);
  if (actual) actual.lastAccessedDate = today;
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    ...valueOutput(version.value),
    VersionStages: orderedStages(context, version),
    CreatedDate: seconds(version.createdDate),
  };
}

function findVersion(state: SecretState, input: Input<"GetSecretValue">): Version {
  const { VersionId: id, VersionStage: stage } = input;
  if (id === undefined) {
    const holder = holderOf(state, stage ?? current);
    if (!holder) throw stageNotFound(stage ?? current);
    return holder;
  }
  const version = state.versions.get(id);
  if (!version) throw versionNotFound(id);
  if (stage !== undefined && !version.stages.has(stage)) throw stageNotOnVersion();
  return version;
}

export interface BatchGetSecretValueOutput {
  SecretValues: SecretValueOutput[];
  Errors: { SecretId: string; ErrorCode: string; Message: string }[];
  NextToken?: string;
}

/**
 * AWSCURRENT of up to 20 secrets, by their ids or by filters; what can't be read is listed, not thrown.
 *
 * `authorize` throws where the caller may not read a secret.
 */
export function batchGetSecretValue(
  context: Context,
  { SecretIdList: ids, Filters: filters = [], ...paging }: Input<"BatchGetSecretValue">,
  authorize: (secretId: string) => void = () => undefined,
): BatchGetSecretValueOutput {
  const filtered = filters.length > 0;
  if (paging.MaxResults !== undefined && !filtered) throw maxResultsWithoutFilters();
  if ((ids !== undefined) === filtered) throw idsOrFilters();
  checkFilters(filters);
  const matching = () =>
    context.store
      .all()
      .filter((secret) => !secret.state.deletion && matchesFilters(context, secret, filters))
      .map((secret) => secret.arn);
  const { items, ...next } = page(context, ids ?? matching(), { MaxResults: 20, ...paging });
  const output: BatchGetSecretValueOutput = { SecretValues: [], Errors: [], ...next };
  for (const SecretId of items) {
    try {
      authorize(SecretId);
      output.SecretValues.push(getSecretValue(context, { SecretId }));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      output.Errors.push({ SecretId, ErrorCode: error.code, Message: error.message });
    }
  }
  return output;
}
