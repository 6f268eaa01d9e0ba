import type { LocalCloud } from "../../cloud.ts";
import { optional, type ProvidedResource, type Providers, tagsOf, text, unlessGone } from "./provider.ts";

interface Replica {
  region: string;
  kmsKeyId?: string;
}

type Engine = LocalCloud["secretsManager"]["engine"];
type Inputs = ProvidedResource["inputs"];

export const secretsManagerProviders: Providers = {
  "aws:secretsmanager/secret:Secret": {
    replacedBy: ["name", "namePrefix"],
    create({ secretsManager: { engine }, administrator }, { inputs, id }) {
      engine.createSecret(
        {
          Name: text(inputs, "name"),
          ClientRequestToken: crypto.randomUUID(),
          Tags: wireTags(tagsOf(inputs)),
          ...described(inputs),
          ...encrypted(inputs),
        },
        administrator,
        id.slice(-6),
      );
      replicate(engine, id, inputs);
    },
    update({ secretsManager: { engine }, administrator }, { inputs, id }) {
      const now = readSecret(engine, id);
      const Description = optional<string>(inputs, "description") ?? "";
      const key = optional<string>(inputs, "kmsKeyId");
      // A key that is left out is not sent: the secret keeps the one that it has. Source: terraform-provider-aws, secret.go.
      if (Description !== (now?.description ?? "") || (key !== undefined && key !== now?.kmsKeyId)) {
        const changes = { Description, ...encrypted(inputs), ClientRequestToken: crypto.randomUUID() };
        engine.updateSecret({ SecretId: id, ...changes }, administrator);
      }
      retag(engine, id, now?.tags ?? {}, tagsOf(inputs));
      const replicas = optional<Replica[]>(inputs, "replicas") ?? [];
      if (same(now?.replicas ?? [], replicas)) return;
      removeReplicas(engine, id);
      replicate(engine, id, inputs);
    },
    async delete({ secretsManager: { engine } }, { inputs, id }) {
      const days = optional<number>(inputs, "recoveryWindowInDays") ?? 30;
      const how = days === 0 ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: days };
      await unlessGone("ResourceNotFoundException", () => {
        removeReplicas(engine, id);
        engine.deleteSecret({ SecretId: id, ...how });
      });
    },
    read: ({ secretsManager: { engine } }, { id }) => readSecret(engine, id),
  },
  "aws:secretsmanager/secretVersion:SecretVersion": {
    replacedBy: ["secretId", "secretString", "secretBinary"],
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
    // The provider takes off the labels that it knows of, and AWSCURRENT can't be taken off: one that has been replaced
    // keeps AWSPREVIOUS. Source: terraform-provider-aws, secret_version.go.
    read({ secretsManager: { engine } }, { inputs, outputs }) {
      const isThere = describe(engine, text(inputs, "secretId"));
      const version = engine
        .listSecretVersionIds({ SecretId: isThere ? text(inputs, "secretId") : "none", IncludeDeprecated: true })
        .Versions.find(({ VersionId }) => VersionId === outputs.versionId);
      return version && {};
    },
  },
  "aws:secretsmanager/secretPolicy:SecretPolicy": {
    replacedBy: ["secretArn"],
    create: putPolicy,
    update: putPolicy,
    delete: ({ secretsManager: { engine } }, { inputs }) =>
      unlessGone("ResourceNotFoundException", () => {
        if (describe(engine, text(inputs, "secretArn")))
          engine.deleteResourcePolicy({ SecretId: text(inputs, "secretArn") });
      }),
    read({ secretsManager: { engine } }, { inputs }) {
      if (!describe(engine, text(inputs, "secretArn"))) return undefined;
      const { ResourcePolicy: policy } = engine.getResourcePolicy({ SecretId: text(inputs, "secretArn") });
      return policy === undefined ? undefined : { policy };
    },
  },
  "aws:secretsmanager/secretRotation:SecretRotation": {
    replacedBy: ["secretId"],
    create: rotate,
    update: rotate,
    delete({ secretsManager: { engine } }, { inputs }) {
      if (describe(engine, text(inputs, "secretId"))) engine.cancelRotateSecret({ SecretId: text(inputs, "secretId") });
    },
    read({ secretsManager: { engine } }, { inputs }) {
      const secret = describe(engine, text(inputs, "secretId"));
      if (!secret?.RotationEnabled) return secret && { rotationLambdaArn: "", rotationRules: {} };
      const { ScheduleExpression, Duration, AutomaticallyAfterDays } = secret.RotationRules ?? {};
      const rules = inputs.rotationRules as Record<string, unknown>;
      return {
        rotationLambdaArn: secret.RotationLambdaARN,
        rotationRules: {
          ...(ScheduleExpression === undefined ? {} : { scheduleExpression: ScheduleExpression }),
          ...(rules.duration === undefined && Duration === undefined ? {} : { duration: Duration }),
          ...(ScheduleExpression === undefined ? { automaticallyAfterDays: AutomaticallyAfterDays } : {}),
        },
      };
    },
  },
};

const defaultKey = "alias/aws/secretsmanager";

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

/** A secret in the form of its inputs. */
function readSecret(engine: Engine, id: string) {
  const secret = describe(engine, id);
  if (!secret) return undefined;
  const { Description, KmsKeyId, Tags = [], ReplicationStatus } = secret;
  return {
    description: Description,
    kmsKeyId: KmsKeyId,
    tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])),
    ...(ReplicationStatus && {
      replicas: ReplicationStatus.map(({ Region, KmsKeyId: key }) => ({
        ...(key === defaultKey ? {} : { kmsKeyId: key }),
        region: Region,
      })),
    }),
  };
}

function retag(engine: Engine, id: string, before: Record<string, string>, after: Record<string, string>): void {
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
  if (gone.length > 0) engine.untagResource({ SecretId: id, TagKeys: gone });
  const changed = Object.entries(after).filter(([key, value]) => before[key] !== value);
  if (changed.length > 0) engine.tagResource({ SecretId: id, Tags: wireTags(Object.fromEntries(changed)) });
}

function putPolicy({ secretsManager }: LocalCloud, { inputs }: ProvidedResource): void {
  secretsManager.engine.putResourcePolicy({
    SecretId: text(inputs, "secretArn"),
    ResourcePolicy: text(inputs, "policy"),
    BlockPublicPolicy: optional<boolean>(inputs, "blockPublicPolicy") ?? false,
  });
}

async function rotate({ secretsManager }: LocalCloud, { inputs }: ProvidedResource): Promise<void> {
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
}

function wireTags(tags: Record<string, string>) {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Whether two values say the same, in whatever order their keys and entries stand. */
function same(one: unknown, other: unknown): boolean {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((entry) => JSON.stringify(sorted(entry))).sort();
    if (typeof value !== "object" || value === null) return value;
    return Object.entries(value)
      .map(([key, entry]) => [key, sorted(entry)])
      .sort();
  };
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
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
  const regions = describe(engine, id)?.ReplicationStatus?.map(({ Region }) => Region) ?? [];
  if (regions.length > 0) engine.removeRegionsFromReplication({ SecretId: id, RemoveReplicaRegions: regions });
}
