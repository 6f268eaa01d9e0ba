import { createPrivateKey, type KeyObject, randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { PermanentError } from "../../ports/errors.ts";
import { Sensitive } from "../../ports/sensitive.ts";
import type { AssertionCredentials, SigningAlgorithm } from "../credentials.ts";
import type { AssertionGrant } from "./grant.ts";

/** Short, since it is used at once; long enough for clocks that differ. */
const lifetimeSeconds = 300;
/** It was made this long ago, for a C2M whose clock is behind ours. */
const setBackSeconds = 60;

/**
 * A client assertion (RFC 7523 §3) for one issue call: `iss` and `sub` the client, `aud` the URL that it is sent to, and
 * a `jti` of its own.
 *
 * @param now epoch ms
 * @throws PermanentError `credentials_invalid` when the key can't be read or does not fit the algorithm
 */
export async function makeAssertionGrant(
  credentials: AssertionCredentials,
  tokenEndpoint: URL,
  now: number,
): Promise<AssertionGrant> {
  const { clientId, keyId } = credentials;
  const key = readKey(credentials.privateKey);
  const issuedAt = Math.floor(now / 1000) - setBackSeconds;
  const jwt = new SignJWT()
    .setProtectedHeader({
      alg: algorithmFor(key, credentials.algorithm),
      typ: "JWT",
      ...(keyId === undefined ? {} : { kid: keyId }),
    })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(credentials.audience ?? tokenEndpoint.href)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + lifetimeSeconds)
    .setJti(randomUUID());
  return { mechanism: "assertion", assertion: new Sensitive(await jwt.sign(key)) };
}

function readKey(pem: Sensitive): KeyObject {
  try {
    return createPrivateKey(pem.reveal());
  } catch {
    throw invalid("must be an unencrypted private key in PEM");
  }
}

const algorithmsByKey: Record<string, [SigningAlgorithm, ...SigningAlgorithm[]]> = {
  rsa: ["RS256", "PS256"],
  "ec prime256v1": ["ES256"],
  ed25519: ["EdDSA"],
};

/** The algorithm asked for if the key can do it; without one asked for, the key's usual one. */
function algorithmFor(key: KeyObject, asked: SigningAlgorithm | undefined): SigningAlgorithm {
  const { asymmetricKeyType: type = "", asymmetricKeyDetails: details = {} } = key;
  const possible = algorithmsByKey[details.namedCurve === undefined ? type : `${type} ${details.namedCurve}`];
  if (!possible) throw invalid("must be an RSA (not RSA-PSS), P-256 or Ed25519 key");
  if (details.modulusLength !== undefined && details.modulusLength < 2048) {
    throw invalid("must have 2048 bits at least (RFC 7518 §3.3)");
  }
  const algorithm = asked ?? possible[0];
  if (!possible.includes(algorithm)) {
    throw invalid(`can't sign with ${algorithm}; set algorithm to ${possible.join(" or ")}, or leave it out`);
  }
  return algorithm;
}

function invalid(rule: string): PermanentError {
  return new PermanentError("credentials_invalid", `The credentials secret: the private key ${rule}.`);
}
