import type { Sensitive } from "../ports/sensitive.ts";

/**
 * How the client proves itself when a token is issued: one type per mechanism, so that two at once, or a field of one
 * with another, does not compile.
 */
export type Credentials = ClientSecretCredentials | OtpCredentials | AssertionCredentials | ShortTokenCredentials;

/** What all have that are stored. */
interface Stored {
  clientId: string;
  /** The C2M that they are for, where the secret says it. */
  baseUrl?: string | undefined;
}

export interface ClientSecretCredentials extends Stored {
  mechanism: "client_secret";
  clientSecret: Sensitive;
}

/** C2M documents an `otp_code` and not how it is made; TOTP (RFC 6238) is inferred. */
export interface OtpCredentials extends Stored {
  mechanism: "otp";
  /** Base32. */
  seed: Sensitive;
  /** RFC 6238's defaults: SHA1, 6 digits, 30 seconds. */
  algorithm: OtpAlgorithm;
  digits: number;
  periodSeconds: number;
}

export type OtpAlgorithm = (typeof otpAlgorithms)[number];

export const otpAlgorithms = ["SHA1", "SHA256", "SHA512"] as const;

export interface AssertionCredentials extends Stored {
  mechanism: "assertion";
  /** PEM: PKCS#8, PKCS#1 or SEC 1, not encrypted. */
  privateKey: Sensitive;
  /** Sent as `kid`, by which C2M finds the public key. */
  keyId: string | undefined;
  /** Undefined: follows from the key. */
  algorithm: SigningAlgorithm | undefined;
  /** The `aud` claim; undefined: the URL of issueLongTermToken (RFC 7523 §3). */
  audience: string | undefined;
}

export type SigningAlgorithm = (typeof signingAlgorithms)[number];

export const signingAlgorithms = ["RS256", "PS256", "ES256", "EdDSA"] as const;

/**
 * The present long token is all there is to prove the client with; no credentials secret exists. The operator supplies
 * the first token once. When the chain breaks (the token expires, or is revoked by someone), a new one has to be
 * supplied: nothing here can make one.
 */
export interface ShortTokenCredentials {
  mechanism: "short_token";
  clientId: string;
  /** The token at AWSCURRENT; undefined where there is none that may be sent. */
  longToken: Sensitive | undefined;
  /** Its ids, as far as they are known. */
  longTokenIds?: readonly string[];
  /** Default `client_credentials`: inferred, C2M requires the field and does not document its value here. */
  grantType?: string;
}
