import {
  CreateSecretCommand,
  DeleteResourcePolicyCommand,
  GetResourcePolicyCommand,
  PutResourcePolicyCommand,
  type SecretsManagerClient,
  ValidateResourcePolicyCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accountId } from "./local-account.ts";
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

/** A policy of one statement: an Allow for the account to read, with what the test changes; undefined takes a field away. */
const policy = (change: Record<string, unknown> = {}) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: "secretsmanager:GetSecretValue",
      Resource: "*",
      ...change,
    },
  });
const put = (ResourcePolicy: string, BlockPublicPolicy?: boolean) =>
  client.send(new PutResourcePolicyCommand({ SecretId, ResourcePolicy, BlockPublicPolicy }));
const stored = async () => (await client.send(new GetResourcePolicyCommand({ SecretId }))).ResourcePolicy;
const validate = (ResourcePolicy: string, secretId?: string) =>
  client.send(new ValidateResourcePolicyCommand({ ResourcePolicy, SecretId: secretId }));

const malformed: [string, string][] = [
  ["no JSON", "{"],
  ["no policy", "{}"],
  ["no Resource", policy({ Resource: undefined })],
  ["no Principal", policy({ Principal: undefined })],
  ["a role of this account that is not there", policy({ Principal: { AWS: `arn:aws:iam::${accountId}:role/gone` } })],
  ["a principal that is none", policy({ Principal: { AWS: "somebody" } })],
  ["an effect that is none", policy({ Effect: "Perhaps" })],
];
const everybody: [string, string][] = [
  ["everybody", policy({ Principal: "*" })],
  ["everybody of AWS", policy({ Principal: { AWS: ["*"] } })],
  [
    "everybody but those of an account",
    policy({ Principal: "*", Condition: { StringNotEquals: { "aws:SourceAccount": accountId } } }),
  ],
];
const narrowed = policy({ Principal: "*", Condition: { StringEquals: { "aws:PrincipalAccount": accountId } } });

describe("PutResourcePolicy", () => {
  test.each(malformed)("with %s is refused, and the policy before stays", async (_, document) => {
    await put(policy());
    await expect(put(document)).rejects.toMatchObject({ name: "MalformedPolicyDocumentException" });
    expect(await stored()).toBe(policy());
  });

  test.each(everybody)("with BlockPublicPolicy refuses %s, and takes it without", async (_, document) => {
    await expect(put(document, true)).rejects.toMatchObject({ name: "PublicPolicyException" });
    expect(await stored()).toBeUndefined();
    await put(document);
    expect(await stored()).toBe(document);
  });

  test("with BlockPublicPolicy takes what a condition narrows down", async () => {
    await put(narrowed, true);
    expect(await stored()).toBe(narrowed);
    await client.send(new DeleteResourcePolicyCommand({ SecretId }));
    expect(await stored()).toBeUndefined();
  });

  test("has room for 20,480 characters", async () => {
    const fits = policy({ Sid: "S".repeat(20_480 - policy({ Sid: "" }).length) });
    await put(fits);
    await expect(put(fits.replace("SSS", "SSSS"))).rejects.toMatchObject({ name: "ValidationException" });
  });
});

describe("ValidateResourcePolicy", () => {
  test("passes what PutResourcePolicy would take, for a secret or none, and stores nothing", async () => {
    for (const secretId of [undefined, SecretId]) {
      expect(await validate(policy(), secretId)).toMatchObject({ PolicyValidationPassed: true, ValidationErrors: [] });
    }
    expect(await stored()).toBeUndefined();
  });

  test.each(everybody)("does not pass %s", async (_, document) => {
    const answer = await validate(document);
    expect(answer.PolicyValidationPassed).toBe(false);
    expect(answer.ValidationErrors).toHaveLength(1);
  });

  test.each(malformed)("refuses %s", async (_, document) => {
    await expect(validate(document)).rejects.toMatchObject({ name: "MalformedPolicyDocumentException" });
  });

  test("refuses a secret that is not there", async () => {
    await expect(validate(policy(), "none")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});
