import {
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { secretValueOf } from "../formats/stored-token.ts";
import { PermanentError } from "../ports/errors.ts";
import type {
  ListedVersion,
  NewVersion,
  SecretDescription,
  SecretStore,
  StageMove,
  StoredVersion,
} from "../ports/secret-store.ts";
import { isNamed, storeFailure } from "./store-failures.ts";

/** The protocol's store on AWS Secrets Manager. */
export class SecretsManagerStore implements SecretStore {
  readonly #client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    this.#client = client;
  }

  async describe(secretId: string): Promise<SecretDescription> {
    const send = () => this.#client.send(new DescribeSecretCommand({ SecretId: secretId }));
    return descriptionOf(await called("DescribeSecret", send), secretId);
  }

  read(secretId: string, versionId: string): Promise<StoredVersion | undefined> {
    return this.#read({ SecretId: secretId, VersionId: versionId });
  }

  readCurrent(secretId: string): Promise<StoredVersion | undefined> {
    return this.#read({ SecretId: secretId });
  }

  async listVersions(secretId: string): Promise<ListedVersion[]> {
    const versions: ListedVersion[] = [];
    let next: string | undefined;
    do {
      const page = await called("ListSecretVersionIds", () =>
        this.#client.send(
          new ListSecretVersionIdsCommand({ SecretId: secretId, IncludeDeprecated: true, NextToken: next }),
        ),
      );
      for (const { VersionId, VersionStages, CreatedDate } of page.Versions ?? []) {
        if (VersionId === undefined) continue;
        versions.push({ versionId: VersionId, stages: VersionStages ?? [], createdAt: CreatedDate?.getTime() });
      }
      next = page.NextToken;
    } while (next !== undefined);
    return versions;
  }

  async put({ secretId, versionId, value, stages, rotationToken }: NewVersion): Promise<void> {
    const command = new PutSecretValueCommand({
      SecretId: secretId,
      ClientRequestToken: versionId,
      SecretString: value.reveal(),
      VersionStages: stages,
      RotationToken: rotationToken?.reveal(),
    });
    await called("PutSecretValue", () => this.#client.send(command), { writes: true });
  }

  async moveStage({ secretId, stage, toVersionId, fromVersionId }: StageMove): Promise<void> {
    const command = new UpdateSecretVersionStageCommand({
      SecretId: secretId,
      VersionStage: stage,
      MoveToVersionId: toVersionId,
      RemoveFromVersionId: fromVersionId,
    });
    try {
      await called("UpdateSecretVersionStage", () => this.#client.send(command), { writes: true });
    } catch (error) {
      // What AWS answers when the label is elsewhere is not documented; each of its refusals of the parameters means it.
      if (error instanceof PermanentError && (error.code === "store_invalid" || error.code === "secret_not_found")) {
        throw new PermanentError(
          "stage_conflict",
          `${stage} is not where it was seen: its labels were moved meanwhile.`,
          {
            cause: error,
          },
        );
      }
      throw error;
    }
  }

  async #read(input: { SecretId: string; VersionId?: string }): Promise<StoredVersion | undefined> {
    return await called("GetSecretValue", async () => {
      try {
        return versionOf(await this.#client.send(new GetSecretValueCommand(input)));
      } catch (error) {
        if (isNamed(error, "ResourceNotFoundException")) return undefined;
        throw error;
      }
    });
  }
}

async function called<Output>(
  operation: string,
  send: () => Promise<Output>,
  { writes } = { writes: false },
): Promise<Output> {
  try {
    return await send();
  } catch (error) {
    throw storeFailure(error, { operation, writes });
  }
}

function descriptionOf(output: DescribeSecretCommandOutput, secretId: string): SecretDescription {
  return {
    arn: output.ARN ?? secretId,
    name: output.Name ?? secretId,
    rotationEnabled: output.RotationEnabled === true,
    stages: new Map(Object.entries(output.VersionIdsToStages ?? {})),
    lastRotatedAt: output.LastRotatedDate?.getTime(),
    lastChangedAt: output.LastChangedDate?.getTime(),
    nextRotationAt: output.NextRotationDate?.getTime(),
    replicasInSync: (output.ReplicationStatus ?? []).every(({ Status }) => Status === "InSync"),
  };
}

function versionOf(output: GetSecretValueCommandOutput): StoredVersion | undefined {
  const value = secretValueOf(output);
  if (value === undefined || output.VersionId === undefined) return undefined;
  return { versionId: output.VersionId, stages: output.VersionStages ?? [], value };
}
