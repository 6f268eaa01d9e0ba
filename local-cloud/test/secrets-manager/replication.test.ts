import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DeleteResourcePolicyCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RemoveRegionsFromReplicationCommand,
  type ReplicaRegionType,
  ReplicateSecretToRegionsCommand,
  RestoreSecretCommand,
  RotateSecretCommand,
  type SecretsManagerClient,
  StopReplicationToReplicaCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, describe, expect, test } from "vitest";
import type { KnobSettings } from "../../secrets-manager/knobs.ts";
import { LocalAccount, token } from "./local-account.ts";
import { WireAccount } from "./wire-account.ts";

const SecretId = "app/token";
const Region = "eu-west-1";
const open: WireAccount[] = [];
afterEach(async () => {
  for (const account of open.splice(0)) await account.stop();
});

/** A secret in us-east-1 and clients of both regions; replicated to eu-west-1 unless it is told not to. */
async function replicated(knobs: KnobSettings = {}, AddReplicaRegions: ReplicaRegionType[] = [{ Region }]) {
  const account = await WireAccount.start(knobs);
  open.push(account);
  const [primary, replica] = [account.client(), account.client(Region)];
  const create = { Name: SecretId, SecretString: "one", Tags: [{ Key: "team", Value: "mail" }], AddReplicaRegions };
  const { ARN = "" } = await primary.send(new CreateSecretCommand(create));
  return { account, primary, replica, ARN, replicaArn: ARN.replace("us-east-1", Region) };
}

const value = async (client: SecretsManagerClient, id = SecretId) =>
  (await client.send(new GetSecretValueCommand({ SecretId: id }))).SecretString;
const put = (client: SecretsManagerClient, SecretString: string) =>
  client.send(new PutSecretValueCommand({ SecretId, SecretString }));
const describeIn = (client: SecretsManagerClient) => client.send(new DescribeSecretCommand({ SecretId }));
const status = async (client: SecretsManagerClient) => (await describeIn(client)).ReplicationStatus;
const notFound = { name: "ResourceNotFoundException" };

describe("a replica", () => {
  test("is the same secret in its region: name, versions, labels, tags, and an ARN that differs in the region", async () => {
    const { primary, replica, replicaArn } = await replicated();
    const [here, there] = [await describeIn(primary), await describeIn(replica)];
    expect(there).toMatchObject({
      ARN: replicaArn,
      Name: SecretId,
      PrimaryRegion: "us-east-1",
      Tags: [{ Key: "team", Value: "mail" }],
      VersionIdsToStages: here.VersionIdsToStages,
    });
    expect(there).not.toHaveProperty("ReplicationStatus");
    expect(here).toMatchObject({
      PrimaryRegion: "us-east-1",
      ReplicationStatus: [{ Region, KmsKeyId: "alias/aws/secretsmanager", Status: "InSync" }],
    });
    expect(await value(replica, replicaArn)).toBe("one");
  });

  test("is found where it is, by its primary region", async () => {
    const { replica } = await replicated();
    const list = async (...Values: string[]) =>
      (await replica.send(new ListSecretsCommand({ Filters: [{ Key: "primary-region", Values }] }))).SecretList;
    expect(await list("us-east")).toHaveLength(1);
    expect(await list(Region)).toEqual([]);
  });

  test("follows a rotation, labels and all", async () => {
    const { account, primary, replica } = await replicated();
    account.rotate(SecretId, "second", { days: 30 });
    await account.service.idle();
    expect(await value(replica)).toBe(`value of ${token("second")}`);
    expect((await describeIn(replica)).VersionIdsToStages).toEqual((await describeIn(primary)).VersionIdsToStages);
    expect(await describeIn(replica)).not.toHaveProperty("RotationEnabled");
  });

  test("may have a key of its own", async () => {
    const { primary, replica } = await replicated({}, [{ Region, KmsKeyId: "alias/there" }]);
    expect((await describeIn(replica)).KmsKeyId).toBe("alias/there");
    expect(await describeIn(primary)).not.toHaveProperty("KmsKeyId");
  });

  const writes: [string, (client: SecretsManagerClient) => Promise<unknown>][] = [
    ["PutSecretValue", (client) => put(client, "two")],
    ["UpdateSecret", (client) => client.send(new UpdateSecretCommand({ SecretId, Description: "new" }))],
    ["TagResource", (client) => client.send(new TagResourceCommand({ SecretId, Tags: [{ Key: "a", Value: "b" }] }))],
    ["UntagResource", (client) => client.send(new UntagResourceCommand({ SecretId, TagKeys: ["team"] }))],
    ["DeleteSecret", (client) => client.send(new DeleteSecretCommand({ SecretId }))],
    [
      "DeleteSecret by force",
      (client) => client.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true })),
    ],
    ["RestoreSecret", (client) => client.send(new RestoreSecretCommand({ SecretId }))],
    ["RotateSecret", (client) => client.send(new RotateSecretCommand({ SecretId }))],
    ["CancelRotateSecret", (client) => client.send(new CancelRotateSecretCommand({ SecretId }))],
    ["DeleteResourcePolicy", (client) => client.send(new DeleteResourcePolicyCommand({ SecretId }))],
    [
      "UpdateSecretVersionStage",
      (client) => client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage: "MINE" })),
    ],
    [
      "ReplicateSecretToRegions",
      (client) =>
        client.send(new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions: [{ Region: "eu-north-1" }] })),
    ],
  ];
  test.each(writes)("refuses %s", async (_, write) => {
    const { replica } = await replicated();
    await expect(write(replica)).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
    });
    expect(await value(replica)).toBe("one");
  });
});

describe("what is not replicated", () => {
  test("is not seen from another region", async () => {
    const { replica, ARN } = await replicated({}, []);
    await expect(value(replica)).rejects.toMatchObject(notFound);
    await expect(value(replica, ARN)).rejects.toMatchObject(notFound);
  });
});

describe("a replica that lags", () => {
  test("is made late, and changes late: InProgress until then", async () => {
    const { account, primary, replica } = await replicated({ replicationLagMs: 10_000 });
    const states = async () => (await status(primary))?.map((each) => each.Status);
    expect(await states()).toEqual(["InProgress"]);
    await expect(value(replica)).rejects.toMatchObject(notFound);
    await account.clock.advanceBy(10_000);
    expect([await states(), await value(replica)]).toEqual([["InSync"], "one"]);
    await put(primary, "two");
    await account.clock.advanceBy(5_000);
    await put(primary, "three");
    await account.clock.advanceBy(5_000);
    expect([await states(), await value(replica)]).toEqual([["InProgress"], "two"]);
    await account.clock.advanceBy(5_000);
    expect([await states(), await value(replica)]).toEqual([["InSync"], "three"]);
  });

  test("for ever stays as it was", async () => {
    const { account, primary, replica } = await replicated();
    account.engine.knobs.replicationLagMs = Number.POSITIVE_INFINITY;
    await put(primary, "two");
    await account.clock.advanceBy(365 * 86_400_000);
    expect(await status(primary)).toMatchObject([{ Status: "InProgress" }]);
    expect(await value(replica)).toBe("one");
  });

  test("that was removed in the meantime is not made any more; one that is added again, in its own time", async () => {
    const { account, primary, replica } = await replicated({ replicationLagMs: 10_000 });
    await primary.send(new RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: [Region] }));
    await account.clock.advanceBy(5_000);
    await primary.send(new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions: [{ Region }] }));
    await account.clock.advanceBy(5_000);
    await expect(value(replica)).rejects.toMatchObject(notFound);
    await account.clock.advanceBy(5_000);
    expect(await value(replica)).toBe("one");
  });
});

describe("replication fails", () => {
  const replicate = (client: SecretsManagerClient, force = false) =>
    client.send(
      new ReplicateSecretToRegionsCommand({
        SecretId,
        AddReplicaRegions: [{ Region }],
        ForceOverwriteReplicaSecret: force,
      }),
    );
  const failed = {
    Region,
    Status: "Failed",
    StatusMessage: "Replication failed: Secret name app/token already exists in region eu-west-1.",
  };

  test("where a secret of that name is there, which stays; by force it goes", async () => {
    const { primary, replica } = await replicated({}, []);
    await replica.send(new CreateSecretCommand({ Name: SecretId, SecretString: "theirs" }));
    expect((await replicate(primary)).ReplicationStatus).toMatchObject([failed]);
    expect(await value(replica)).toBe("theirs");
    await put(primary, "two");
    expect(await status(primary)).toMatchObject([failed]);
    expect((await replicate(primary, true)).ReplicationStatus).toMatchObject([{ Status: "InSync" }]);
    expect(await value(replica)).toBe("two");
  });

  test("and a removal leaves that secret alone", async () => {
    const { primary, replica } = await replicated({}, []);
    await replica.send(new CreateSecretCommand({ Name: SecretId, SecretString: "theirs" }));
    await replicate(primary);
    await primary.send(new RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: [Region] }));
    expect(await value(replica)).toBe("theirs");
  });

  test("in the regions that a knob names, for good", async () => {
    const { account, primary, replica } = await replicated();
    account.engine.knobs.failedReplicaRegions = [Region];
    await put(primary, "two");
    expect(await status(primary)).toMatchObject([{ Status: "Failed" }]);
    expect(await value(replica)).toBe("one");
  });

  test.each([
    ["the secret's own region", [{ Region: "us-east-1" }]],
    ["what is no region", [{ Region: "nowhere" }]],
    ["a region twice", [{ Region }, { Region }]],
  ])("at once with %s", async (_, AddReplicaRegions) => {
    const { primary } = await replicated({}, []);
    const refused = { name: "InvalidParameterException", message: "Invalid replica region." };
    const add = new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions });
    await expect(primary.send(add)).rejects.toMatchObject(refused);
    const create = new CreateSecretCommand({ Name: "new", SecretString: "one", AddReplicaRegions });
    await expect(primary.send(create)).rejects.toMatchObject(refused);
    await expect(value(primary, "new")).rejects.toMatchObject(notFound);
  });
});

describe("a secret with replicas", () => {
  test("can be deleted when they are removed, which can be done again", async () => {
    const { primary, replica, ARN } = await replicated();
    for (const how of [{}, { ForceDeleteWithoutRecovery: true }]) {
      await expect(primary.send(new DeleteSecretCommand({ SecretId: ARN, ...how }))).rejects.toMatchObject({
        name: "InvalidParameterException",
        message: `You can't delete secret ${ARN} that still has replica regions [${Region}]`,
      });
    }
    const remove = new RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: [Region] });
    for (let time = 0; time < 2; time += 1) await primary.send(remove);
    expect(await describeIn(primary)).not.toHaveProperty("PrimaryRegion");
    await expect(value(replica)).rejects.toMatchObject(notFound);
    await primary.send(new DeleteSecretCommand({ SecretId }));
  });

  test("loses the replica that StopReplicationToReplica makes a secret of its own", async () => {
    const { primary, replica, replicaArn } = await replicated();
    expect(await replica.send(new StopReplicationToReplicaCommand({ SecretId }))).toMatchObject({ ARN: replicaArn });
    await put(replica, "theirs");
    await put(primary, "ours");
    expect([await value(primary), await value(replica)]).toEqual(["ours", "theirs"]);
    expect(await status(primary)).toBeUndefined();
    expect(await describeIn(replica)).not.toHaveProperty("PrimaryRegion");
    await expect(replica.send(new StopReplicationToReplicaCommand({ SecretId }))).rejects.toMatchObject({
      name: "InvalidRequestException",
    });
  });
});

test("replicas survive a restart, by way of JSON, and catch up", async () => {
  const { account, primary } = await replicated();
  account.engine.knobs.replicationLagMs = Number.POSITIVE_INFINITY;
  await put(primary, "two");
  const state = JSON.parse(JSON.stringify(account.service.save()));
  const next = new LocalAccount({}, state);
  const there = next.service.handle({
    operation: "GetSecretValue",
    input: { SecretId },
    caller: { kind: "administrator", accountId: "123456789012", arn: "" },
    region: Region,
    requestId: "request",
  });
  expect(await there).toMatchObject({ SecretString: "two" });
  expect(next.engine.describeSecret({ SecretId }).ReplicationStatus).toMatchObject([{ Status: "InSync" }]);
});
