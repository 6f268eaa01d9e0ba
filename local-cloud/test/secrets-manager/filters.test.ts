import { CreateSecretCommand, type Filter, ListSecretsCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, describe, expect, test } from "vitest";
import { WireAccount } from "./wire-account.ts";

const account = await WireAccount.start();
const client = account.client();
afterAll(() => account.stop());

const tagged = (Key: string, Value: string) => ({ Tags: [{ Key, Value }] });
const secrets: [name: string, more: object][] = [
  ["prod/AppBeta/x1", { Description: "one two" }],
  ["prod_AppBeta_x1", { Description: "One and then Two" }],
  ["prod+AppBeta+x1", { Description: "two" }],
  ["prod=AppBeta=x1", {}],
  ["prod.AppBeta.x1", tagged("team", "MailRoom")],
  ["prod@AppBeta@x1", tagged("Owner", "team")],
  ["prod-AppBeta/x1", {}],
  ["uat/COMPANY/x1", {}],
  ["uat/COMPANYthings/x1", {}],
];
for (const [Name, more] of secrets) await client.send(new CreateSecretCommand({ Name, SecretString: "s", ...more }));

async function found(...filters: [Filter["Key"], ...string[]][]): Promise<(string | undefined)[] | undefined> {
  const Filters = filters.map(([Key, ...Values]) => ({ Key, Values }));
  return (await client.send(new ListSecretsCommand({ Filters }))).SecretList?.map((secret) => secret.Name);
}
const names = (from: number, to = from + 1) => secrets.slice(from, to).map(([name]) => name);

describe("name", () => {
  test.each<[string[], string[]]>([
    [["prod/"], names(0)],
    [["PROD/"], []],
    [["AppBeta"], []],
    [
      ["uat/", "prod_"],
      [...names(1), ...names(7, 9)],
    ],
    [["!prod"], names(7, 9)],
  ])("%j is a prefix, in its case", async (values, expected) => {
    expect(await found(["name", ...values])).toEqual(expected);
  });
});

describe("description", () => {
  test.each<[string[], string[]]>([
    [["one two"], names(0, 2)],
    [["two one"], names(0, 2)],
    [["T O"], names(0, 2)],
    [["t"], names(0, 3)],
    [["wo"], []],
    [["one", "two"], names(0, 3)],
    [["!one"], names(2, 9)],
    [
      ["then", "!t"],
      [...names(1), ...names(3, 9)],
    ],
  ])("%j matches by the beginnings of words, in any order and case", async (values, expected) => {
    expect(await found(["description", ...values])).toEqual(expected);
  });
});

describe("all", () => {
  test.each<[string[], string[]]>([
    [["AppBeta"], names(0, 7)],
    [["Beta"], names(0, 7)],
    [["beta prod"], names(0, 7)],
    [["+"], []],
    [["x1"], names(0, 9)],
    [["company"], names(7)],
    [["Ythings"], names(8)],
    [["things"], []],
    [["N"], []],
    [["pany"], []],
    [["team"], names(4, 6)],
    [["room"], names(4)],
    [["MailRoom", "then"], [names(1), names(4)].flat()],
    // One attribute has all the words.
    [["prod two"], []],
  ])("%j matches by the beginnings of words, split at special characters and capitals", async (values, expected) => {
    expect(await found(["all", ...values])).toEqual(expected);
  });
});

test("tags match as prefixes, in their case", async () => {
  expect(await found(["tag-key", "te"])).toEqual(names(4));
  expect(await found(["tag-key", "TE"])).toEqual([]);
  expect(await found(["tag-value", "te", "Mail"])).toEqual(names(4, 6));
});

test("several filters must all match, also of the same key", async () => {
  expect(await found(["description", "one"], ["description", "two"])).toEqual(names(0, 2));
  expect(await found(["name", "prod"], ["tag-key", "team"])).toEqual(names(4));
});

test.each<[Filter, string]>([
  [{ Values: ["x"] }, "Invalid filter key"],
  [{ Key: "name" }, "Invalid filter values for key: name"],
])("the filter %j is refused", async (filter, message) => {
  await expect(client.send(new ListSecretsCommand({ Filters: [filter] }))).rejects.toMatchObject({
    name: "InvalidParameterException",
    message,
  });
});

test("an unknown key is refused where it stands", async () => {
  const Filters = [{ Key: "colour" as Filter["Key"], Values: ["red"] }];
  await expect(client.send(new ListSecretsCommand({ Filters }))).rejects.toMatchObject({
    name: "ValidationException",
    message: expect.stringMatching(/'filters\.1\.member\.key' .* must satisfy enum value set: \[description, name, /),
  });
});
