import type * as pulumi from "@pulumi/pulumi";
import type { OtpAlgorithm, SigningAlgorithm } from "../../src/c2m/credentials.ts";

/** How the C2M client proves itself when a token is issued: one of C2M's mechanisms, or a secret that holds what one needs. */
export type CredentialsArgs = ClientSecretArgs | OtpArgs | AssertionArgs | ExistingCredentialsArgs | ShortTokenArgs;

interface StoredCredentials {
  /**
   * The name of the secret that will hold the credentials.
   * @default "c2m/client-credentials"
   */
  secretName?: string | undefined;
}

/** `client_credentials` with a client secret. */
export interface ClientSecretArgs extends StoredCredentials {
  clientSecret: pulumi.Input<string>;
}

/** `client_credentials` with a one-time code, made as RFC 6238 says (C2M does not document how). */
export interface OtpArgs extends StoredCredentials {
  /** Base32. */
  otpSeed: pulumi.Input<string>;
  /** @default "SHA1" */
  otpAlgorithm?: OtpAlgorithm | undefined;
  /** @default 6 */
  otpDigits?: 6 | 7 | 8 | undefined;
  /** In seconds. @default 30 */
  otpPeriod?: number | undefined;
}

/** `assertion`: a JWT signed with the client's private key. */
export interface AssertionArgs extends StoredCredentials {
  /** PEM, not encrypted. */
  privateKey: pulumi.Input<string>;
  /** Sent as `kid`, by which C2M finds the public key. */
  keyId?: string | undefined;
  /** @default follows from the key */
  algorithm?: SigningAlgorithm | undefined;
  /** The `aud` claim. @default the URL of the call that issues */
  audience?: string | undefined;
}

/** A secret that is there already, in this account and region; the README says what it may hold. */
export interface ExistingCredentialsArgs {
  /** Its full ARN. */
  secretArn: pulumi.Input<string>;
}

/**
 * No credentials at all: the present token, which needs the scope `tokens:write`, issues the next. The first token has to
 * be put into its secret by hand, and again whenever the chain breaks.
 */
export interface ShortTokenArgs {
  shortToken: true;
  /** `grant_type` of the issue call, which C2M does not document for this mechanism. @default "client_credentials" */
  grantType?: string | undefined;
}

export const defaultCredentialsName = "c2m/client-credentials";

/** The mechanisms, by the argument that names each. */
export const mechanismKeys = ["clientSecret", "otpSeed", "privateKey", "secretArn", "shortToken"] as const;
