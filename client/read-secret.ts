import { GetSecretValueCommand, type GetSecretValueCommandOutput } from "@aws-sdk/client-secrets-manager";
import { fitsHeader } from "../src/c2m/answers.ts";
import { baseUrlText, parseBaseUrl, readBaseUrl } from "../src/c2m/base-url.ts";
import { parseValue, type StoredToken, secretValueOf } from "../src/formats/stored-token.ts";
import { type CauseKind, causeOf } from "../src/ports/cause.ts";
import { type Clock, momentOf } from "../src/ports/clock.ts";
import { PermanentError, RetryableError } from "../src/ports/errors.ts";
import type { Fetched } from "./token-cache.ts";
import type { LongTermToken } from "./tokens.ts";
import { within } from "./waiting.ts";

/** What is used of the SDK's `SecretsManagerClient`. */
export interface SecretsManager {
  send(command: GetSecretValueCommand, options?: { abortSignal?: AbortSignal }): Promise<GetSecretValueCommandOutput>;
}

export interface SecretReaderOptions {
  secretsManager: SecretsManager;
  secretId: string;
  /** The C2M that the token must be for; undefined: the one that the secret names. */
  baseUrl: string | undefined;
  maxAgeMs: number;
  minReadIntervalMs: number;
  /** For one read, the SDK's own retries included, in ms. */
  readTimeoutMs: number;
  clock: Clock;
  random: () => number;
  closing: AbortSignal;
}

/**
 * Reads the token at AWSCURRENT.
 *
 * @throws PermanentError `secret_denied`, `secret_not_found`, `secret_unavailable`, `not_a_token`, `other_c2m`,
 *   `invalid_base_url` (the secret's, where it is followed) or `expired`; RetryableError `secret_unavailable`
 */
export function secretReader(options: SecretReaderOptions): () => Promise<Fetched<LongTermToken>> {
  const { clock, maxAgeMs, minReadIntervalMs, random } = options;
  return async () => {
    const since = momentOf(clock);
    const token = await readToken(options);
    const endsAt = token.expiresAt ?? Number.POSITIVE_INFINITY;
    if (clock.now() >= endsAt) throw expired(token, endsAt);
    const goodForMs = endsAt - since.now;
    // Half of what is left, so that it is looked at again and again as the end draws near.
    const refreshAfterMs = Math.max(minReadIntervalMs, Math.min(maxAgeMs * (1 - random() / 5), goodForMs / 2));
    return { token, since, refreshAfterMs, waitAfterMs: maxAgeMs, goodForMs, isNews: true };
  };
}

async function readToken(options: SecretReaderOptions): Promise<LongTermToken> {
  const { secretsManager, secretId, readTimeoutMs, closing } = options;
  let secret: GetSecretValueCommandOutput;
  try {
    secret = await within(readTimeoutMs, closing, (abortSignal) =>
      secretsManager.send(new GetSecretValueCommand({ SecretId: secretId }), { abortSignal }),
    );
  } catch (error) {
    throw failureOf(error, secretId);
  }
  const value = secretValueOf(secret);
  const parsed = value && parseValue(value);
  const versionId = secret.VersionId;
  if (parsed?.kind === "ours" && fitsHeader(parsed.token.accessToken.reveal())) {
    const { accessToken, tokenId, scopes, expiresAt } = parsed.token;
    const baseUrl = baseUrlFor(parsed.token, options);
    return { accessToken, tokenId, scopes, expiresAt: Date.parse(expiresAt), baseUrl, versionId };
  }
  if (parsed?.kind === "foreign" && parsed.token) {
    return { accessToken: parsed.token, tokenId: undefined, scopes: undefined, expiresAt: undefined, versionId };
  }
  throw new PermanentError(
    "not_a_token",
    `The secret "${secretId}" must hold a token: JSON with access_token, expires_at and client_id, or the token and nothing else. Check secretId.`,
  );
}

/** The C2M that the token may be sent to: its own, which must be the client's unless that follows. */
function baseUrlFor({ baseUrl, tokenId }: StoredToken, options: SecretReaderOptions): string | undefined {
  if (baseUrl === undefined) return options.baseUrl;
  if (options.baseUrl === undefined) return baseUrlText(parseBaseUrl(baseUrl));
  const url = readBaseUrl(baseUrl);
  if (!("problem" in url) && baseUrlText(url) === options.baseUrl) return options.baseUrl;
  throw otherC2m(options.secretId, tokenId);
}

/** The kinds of failures that a person has to end. */
const permanent: Partial<Record<CauseKind, "secret_denied" | "secret_not_found" | "secret_unavailable">> = {
  denied: "secret_denied",
  credentials: "secret_denied",
  not_found: "secret_not_found",
  invalid: "secret_not_found",
  tls: "secret_unavailable",
};

/** The error itself is no `cause`: it is printed with all that it holds. */
function failureOf(error: unknown, secretId: string): PermanentError | RetryableError {
  const { kind, said, remedy } = causeOf(error);
  const text = `The secret "${secretId}" can't be read. ${said} ${remedy}`.trim();
  const code = permanent[kind];
  return code ? new PermanentError(code, text) : new RetryableError("secret_unavailable", text);
}

function otherC2m(secretId: string, tokenId: string | undefined): PermanentError {
  return new PermanentError(
    "other_c2m",
    `The token in the secret "${secretId}"${tokenId === undefined ? "" : ` (${tokenId})`} is of another C2M than baseUrl, and is not sent there. Set baseUrl to the secret's base_url, or followBaseUrl to true.`,
  );
}

function expired({ tokenId }: LongTermToken, endsAt: number): PermanentError {
  const named = tokenId === undefined ? "" : ` (${tokenId})`;
  return new PermanentError(
    "expired",
    `The token in the secret${named} expired at ${new Date(endsAt).toISOString()}. Check that its rotation works, and this machine's clock.`,
  );
}
