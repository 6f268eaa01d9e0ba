import type { Sensitive } from "../src/ports/sensitive.ts";

/** A token of C2M's. Nothing in it shows the token's text by accident: `accessToken.reveal()` does. */
export interface Token {
  /** The token's text; printed, logged or put into JSON it is `[sensitive]`. */
  readonly accessToken: Sensitive;
  /** The id at C2M, for audits and support; undefined where C2M or the secret does not tell it. */
  readonly tokenId: string | undefined;
  /** What it may do; undefined where C2M or the secret does not tell it. */
  readonly scopes: readonly string[] | undefined;
  /** When it ends, in epoch ms; undefined where the secret holds nothing but a token. */
  readonly expiresAt: number | undefined;
  /** The C2M API that it is for; undefined: the source's `baseUrl`. */
  readonly baseUrl?: string | undefined;
}

/** A long-term token as the secret holds it. */
export interface LongTermToken extends Token {
  /** The version of the secret that it was read from. */
  readonly versionId: string | undefined;
}

/** A token of some minutes, made from the long-term one. */
export interface ShortTermToken extends Token {
  /** By this machine's clock, wrong or not, in epoch ms: when C2M answered, and the lifetime that it told. */
  readonly expiresAt: number;
}

/** What stands in the `Authorization` header. */
export function authorizationOf(token: Token): string {
  return `Bearer ${token.accessToken.reveal()}`;
}

/** C2M may know a token only moments after it was made: one that is rejected is tried once more after this, in ms. */
export const settleMs = 1_500;

/** Whether both have the same text, which is all that C2M goes by. */
export function isSame(one: Token, other: Token | undefined): other is Token {
  return other?.accessToken.equals(one.accessToken) === true;
}
