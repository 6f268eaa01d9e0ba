import { randomInt } from "node:crypto";
import type { Context } from "../context.ts";
import { unrecorded } from "../errors.ts";
import type { Input } from "../shapes.ts";

const lowercase = "abcdefghijklmnopqrstuvwxyz";
const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/**
 * A password of 32 characters unless told otherwise, of letters, digits and punctuation, with spaces only on request. Of the first
 * four types each that is included comes once at least, unless RequireEachIncludedType is false; a space need not come. A type that has lost
 * all its characters is not included.
 */
export function getRandomPassword(
  { knobs }: Pick<Context, "knobs">,
  input: Input<"GetRandomPassword">,
): { RandomPassword: string } {
  const excluded = input.ExcludeCharacters ?? "";
  const allowed = (characters: string) => [...characters].filter((character) => !excluded.includes(character));
  const types = [
    input.ExcludeLowercase ? "" : lowercase,
    input.ExcludeUppercase ? "" : lowercase.toUpperCase(),
    input.ExcludeNumbers ? "" : "0123456789",
    input.ExcludePunctuation ? "" : punctuation,
  ]
    .map(allowed)
    .filter((characters) => characters.length > 0);
  const required = input.RequireEachIncludedType === false ? [] : types;
  const { PasswordLength: length = 32 } = input;
  const all = [...types.flat(), ...allowed(input.IncludeSpace ? " " : "")];
  if (all.length === 0) throw unrecorded(knobs.unrecorded.noPasswordCharacters);
  if (length < required.length) throw unrecorded(knobs.unrecorded.passwordTooShort);
  const password = required.map(oneOf);
  while (password.length < length) password.push(oneOf(all));
  return { RandomPassword: shuffled(password).join("") };
}

function oneOf(characters: readonly string[]): string {
  return characters[randomInt(characters.length)] ?? "";
}

function shuffled(characters: string[]): string[] {
  for (let last = characters.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [characters[last], characters[other]] = [characters[other] ?? "", characters[last] ?? ""];
  }
  return characters;
}
