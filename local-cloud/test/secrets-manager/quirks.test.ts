import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, expect, test } from "vitest";
import { token } from "./local-account.ts";
import { WireAccount } from "./wire-account.ts";

const SecretId = "app/token";
let account: WireAccount;
let client: SecretsManagerClient;

beforeEach(async () => {
  account = await WireAccount.start();
  client = account.client();
  const create = { Name: SecretId, ClientRequestToken: token("first"), SecretString: "one" };
  await client.send(new CreateSecretCommand(create));
});
afterEach(() => account.stop());

const put = (version: string) =>
  client.send(new PutSecretValueCommand({ SecretId, ClientRequestToken: token(version), SecretString: version }));
const read = (version?: string) =>
  client.send(new GetSecretValueCommand({ SecretId, ...(version && { VersionId: token(version) }) }));
const notFound = { name: "ResourceNotFoundException" };

test("a rotation that has made nothing yet leaves a version with a label and no value", async () => {
  account.step = () => {
    throw new Error("the function fails");
  };
  account.rotate(SecretId, "second");
  await account.service.idle();
  const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId }));
  expect(VersionIdsToStages?.[token("second")]).toEqual(["AWSPENDING"]);
  await expect(read("second")).rejects.toMatchObject(notFound);
  expect((await read()).SecretString).toBe("one");
});

test("what was written can be unseen for a while, by each operation that reads", async () => {
  await account.clock.advanceBy(60_000);
  account.engine.knobs.visibilityDelayMs = 5_000;
  await put("second");
  expect((await read()).SecretString).toBe("one");
  await expect(read("second")).rejects.toMatchObject(notFound);
  const versions = await client.send(new ListSecretVersionIdsCommand({ SecretId }));
  expect(versions.Versions?.map((version) => version.VersionId)).toEqual([token("first")]);
  await account.clock.advanceBy(5_000);
  expect((await read()).SecretString).toBe("second");
});

test("a version without a label can be gone after a day, and its id can be used again", async () => {
  account.engine.knobs.versionLimit = 3;
  for (const version of ["second", "third"]) await put(version);
  expect((await read("first")).SecretString).toBe("one");
  await account.clock.advanceBy(86_400_000);
  await put("fourth");
  await expect(read("first")).rejects.toMatchObject(notFound);
  expect((await put("first")).VersionStages).toEqual(["AWSCURRENT"]);
});
