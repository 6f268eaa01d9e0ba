import { createLocalJWKSet, type JWK, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { Secret, TOTP } from "otpauth";
import type { C2mKnobs } from "./knobs.ts";

/** A client as C2M's support would set it up. */
export interface C2mClient {
  clientId: string;
  clientSecret?: string;
  /** Base32. */
  otpSeed?: string;
  /** Public keys by `kid`. */
  publicKeys?: Record<string, JWK>;
  /** All scopes that its tokens can have. */
  scopes: string[];
  /** C2M has stopped taking jobs from it; its tokens work all the same. */
  suspended?: boolean;
}

interface Entry {
  client: C2mClient;
  usedOtpCounters: Set<number>;
  usedAssertionIds: Set<string>;
  /** Made at the first assertion and kept: importing a key is slow. */
  keys: JWTVerifyGetKey | undefined;
}

/** The clients and the proofs that they have shown: each one-time code and each assertion is good for one call. */
export class ClientRegister {
  readonly #entries = new Map<string, Entry>();

  /** Adds a client, or replaces its settings; codes and assertions that it used stay used. */
  register(client: C2mClient): void {
    const before = this.#entries.get(client.clientId);
    this.#entries.set(client.clientId, {
      client,
      usedOtpCounters: before?.usedOtpCounters ?? new Set(),
      usedAssertionIds: before?.usedAssertionIds ?? new Set(),
      keys: undefined,
    });
  }

  get all(): C2mClient[] {
    return [...this.#entries.values()].map(({ client }) => client);
  }

  get(clientId: string): C2mClient | undefined {
    return this.#entries.get(clientId)?.client;
  }

  provesSecret(clientId: string, secret: string): boolean {
    const expected = this.get(clientId)?.clientSecret;
    return expected !== undefined && expected === secret;
  }

  /** Uses the code up when it is right. */
  provesOtp(clientId: string, code: string, now: number, { otp }: C2mKnobs): boolean {
    const entry = this.#entries.get(clientId);
    if (entry?.client.otpSeed === undefined) return false;
    const totp = new TOTP({
      secret: Secret.fromBase32(entry.client.otpSeed),
      algorithm: otp.algorithm,
      digits: otp.digits,
      period: otp.periodSeconds,
    });
    const delta = totp.validate({ token: code, timestamp: now, window: otp.window });
    if (delta === null) return false;
    const counter = totp.counter({ timestamp: now }) + delta;
    if (entry.usedOtpCounters.has(counter)) return false;
    entry.usedOtpCounters.add(counter);
    return true;
  }

  /**
   * RFC 7523 §3: signed with a key of the client, who is its issuer and its subject; for us; not expired; not issued in the
   * future; with an id that was not used before. Uses the assertion up when it is right.
   */
  async provesAssertion(
    clientId: string,
    assertion: string,
    now: number,
    audiences: readonly string[] | undefined,
    { assertionLeewaySeconds }: C2mKnobs,
  ): Promise<boolean> {
    const entry = this.#entries.get(clientId);
    if (!entry?.client.publicKeys) return false;
    entry.keys ??= createLocalJWKSet({
      keys: Object.entries(entry.client.publicKeys).map(([kid, key]) => ({ ...key, kid })),
    });
    let payload: JWTPayload;
    try {
      const verified = await jwtVerify(assertion, entry.keys, {
        issuer: clientId,
        subject: clientId,
        requiredClaims: ["aud", "exp", "jti"],
        currentDate: new Date(now),
        clockTolerance: assertionLeewaySeconds,
        ...(audiences && { audience: [...audiences] }),
      });
      payload = verified.payload;
    } catch {
      return false;
    }
    const { jti, iat = 0 } = payload;
    // The library looks at `iat` only for an assertion's age.
    if (iat * 1_000 > now + assertionLeewaySeconds * 1_000) return false;
    if (typeof jti !== "string" || jti === "" || entry.usedAssertionIds.has(jti)) return false;
    entry.usedAssertionIds.add(jti);
    return true;
  }
}
