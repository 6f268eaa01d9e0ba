import type { AwsError } from "../../aws/service.ts";
import { type Context, checkKms, liveSecret, seconds, visibleState } from "../context.ts";
import { stageNotFound, stageNotOnVersion, unrecorded, versionNotFound } from "../errors.ts";
import { matchesFilters } from "../filters.ts";
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
  Errors?: { SecretId: string; ErrorCode: string; Message: string }[];
  NextToken?: string;
}

/** AWSCURRENT of up to 20 secrets; what can't be read is listed, not thrown. */
export function batchGetSecretValue(context: Context, input: Input<"BatchGetSecretValue">): BatchGetSecretValueOutput {
  const matching = () =>
    context.store
      .all()
      .filter((secret) => !secret.state.deletion && matchesFilters(context, secret, input.Filters ?? []))
      .map((secret) => secret.arn);
  const { items, NextToken } = page(context, input.SecretIdList ?? matching(), { MaxResults: 20, ...input });
  const output: BatchGetSecretValueOutput = { SecretValues: [], ...(NextToken === undefined ? {} : { NextToken }) };
  for (const SecretId of items) {
    try {
      output.SecretValues.push(getSecretValue(context, { SecretId }));
    } catch (error) {
      const { code, message } = error as AwsError;
      output.Errors = [...(output.Errors ?? []), { SecretId, ErrorCode: code, Message: message }];
    }
  }
  return output;
}
