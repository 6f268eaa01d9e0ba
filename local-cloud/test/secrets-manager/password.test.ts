import { GetRandomPasswordCommand, type GetRandomPasswordCommandInput } from "@aws-sdk/client-secrets-manager";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { WireAccount } from "./wire-account.ts";

const account = await WireAccount.start();
const client = account.client();
afterAll(() => account.stop());

const password = async (input: GetRandomPasswordCommandInput = {}) =>
  (await client.send(new GetRandomPasswordCommand(input))).RandomPassword ?? "";

const types = { lower: /[a-z]/, upper: /[A-Z]/, digit: /[0-9]/, punctuation: /[!-/:-@[-`{-~]/, space: / / };

test("has 32 characters of all four types by default, never the same twice", async () => {
  const made = await password();
  expect(made).toHaveLength(32);
  const { space, ...included } = types;
  for (const type of Object.values(included)) expect(made).toMatch(type);
  expect(made).not.toMatch(space);
  expect(await password()).not.toBe(made);
});

test("has what was asked for, each included type at least once, whatever the options", () => {
  const flag = fc.option(fc.boolean(), { nil: undefined });
  const options = fc.record({
    PasswordLength: fc.integer({ min: 5, max: 60 }),
    ExcludeNumbers: flag,
    ExcludePunctuation: flag,
    ExcludeUppercase: flag,
    IncludeSpace: flag,
    ExcludeCharacters: fc.string({ maxLength: 20 }),
  });
  fc.assert(
    fc.property(options, (input) => {
      const made = account.engine.getRandomPassword(input).RandomPassword;
      expect(made).toHaveLength(input.PasswordLength);
      expect([...made].filter((character) => input.ExcludeCharacters.includes(character))).toEqual([]);
      const has = (type: RegExp) => type.test(made);
      expect(has(types.lower)).toBe(true);
      expect(has(types.upper)).toBe(!input.ExcludeUppercase);
      if (input.ExcludeNumbers) expect(has(types.digit)).toBe(false);
      if (input.ExcludePunctuation) expect(has(types.punctuation)).toBe(false);
      if (!input.IncludeSpace) expect(has(types.space)).toBe(false);
    }),
  );
});

test("may have spaces, and need not have one", async () => {
  const none = { ExcludeLowercase: true, ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true };
  expect(await password({ ...none, IncludeSpace: true, PasswordLength: 8 })).toBe(" ".repeat(8));
  expect(await password({ IncludeSpace: true, PasswordLength: 4 })).toHaveLength(4);
});

test("may leave types out where it is told so", async () => {
  expect(await password({ PasswordLength: 1, RequireEachIncludedType: false })).toHaveLength(1);
  await expect(password({ PasswordLength: 3 })).rejects.toMatchObject({
    name: "InvalidParameterException",
    message: "Password length is too short based on the required types.",
  });
  expect(await password({ PasswordLength: 4096 })).toHaveLength(4096);
});

test.each<[string, string, GetRandomPasswordCommandInput]>([
  ["length 0", "ValidationException", { PasswordLength: 0 }],
  ["length 4097", "ValidationException", { PasswordLength: 4097 }],
  [
    "nothing left",
    "InvalidParameterException",
    { ExcludeLowercase: true, ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true },
  ],
])("%s is refused with %s", async (_, name, input) => {
  await expect(password(input)).rejects.toMatchObject({ name });
});
