import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  type Tag,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WireAccount } from "./wire-account.ts";

const SecretId = "app/token";
let account: WireAccount;
let client: SecretsManagerClient;

beforeEach(async () => {
  account = await WireAccount.start();
  client = account.client();
  await client.send(new CreateSecretCommand({ Name: SecretId, SecretString: "one" }));
});
afterEach(() => account.stop());

const tagsShown = async () => (await client.send(new DescribeSecretCommand({ SecretId }))).Tags;
const tag = (Tags: Tag[]) => client.send(new TagResourceCommand({ SecretId, Tags }));
const tags = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ Key: `k${from + index}`, Value: "v" }));

describe("tags", () => {
  test("are an empty list when the last one is removed, and no field before the first", async () => {
    expect(await tagsShown()).toBeUndefined();
    await tag([{ Key: "team", Value: "mail" }]);
    await client.send(new UntagResourceCommand({ SecretId, TagKeys: ["team"] }));
    expect(await tagsShown()).toEqual([]);
    expect((await client.send(new ListSecretsCommand({}))).SecretList?.[0]?.Tags).toEqual([]);
  });

  const refused: [string, Tag[]][] = [
    ["the same key twice", [...tags(1), ...tags(1)]],
    ["a key that begins with aws:", [{ Key: "aws:owner", Value: "me" }]],
    ["a key that begins with AWS:", [{ Key: "AWS:owner", Value: "me" }]],
    ["51 of them", tags(51)],
  ];
  test.each(refused)("are refused: %s", async (_, given) => {
    await expect(tag(given)).rejects.toMatchObject({ name: "InvalidParameterException" });
    const create = new CreateSecretCommand({ Name: "new", Tags: given });
    await expect(client.send(create)).rejects.toMatchObject({ name: "InvalidParameterException" });
    expect(await tagsShown()).toBeUndefined();
    expect(account.engine.find("new")).toBeUndefined();
  });

  test("are at most 50 with those that are there; one that replaces another is none more", async () => {
    await tag(tags(50));
    await tag(tags(1));
    await expect(tag(tags(1, 50))).rejects.toMatchObject({ name: "InvalidParameterException" });
    expect(await tagsShown()).toHaveLength(50);
  });

  test("move LastChangedDate", async () => {
    await account.clock.advanceBy(60_000);
    await tag(tags(1));
    const described = await client.send(new DescribeSecretCommand({ SecretId }));
    expect(described.LastChangedDate).toEqual(new Date(account.clock.now()));
  });
});

describe("a recovery window", () => {
  test.each([6, 31, 0])("of %i days is refused, whatever else is asked", async (RecoveryWindowInDays) => {
    for (const more of [{}, { ForceDeleteWithoutRecovery: true }]) {
      const remove = new DeleteSecretCommand({ SecretId, RecoveryWindowInDays, ...more });
      await expect(client.send(remove)).rejects.toMatchObject({
        name: "InvalidParameterException",
        message: "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
      });
    }
    expect(account.value(SecretId)).toBe("one");
  });
});

describe("versions", () => {
  const versionIds = async () => {
    const ids: (string | undefined)[] = [];
    for (let NextToken: string | undefined; ; ) {
      const page = await client.send(new ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated: true, NextToken }));
      ids.push(...(page.Versions ?? []).map((version) => version.VersionId));
      NextToken = page.NextToken;
      if (NextToken === undefined) return ids;
    }
  };
  const put = (count: number) => client.send(new PutSecretValueCommand({ SecretId, SecretString: `value ${count}` }));

  test("are about 100: above that the oldest unlabelled ones go, none younger than a day", async () => {
    for (let count = 0; count < 99; count += 1) await put(count);
    const full = await versionIds();
    expect(full).toHaveLength(100);
    await expect(put(100)).rejects.toMatchObject({ name: "LimitExceededException" });
    await account.clock.advanceBy(24 * 3_600_000);
    const { VersionId } = await put(101);
    expect(await versionIds()).toEqual([...full.slice(1), VersionId]);
  });

  test("have 20 labels together, and a label has 256 characters", async () => {
    const [MoveToVersionId] = await versionIds();
    const label = (VersionStage: string) =>
      client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage, MoveToVersionId }));
    await expect(label("L".repeat(257))).rejects.toMatchObject({ name: "ValidationException" });
    for (let count = 0; count < 19; count += 1) await label(`${count}`.padStart(256, "L"));
    await expect(label("ONE-MORE")).rejects.toMatchObject({ name: "LimitExceededException" });
  });
});

test("lists can end with an empty NextToken, which then asks for the first page again", async () => {
  account.engine.knobs.lastPageToken = "empty";
  const first = await client.send(new ListSecretVersionIdsCommand({ SecretId }));
  expect(first).toMatchObject({ NextToken: "", Versions: [{ VersionStages: ["AWSCURRENT"] }] });
  const again = await client.send(new ListSecretVersionIdsCommand({ SecretId, NextToken: "" }));
  expect(again).toMatchObject({ NextToken: "", Versions: first.Versions });
  account.engine.knobs.lastPageToken = "absent";
  await expect(client.send(new ListSecretsCommand({ NextToken: "" }))).rejects.toMatchObject({
    name: "InvalidNextTokenException",
  });
});
