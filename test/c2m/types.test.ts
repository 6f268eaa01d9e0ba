import { expectTypeOf, it } from "vitest";
import { createC2mClient } from "../../src/c2m/client.ts";
import type { Credentials } from "../../src/c2m/credentials.ts";
import type { parseCredentials } from "../../src/c2m/credentials-secret.ts";
import { type Grant, longTokenCall } from "../../src/c2m/grants/grant.ts";
import type { TokenIssuer, TokenUser } from "../../src/ports/c2m.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";

const clientId = "c2m_client";
const secret = new Sensitive("s");

it("the client issues, exchanges and revokes", () => {
  expectTypeOf(createC2mClient).returns.toExtend<TokenIssuer & TokenUser>();
});

it("there is a grant for every mechanism", () => {
  expectTypeOf<Grant["mechanism"]>().toEqualTypeOf<Credentials["mechanism"]>();
});

it("the credentials secret never holds the short_token mechanism, which has no credentials", () => {
  expectTypeOf<ReturnType<typeof parseCredentials>["mechanism"]>().toEqualTypeOf<
    "client_secret" | "otp" | "assertion"
  >();
});

it("credentials of two mechanisms at once do not compile", () => {
  const ok: Credentials = { mechanism: "client_secret", clientId, clientSecret: secret };
  // @ts-expect-error a seed beside a client secret
  const two: Credentials = { mechanism: "client_secret", clientId, clientSecret: secret, seed: secret };
  // @ts-expect-error a private key under the name of another mechanism
  const other: Credentials = { mechanism: "otp", clientId, privateKey: secret };
  // @ts-expect-error a short token needs no secret
  const needless: Credentials = { mechanism: "short_token", clientId, clientSecret: secret };
  // @ts-expect-error a secret that could be logged
  const bare: Credentials = { mechanism: "client_secret", clientId, clientSecret: "s" };
  // @ts-expect-error no mechanism at all
  const none: Credentials = { clientId };
  expectTypeOf([ok, two, other, needless, bare, none]).toBeArray();
});

it("a call with two grants does not compile", () => {
  const request = { clientId, scopes: [], lifetimeSeconds: 3600 };
  // @ts-expect-error a one-time code beside a client secret
  longTokenCall({ mechanism: "client_secret", clientSecret: secret, otpCode: secret }, request);
  // @ts-expect-error an assertion beside a short token
  longTokenCall({ mechanism: "short_token", shortToken: secret, grantType: "x", assertion: secret }, request);
});
