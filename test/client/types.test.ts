import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expectTypeOf, it } from "vitest";
import {
  type C2mFetch,
  createC2mFetch,
  type createTokenSource,
  type LongTermToken,
  type SecretsManager,
  type ShortTermToken,
  type Token,
  type TokenSource,
  type TokenSourceOptions,
} from "../../client/index.ts";

declare const tokens: TokenSource;

it("an SDK client is a SecretsManager", () => {
  expectTypeOf<SecretsManagerClient>().toExtend<SecretsManager>();
});

it("only the secret's id is required of a source", () => {
  expectTypeOf<{ secretId: string }>().toExtend<TokenSourceOptions>();
  // @ts-expect-error a source needs a secret
  const options: TokenSourceOptions = {};
  // @ts-expect-error an option that does not exist
  const misspelt: TokenSourceOptions = { secretId: "s", maxAge: 5 };
  expectTypeOf([options, misspelt]).toBeArray();
  expectTypeOf<typeof createTokenSource>().returns.toEqualTypeOf<TokenSource>();
});

it("a token's text can't be taken for a text", () => {
  expectTypeOf<Token["accessToken"]>().not.toExtend<string>();
  expectTypeOf<ReturnType<Token["accessToken"]["reveal"]>>().toEqualTypeOf<string>();
});

it("a short-term token always has an end, a long-term one may have none", () => {
  expectTypeOf<ShortTermToken["expiresAt"]>().toEqualTypeOf<number>();
  expectTypeOf<LongTermToken["expiresAt"]>().toEqualTypeOf<number | undefined>();
});

it("c2mFetch stands where fetch does", () => {
  expectTypeOf<C2mFetch>().toExtend<(input: string | URL | Request, init?: RequestInit) => Promise<Response>>();
  const make = () => createC2mFetch(tokens);
  expectTypeOf<ReturnType<typeof make>>().toEqualTypeOf<C2mFetch<Response>>();
});

it("c2mFetch answers what the fetch that it is given answers", () => {
  const make = () =>
    createC2mFetch(tokens, {
      fetch: async () => ({ status: 200, headers: { get: () => null }, data: { id: 1 } }),
    });
  expectTypeOf<Awaited<ReturnType<ReturnType<typeof make>>>["data"]>().toEqualTypeOf<{ id: number }>();
  // @ts-expect-error an answer without a status
  const wrong = () => createC2mFetch(tokens, { fetch: async () => ({ headers: { get: () => null } }) });
  // @ts-expect-error a token of another kind
  const other = () => createC2mFetch(tokens, { token: "medium-term" });
  expectTypeOf([wrong, other]).toBeArray();
});
