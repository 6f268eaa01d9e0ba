import { tokenMissing, unrecorded } from "./errors.ts";
import type { Knobs } from "./knobs.ts";

/** What a version holds. Binary is base64, as on the wire. */
export type SecretValue = { text: string } | { binary: string };

interface ValueInput {
  SecretString?: string | undefined;
  SecretBinary?: string | undefined;
}

/** The value of an input; undefined when it brings none. */
export function givenValue(
  { knobs }: { knobs: Pick<Knobs, "unrecorded"> },
  input: ValueInput,
): SecretValue | undefined {
  const { SecretString: text, SecretBinary: binary } = input;
  if (text !== undefined && binary !== undefined) throw unrecorded(knobs.unrecorded.bothValues);
  if (text !== undefined) return { text };
  return binary === undefined ? undefined : { binary };
}

/** The same where an operation is about a value. */
export function requiredValue({ knobs }: { knobs: Pick<Knobs, "unrecorded"> }, input: ValueInput): SecretValue {
  const value = givenValue({ knobs }, input);
  if (!value) throw unrecorded(knobs.unrecorded.noValue);
  return value;
}

/** The token that an operation with a value must bring. */
export function requiredToken(token: string | undefined): string {
  if (token === undefined) throw tokenMissing("InvalidRequestException");
  return token;
}

export function sameValue(a: SecretValue, b: SecretValue): boolean {
  return "text" in a ? "text" in b && a.text === b.text : "binary" in b && a.binary === b.binary;
}

/** The fields of an answer. */
export function valueOutput(value: SecretValue): { SecretString: string } | { SecretBinary: string } {
  return "text" in value ? { SecretString: value.text } : { SecretBinary: value.binary };
}
