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
import { isUnsent } from "../ports/cause.ts";
import { PermanentError } from "../ports/errors.ts";
import type {
  ListedVersion,
  Move,
  NewVersion,
  Put,
  SecretDescription,
  SecretStore,
  StageMove,
  StoredVersion,
} from "../ports/secret-store.ts";
import { isNamed, storeFailure } from "./store-failures.ts";

/** The longest value that Secrets Manager takes. */
const mostBytes = 65_536;

/** Pages of versions read at the most: a secret has a hundred versions, and a page as many. */
const mostPages = 100;

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

  /** The version at AWSPREVIOUS; undefined where there is none. */
  readPrevious(secretId: string): Promise<StoredVersion | undefined> {
    return this.#read({ SecretId: secretId, VersionStage: "AWSPREVIOUS" });
  }

  async listVersions(secretId: string): Promise<ListedVersion[]> {
    const versions: ListedVersion[] = [];
    let next: string | undefined;
    const asked = new Set<string>();
    for (let pages = 0; pages < mostPages; pages += 1) {
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
      // The same pages for ever are no way on: an empty token, or one that was sent.
      if (!next || asked.has(next)) break;
      asked.add(next);
    }
    return versions;
  }

  async put({ secretId, versionId, value, stages, rotationToken }: NewVersion): Promise<Put> {
    const bytes = Buffer.byteLength(value.reveal());
    if (bytes > mostBytes) {
      throw new PermanentError(
        "store_limit",
        `PutSecretValue: the value has ${bytes} bytes, and Secrets Manager takes ${mostBytes} at most. Remove fields that somebody added to the secret's value: they are carried over.`,
      );
    }
    const command = new PutSecretValueCommand({
      SecretId: secretId,
      ClientRequestToken: versionId,
      SecretString: value.reveal(),
      VersionStages: stages,
      RotationToken: rotationToken?.reveal(),
    });
    const attempts = watchAttempts(command);
    return await called(
      "PutSecretValue",
      async () => {
        try {
          await this.#client.send(command);
          return "stored";
        } catch (error) {
          if (isNamed(error, "ResourceExistsException")) return "taken";
          throw error;
        }
      },
      { writes: true, attempts },
    );
  }

  async moveStage({ secretId, stage, toVersionId, fromVersionId }: StageMove): Promise<Move> {
    const command = new UpdateSecretVersionStageCommand({
      SecretId: secretId,
      VersionStage: stage,
      MoveToVersionId: toVersionId,
      RemoveFromVersionId: fromVersionId,
    });
    const attempts = watchAttempts(command);
    try {
      await called("UpdateSecretVersionStage", () => this.#client.send(command), { writes: true, attempts });
      return "moved";
    } catch (error) {
      // What AWS answers when the label is elsewhere is not documented; each of its refusals of the parameters means it.
      if (error instanceof PermanentError && (error.code === "store_invalid" || error.code === "secret_not_found")) {
        return "elsewhere";
      }
      throw error;
    }
  }

  async #read(input: {
    SecretId: string;
    VersionId?: string;
    VersionStage?: string;
  }): Promise<StoredVersion | undefined> {
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
  { writes, attempts }: { writes: boolean; attempts?: Attempts } = { writes: false },
): Promise<Output> {
  try {
    return await send();
  } catch (error) {
    const isUnsent = attempts !== undefined && attempts.made > 0 && attempts.made === attempts.unsent;
    throw storeFailure(error, { operation, writes, ...(isUnsent && { isUnsent }) });
  }
}

/** The SDK repeats by itself, and tells the last error only: one before it may have been sent. */
interface Attempts {
  made: number;
  unsent: number;
}

function watchAttempts(command: PutSecretValueCommand | UpdateSecretVersionStageCommand): Attempts {
  const attempts: Attempts = { made: 0, unsent: 0 };
  (command as PutSecretValueCommand).middlewareStack.add(
    (next) => async (request) => {
      attempts.made += 1;
      try {
        return await next(request);
      } catch (error) {
        if (isUnsent(error)) attempts.unsent += 1;
        throw error;
      }
    },
    // Within the SDK's own repeating, which is of the same step and a higher priority.
    { step: "finalizeRequest", priority: "low", name: "watchAttempts" },
  );
  return attempts;
}

function descriptionOf(output: DescribeSecretCommandOutput, secretId: string): SecretDescription {
  const replicas = output.ReplicationStatus ?? [];
  return {
    arn: output.ARN ?? secretId,
    name: output.Name ?? secretId,
    rotationEnabled: output.RotationEnabled === true,
    stages: new Map(Object.entries(output.VersionIdsToStages ?? {})),
    lastRotatedAt: output.LastRotatedDate?.getTime(),
    lastChangedAt: output.LastChangedDate?.getTime(),
    nextRotationAt: output.NextRotationDate?.getTime(),
    replicasInSync: replicas.every(({ Status }) => Status === "InSync"),
    isReplicated: replicas.length > 0,
  };
}

function versionOf(output: GetSecretValueCommandOutput): StoredVersion | undefined {
  const value = secretValueOf(output);
  if (value === undefined || output.VersionId === undefined) return undefined;
  const { VersionId: versionId, VersionStages: stages = [], CreatedDate } = output;
  return { versionId, stages, value, ...(CreatedDate ? { createdAt: CreatedDate.getTime() } : {}) };
}
