import { GetSecretValueCommand, type GetSecretValueCommandOutput } from "@aws-sdk/client-secrets-manager";
import { parseValue } from "../src/formats/stored-token.ts";
import { PermanentError, RetryableError } from "../src/ports/errors.ts";
import { Sensitive } from "../src/ports/sensitive.ts";
import { within } from "./abort.ts";
import type { LongTermToken } from "./tokens.ts";

/** What is used of the SDK's `SecretsManagerClient`. */
export interface SecretsManager {
  send(command: GetSecretValueCommand, options?: { abortSignal?: AbortSignal }): Promise<GetSecretValueCommandOutput>;
}

/** What a person has to do, by the name that AWS gives the failure. */
const remedies: Record<string, [code: string, remedy: string]> = {
  AccessDeniedException: [
    "secret_denied",
    "Allow secretsmanager:GetSecretValue on it, and kms:Decrypt where it has a key of its own.",
  ],
  DecryptionFailure: ["secret_denied", "Allow kms:Decrypt on the secret's key, and check that the key is enabled."],
  UnrecognizedClientException: ["secret_denied", "Check the AWS credentials."],
  ResourceNotFoundException: ["secret_not_found", "Check secretId, region and account."],
  InvalidRequestException: ["secret_not_found", "It may be scheduled for deletion: restore it."],
  InvalidParameterException: ["secret_not_found", "Check secretId."],
  ValidationException: ["secret_not_found", "Check secretId."],
};

/**
 * Reads the token at AWSCURRENT.
 *
 * @param timeoutMs for all of it, the SDK's own retries included
 * @throws PermanentError `secret_denied`, `secret_not_found` or `not_a_token`; RetryableError `secret_unavailable`
 */
export async function readSecret(client: SecretsManager, secretId: string, timeoutMs: number): Promise<LongTermToken> {
  let secret: GetSecretValueCommandOutput;
  try {
    secret = await within(timeoutMs, (abortSignal) =>
      client.send(new GetSecretValueCommand({ SecretId: secretId }), { abortSignal }),
    );
  } catch (error) {
    throw failureOf(error, secretId);
  }
  const value = secret.SecretString === undefined ? undefined : parseValue(new Sensitive(secret.SecretString));
  const versionId = secret.VersionId;
  if (value?.kind === "ours") {
    const { accessToken, tokenId, scopes, expiresAt } = value.token;
    return { accessToken, tokenId, scopes, expiresAt: Date.parse(expiresAt), versionId };
  }
  if (value?.token) {
    return { accessToken: value.token, tokenId: undefined, scopes: undefined, expiresAt: undefined, versionId };
  }
  throw new PermanentError(
    "not_a_token",
    `The secret "${secretId}" must hold a token: JSON with access_token, expires_at and client_id, or the token and nothing else. Check secretId.`,
  );
}

/** The SDK's own text is left out, and it is no `cause`: an error is printed with all that it holds. */
function failureOf(error: unknown, secretId: string): PermanentError | RetryableError {
  const name = error instanceof Error ? error.name : "unknown";
  const known = Object.hasOwn(remedies, name) ? remedies[name] : undefined;
  const what = `The secret "${secretId}" can't be read (${name}).`;
  if (known) return new PermanentError(known[0], `${what} ${known[1]}`);
  return new RetryableError("secret_unavailable", `${what} Try again; check region and network if this repeats.`);
}
