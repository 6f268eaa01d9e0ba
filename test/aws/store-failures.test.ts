import { describe, expect, it } from "vitest";
import { isNamed, storeFailure } from "../../src/aws/store-failures.ts";

/** An error as the SDK throws it: named by AWS, with a text that may repeat what was sent. */
function named(name: string): Error {
  return Object.assign(new Error("hunter2"), { name, $metadata: { httpStatusCode: 400 } });
}

const read = { operation: "GetSecretValue", writes: false };
const write = { operation: "PutSecretValue", writes: true };

describe("a failure of Secrets Manager", () => {
  it.each([
    ["AccessDeniedException", "store_denied", /role lacks a permission/],
    ["DecryptionFailure", "store_denied", /check the key and its policy/],
    ["EncryptionFailure", "store_denied", /check the key's state/],
    ["UnrecognizedClientException", "store_denied", /credentials are not valid/],
    ["LimitExceededException", "store_limit", /Look at its versions/],
    ["PreconditionNotMetException", "store_invalid", /present state/],
    ["InvalidParameterException", "store_invalid", /refused the request's parameters/],
    ["ValidationException", "store_invalid", /refused the request's parameters/],
    ["InvalidRequestException", "store_invalid", /scheduled for deletion/],
    ["ResourceExistsException", "version_conflict", /Another value is stored/],
    ["ResourceNotFoundException", "secret_not_found", /does not exist/],
  ])("named %s is permanent: %s", (name, code, remedy) => {
    for (const call of [read, write]) {
      const failure = storeFailure(named(name), call);
      expect(failure).toMatchObject({ name: "PermanentError", code });
      expect(failure.message).toMatch(remedy);
      expect(failure.message).toContain(call.operation);
      expect(failure.message).toContain(name);
    }
  });

  it.each(["ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"])(
    "named %s is a throttle, to be tried again",
    (name) => {
      for (const call of [read, write]) {
        const failure = storeFailure(named(name), call);
        expect(failure).toMatchObject({ name: "RetryableError", code: "store_throttled" });
        expect(failure.message).toBe(`${call.operation}: Secrets Manager is throttling this account.`);
      }
    },
  );

  it.each(["InternalServiceError", "TimeoutError", "ECONNRESET", "toString", "constructor"])(
    "named %s leaves a read to be tried again, and a write unknown",
    (name) => {
      expect(storeFailure(named(name), read)).toMatchObject({
        name: "RetryableError",
        code: "store_unavailable",
        message: `GetSecretValue: Secrets Manager did not answer (${name}).`,
      });
      expect(storeFailure(named(name), write)).toMatchObject({
        name: "AmbiguousError",
        code: "store_unknown",
        message: `PutSecretValue: Secrets Manager did not answer (${name}); it may have been done or not.`,
      });
    },
  );

  it("that is no error is told as unknown", () => {
    expect(storeFailure("hunter2", read).message).toContain("(unknown)");
  });

  it("is told without the SDK's own text, and without a cause", () => {
    for (const name of ["AccessDeniedException", "ThrottlingException", "TimeoutError"]) {
      const failure = storeFailure(named(name), write);
      expect(failure.message).not.toContain("hunter2");
      expect(failure.cause).toBeUndefined();
    }
  });
});

it("a failure is known by its name", () => {
  expect(isNamed(named("A"), "B", "A")).toBe(true);
  expect(isNamed(named("A"), "B")).toBe(false);
  expect(isNamed({ name: "A" }, "A")).toBe(false);
});
