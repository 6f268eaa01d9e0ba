import { optional, type Providers, text } from "./provider.ts";

interface Replica {
  region: string;
  kmsKeyId?: string;
}

export const secretsManagerProviders: Providers = {
  "aws:secretsmanager/secret:Secret": {
    create({ secretsManager, administrator }, { inputs, id }) {
      secretsManager.engine.createSecret(
        {
          Name: text(inputs, "name"),
          ClientRequestToken: crypto.randomUUID(),
          Tags: tagsOf(inputs),
          ...described(inputs),
          ...encrypted(inputs),
        },
        administrator,
        id.slice(-6),
      );
      replicate(secretsManager.engine, id, inputs);
    },
    update({ secretsManager: { engine }, administrator }, { inputs, id }) {
      engine.updateSecret(
        {
          SecretId: id,
          Description: "",
          ...described(inputs),
          ...encrypted(inputs),
          ClientRequestToken: crypto.randomUUID(),
        },
        administrator,
      );
      engine.tagResource({ SecretId: id, Tags: tagsOf(inputs) });
      removeReplicas(engine, id);
      replicate(engine, id, inputs);
    },
    delete({ secretsManager: { engine } }, { inputs, id }) {
      removeReplicas(engine, id);
      const days = optional<number>(inputs, "recoveryWindowInDays") ?? 30;
      const how = days === 0 ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: days };
      engine.deleteSecret({ SecretId: id, ...how });
    },
    read: ({ secretsManager: { engine } }, { id }) => describe(engine, id) && {},
  },
  "aws:secretsmanager/secretVersion:SecretVersion": {
    create({ secretsManager, administrator }, { inputs, outputs }) {
      secretsManager.engine.putSecretValue(
        {
          SecretId: text(inputs, "secretId"),
          ClientRequestToken: text(outputs, "versionId"),
          SecretString: text(inputs, "secretString"),
        },
        administrator,
      );
    },
    read({ secretsManager: { engine } }, { inputs, outputs }) {
      return describe(engine, text(inputs, "secretId"))?.VersionIdsToStages?.[text(outputs, "versionId")] && {};
    },
  },
  "aws:secretsmanager/secretPolicy:SecretPolicy": {
    create({ secretsManager }, { inputs }) {
      secretsManager.engine.putResourcePolicy({
        SecretId: text(inputs, "secretArn"),
        ResourcePolicy: text(inputs, "policy"),
        BlockPublicPolicy: optional<boolean>(inputs, "blockPublicPolicy") ?? false,
      });
    },
    delete({ secretsManager }, { inputs }) {
      secretsManager.engine.deleteResourcePolicy({ SecretId: text(inputs, "secretArn") });
    },
    read: ({ secretsManager: { engine } }, { inputs }) => describe(engine, text(inputs, "secretArn")) && {},
  },
  "aws:secretsmanager/secretRotation:SecretRotation": {
    async create({ secretsManager }, { inputs }) {
      const rules = inputs.rotationRules as Record<string, string | number>;
      const { scheduleExpression, duration, automaticallyAfterDays } = rules;
      secretsManager.engine.rotateSecret({
        SecretId: text(inputs, "secretId"),
        ClientRequestToken: crypto.randomUUID(),
        RotationLambdaARN: text(inputs, "rotationLambdaArn"),
        RotateImmediately: optional<boolean>(inputs, "rotateImmediately") ?? true,
        RotationRules: {
          ...(scheduleExpression === undefined ? {} : { ScheduleExpression: String(scheduleExpression) }),
          ...(duration === undefined ? {} : { Duration: String(duration) }),
          ...(automaticallyAfterDays === undefined ? {} : { AutomaticallyAfterDays: Number(automaticallyAfterDays) }),
        },
      });
      await secretsManager.idle();
    },
    delete({ secretsManager }, { inputs }) {
      secretsManager.engine.cancelRotateSecret({ SecretId: text(inputs, "secretId") });
    },
    read({ secretsManager: { engine } }, { inputs }) {
      const secret = describe(engine, text(inputs, "secretId"));
      return secret && { rotationEnabled: secret.RotationEnabled ?? false };
    },
  },
};

type Engine = Parameters<Providers[string]["create"]>[0]["secretsManager"]["engine"];
type Inputs = Record<string, unknown>;

/** The secret, as long as it is not marked for deletion: for the provider it is gone from then on. */
function describe(engine: Engine, id: string) {
  const secret = engine.find(id) && engine.describeSecret({ SecretId: id });
  return secret?.DeletedDate ? undefined : secret;
}

function described(inputs: Inputs) {
  const description = optional<string>(inputs, "description");
  return description === undefined ? {} : { Description: description };
}

function encrypted(inputs: Inputs) {
  const key = optional<string>(inputs, "kmsKeyId");
  return key === undefined ? {} : { KmsKeyId: key };
}

function tagsOf(inputs: Inputs) {
  const tags = optional<Record<string, string>>(inputs, "tags") ?? {};
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function replicate(engine: Engine, id: string, inputs: Inputs): void {
  const replicas = (optional<Replica[]>(inputs, "replicas") ?? []).map(({ region, kmsKeyId }) => ({
    Region: region,
    ...(kmsKeyId === undefined ? {} : { KmsKeyId: kmsKeyId }),
  }));
  if (replicas.length > 0) engine.replicateSecretToRegions({ SecretId: id, AddReplicaRegions: replicas });
}

// As the provider does it: a secret with replicas can't be deleted.
function removeReplicas(engine: Engine, id: string): void {
  const regions = engine.describeSecret({ SecretId: id }).ReplicationStatus?.map(({ Region }) => Region) ?? [];
  if (regions.length > 0) engine.removeRegionsFromReplication({ SecretId: id, RemoveReplicaRegions: regions });
}
