import { awsManagedKey, isAwsManaged } from "../arn.ts";
import { change } from "../changes.ts";
import { type Context, seconds, visibleState, writableSecret } from "../context.ts";
import { removeFromRequired, unrecorded } from "../errors.ts";
import { attach, current, detach, holderOf, labelCount, orderedStages } from "../labels.ts";
import { page } from "../paging.ts";
import type { SecretState, Version } from "../secret.ts";
import type { Input } from "../shapes.ts";

/** Moves one label to a version, or takes it off one. Whoever moves a label must name the version that has it. */
export function updateSecretVersionStage(
  context: Context,
  input: Input<"UpdateSecretVersionStage">,
): { ARN: string; Name: string } {
  const secret = writableSecret(context, input.SecretId);
  const target = checkedMove(context, secret.state, input);
  change(context, secret, "stage", (state) => {
    if (target) return attach(state, target, [input.VersionStage]);
    detach(state, input.VersionStage);
    return undefined;
  });
  return { ARN: secret.arn, Name: secret.name };
}

/** The version that gets the label; undefined when it is only taken off. Throws where AWS refuses. */
function checkedMove(
  context: Context,
  state: SecretState,
  input: Input<"UpdateSecretVersionStage">,
): Version | undefined {
  const { VersionStage: stage, MoveToVersionId: to, RemoveFromVersionId: from } = input;
  const texts = context.knobs.unrecorded;
  const holder = holderOf(state, stage);
  if (to === undefined && from === undefined) throw unrecorded(texts.moveNothing);
  const target = to === undefined ? undefined : state.versions.get(to);
  if (to !== undefined && !target) throw unrecorded(texts.unknownMoveTo, { version: to, stage });
  if (from === undefined && holder && holder !== target) throw removeFromRequired(stage, holder.id);
  if (from !== undefined && holder?.id !== from) throw unrecorded(texts.wrongRemoveFrom, { version: from, stage });
  if (stage === current) {
    if (!target) throw unrecorded(texts.currentToNowhere);
    if (!target.value && context.knobs.promoteEmptyVersion === "refuse") throw unrecorded(texts.promoteEmptyVersion);
  }
  if (target && !holder && labelCount(state) >= 20) throw unrecorded(texts.labelLimit);
  return target;
}

export interface ListSecretVersionIdsOutput {
  ARN: string;
  Name: string;
  Versions: {
    VersionId: string;
    VersionStages?: string[];
    CreatedDate: number;
    LastAccessedDate?: number;
    KmsKeyIds: string[];
  }[];
  NextToken?: string;
}

function keyShown(keyId = awsManagedKey): string {
  return isAwsManaged(keyId) ? "DefaultEncryptionKey" : keyId;
}

/** Labelled versions, or with IncludeDeprecated all of them. */
export function listSecretVersionIds(
  context: Context,
  input: Input<"ListSecretVersionIds">,
): ListSecretVersionIdsOutput {
  const secret = context.store.get(input.SecretId);
  const versions = [...visibleState(context, secret).versions.values()]
    .filter((version) => input.IncludeDeprecated || version.stages.size > 0)
    .filter((version) => version.value || context.knobs.listPlaceholder);
  const { items, ...rest } = page(context, versions, input);
  return {
    ARN: secret.arn,
    Name: secret.name,
    Versions: items.map((version) => ({
      VersionId: version.id,
      ...(version.stages.size > 0 ? { VersionStages: orderedStages(context, version) } : {}),
      CreatedDate: seconds(version.createdDate),
      ...(version.lastAccessedDate === undefined ? {} : { LastAccessedDate: seconds(version.lastAccessedDate) }),
      KmsKeyIds: [version.kmsKeyId, ...version.formerKmsKeyIds].map(keyShown),
    })),
    ...rest,
  };
}
