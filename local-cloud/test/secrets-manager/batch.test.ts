import {
  BatchGetSecretValueCommand,
  type BatchGetSecretValueCommandInput,
  CreateSecretCommand,
  DeleteSecretCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Caller } from "../../aws/service.ts";
import { accountId } from "./local-account.ts";
import { WireAccount } from "./wire-account.ts";

let account: WireAccount;
beforeEach(async () => {
  account = await WireAccount.start();
  for (const Name of ["app/one", "app/two", "other"]) {
    await account.client().send(new CreateSecretCommand({ Name, SecretString: `value of ${Name}` }));
  }
});
afterEach(() => account.stop());

const batch = (input: BatchGetSecretValueCommandInput, client = account.client()) =>
  client.send(new BatchGetSecretValueCommand(input));
const either = {
  name: "InvalidParameterException",
  message: "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
};

describe("BatchGetSecretValue is refused", () => {
  test.each<[string, BatchGetSecretValueCommandInput]>([
    ["without ids and filters", {}],
    ["with no filter in its filters", { Filters: [] }],
    ["with both", { SecretIdList: ["other"], Filters: [{ Key: "name", Values: ["app/"] }] }],
  ])("%s", async (_, input) => {
    await expect(batch(input)).rejects.toMatchObject(either);
  });

  test.each<[string, BatchGetSecretValueCommandInput]>([
    ["alone", { MaxResults: 5 }],
    ["beside ids", { MaxResults: 5, SecretIdList: ["other"] }],
  ])("with MaxResults %s", async (_, input) => {
    await expect(batch(input)).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
    });
  });
});

test("where all can be read, Errors is there and empty", async () => {
  const answer = await batch({ Filters: [{ Key: "name", Values: ["app/"] }] });
  expect(answer.SecretValues?.map((secret) => secret.SecretString)).toEqual(["value of app/one", "value of app/two"]);
  expect(answer.Errors).toEqual([]);
});

test("what can't be read is in Errors, beside what can", async () => {
  await account.client().send(new DeleteSecretCommand({ SecretId: "app/two" }));
  const answer = await batch({ SecretIdList: ["none", "app/two", "other"] });
  expect(answer.SecretValues?.map((secret) => secret.Name)).toEqual(["other"]);
  expect(answer.Errors).toMatchObject([
    { SecretId: "none", ErrorCode: "ResourceNotFoundException" },
    { SecretId: "app/two", ErrorCode: "InvalidRequestException" },
  ]);
});

test.each<[string, BatchGetSecretValueCommandInput]>([
  ["ids", { SecretIdList: ["app/one", "app/two", "other"] }],
  ["filters", { Filters: [{ Key: "all", Values: ["app", "other"] }] }],
])("by %s it gives a role only the values that GetSecretValue would", async (_, input) => {
  const arn = `arn:aws:iam::${accountId}:role/reader`;
  const caller: Caller = { kind: "role", accountId, roleName: "reader", arn: `${arn}/session` };
  const statement = (Action: string[], Resource: string) => ({ Effect: "Allow", Action, Resource });
  account.iam.createRole({
    name: "reader",
    arn,
    assumeRolePolicy: JSON.stringify({ Version: "2012-10-17", Statement: [] }),
  });
  const Statement = [
    statement(["secretsmanager:BatchGetSecretValue", "secretsmanager:ListSecrets"], "*"),
    statement(["secretsmanager:GetSecretValue"], "arn:aws:secretsmanager:*:*:secret:app/one-??????"),
  ];
  account.iam.putRolePolicy("reader", "read", JSON.stringify({ Version: "2012-10-17", Statement }));
  const answer = await batch(input, account.client(undefined, caller));
  expect(answer.SecretValues?.map((secret) => secret.Name)).toEqual(["app/one"]);
  expect(answer.Errors?.map((error) => error.ErrorCode)).toEqual(["AccessDeniedException", "AccessDeniedException"]);
});
