import type { Sensitive } from "../../ports/sensitive.ts";

/** The four mechanisms of `POST /auth/tokens/long`; exactly one per call. */
export type Grant = ClientSecretGrant | OtpGrant | AssertionGrant | ShortTokenGrant;

export interface ClientSecretGrant {
  mechanism: "client_secret";
  clientSecret: Sensitive;
}

export interface OtpGrant {
  mechanism: "otp";
  otpCode: Sensitive;
}

export interface AssertionGrant {
  mechanism: "assertion";
  /** A signed JWT (RFC 7523 §2.2). */
  assertion: Sensitive;
}

export interface ShortTokenGrant {
  mechanism: "short_token";
  /** A short token with the scope `tokens:write`. */
  shortToken: Sensitive;
  /** C2M requires the field and does not document its value for this mechanism. */
  grantType: string;
}

export interface LongTokenRequest {
  clientId: string;
  scopes: string[];
  lifetimeSeconds: number;
}

/** The authorization and the body of issueLongTermToken for this grant. */
export function longTokenCall(
  grant: Grant,
  { clientId, scopes, lifetimeSeconds }: LongTokenRequest,
): { authorization: Record<string, string>; body: string } {
  const body = JSON.stringify({ ...grantFields(grant), client_id: clientId, scopes, ttl_seconds: lifetimeSeconds });
  // The two are alternatives: a short token stands instead of the client's key, not beside it.
  const authorization = grant.mechanism === "short_token" ? bearer(grant.shortToken) : { "x-client-id": clientId };
  return { authorization, body };
}

/** The header that authenticates with a token. */
export function bearer(token: Sensitive): Record<string, string> {
  return { authorization: `Bearer ${token.reveal()}` };
}

function grantFields(grant: Grant): Record<string, string> {
  switch (grant.mechanism) {
    case "client_secret":
      return { grant_type: "client_credentials", client_secret: grant.clientSecret.reveal() };
    case "otp":
      return { grant_type: "client_credentials", otp_code: grant.otpCode.reveal() };
    case "assertion":
      return {
        grant_type: "assertion",
        assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        assertion: grant.assertion.reveal(),
      };
    case "short_token":
      return { grant_type: grant.grantType };
  }
}
