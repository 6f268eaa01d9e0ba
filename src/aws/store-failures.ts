import { AmbiguousError, PermanentError, RetryableError, type RotationError } from "../ports/errors.ts";

const permanent: Record<string, [code: string, message: string]> = {
  AccessDeniedException: [
    "store_denied",
    "Secrets Manager or KMS denied it: the function's role lacks a permission. Compare it with the deployed stack.",
  ],
  DecryptionFailure: ["store_denied", "KMS can't decrypt the secret: check the key and its policy."],
  EncryptionFailure: ["store_denied", "KMS can't encrypt the secret: check the key's state and its policy."],
  LimitExceededException: ["store_limit", "The secret has reached a limit of Secrets Manager. Look at its versions."],
  PreconditionNotMetException: ["store_invalid", "Secrets Manager refused the request in the secret's present state."],
  InvalidParameterException: ["store_invalid", "Secrets Manager refused the request's parameters."],
  ValidationException: ["store_invalid", "Secrets Manager refused the request's parameters."],
  InvalidRequestException: [
    "store_invalid",
    "Secrets Manager refused the request in the secret's present state: the secret may be scheduled for deletion.",
  ],
  ResourceExistsException: ["version_conflict", "Another value is stored under this version id already."],
  ResourceNotFoundException: ["secret_not_found", "The secret does not exist (any more)."],
  CredentialsProviderError: [
    "store_denied",
    "There are no AWS credentials in the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, as Lambda sets them. The bundle looks nowhere else.",
  ],
  UnrecognizedClientException: ["store_denied", "The function's credentials are not valid for this account."],
};

const throttled = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/;

/** What a failed call means for the protocol. The SDK's own text is left out: it may repeat what was sent. */
export function storeFailure(error: unknown, call: { operation: string; writes: boolean }): RotationError {
  const name = error instanceof Error ? error.name : "unknown";
  const known = Object.hasOwn(permanent, name) ? permanent[name] : undefined;
  if (known) return new PermanentError(known[0], `${call.operation}: ${known[1]} (${name})`);
  if (throttled.test(name)) {
    return new RetryableError("store_throttled", `${call.operation}: Secrets Manager is throttling this account.`);
  }
  if (!call.writes) {
    return new RetryableError("store_unavailable", `${call.operation}: Secrets Manager did not answer (${name}).`);
  }
  return new AmbiguousError(
    "store_unknown",
    `${call.operation}: Secrets Manager did not answer (${name}); it may have been done or not.`,
  );
}

/** The name that AWS gave a failure. */
export function isNamed(error: unknown, ...names: string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
