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
    ["AccessDeniedException", "store_denied", /Allow it to who calls/],
    ["DecryptionFailure", "store_denied", /Check the KMS key, its state and its policy/],
    ["EncryptionFailure", "store_denied", /Check the KMS key, its state and its policy/],
    ["UnrecognizedClientException", "store_denied", /credentials are not valid/],
    ["ExpiredTokenException", "store_denied", /has expired/],
    ["LimitExceededException", "store_limit", /A quota of AWS is reached/],
    ["PreconditionNotMetException", "store_invalid", /present state/],
    ["InvalidParameterException", "store_invalid", /refuses the request's parameters/],
    ["ValidationException", "store_invalid", /refuses the request's parameters/],
    ["InvalidRequestException", "store_invalid", /scheduled for deletion/],
    ["ResourceNotFoundException", "secret_not_found", /does not find it/],
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
        expect(failure.message).toContain(`${call.operation}: AWS is throttling this account (${name}).`);
      }
    },
  );

  it.each([
    "InternalServiceError",
    "TimeoutError",
    "ECONNRESET",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "toString",
    "constructor",
  ])("named %s leaves a read to be tried again, and a write unknown", (name) => {
    expect(storeFailure(named(name), read)).toMatchObject({
      name: "RetryableError",
      code: "store_unavailable",
      message: expect.stringMatching(new RegExp(`^GetSecretValue: .*${name}`)),
    });
    expect(storeFailure(named(name), write)).toMatchObject({
      name: "AmbiguousError",
      code: "store_unknown",
      message: expect.stringMatching(new RegExp(`^PutSecretValue: .*${name}.* It may have been done or not\\.$`)),
    });
  });

  it.each([
    [{}, "RetryableError", "Nothing was sent."],
    [{ $metadata: { attempts: 1 } }, "RetryableError", "Nothing was sent."],
    [{ $metadata: { attempts: 2 } }, "AmbiguousError", "It may have been done or not."],
  ])("of a connection that was refused, told of %j, is a %s", (told, name, end) => {
    const refused = Object.assign(new Error("hunter2"), { code: "ECONNREFUSED", ...told });
    const failure = storeFailure(refused, write);
    expect(failure.name).toBe(name);
    expect(failure.message.endsWith(` ${end}`)).toBe(true);
    expect(storeFailure(refused, { ...write, isUnsent: true })).toMatchObject({ code: "store_unavailable" });
  });

  it("that is no error is told as unknown", () => {
    expect(storeFailure("hunter2", read).message).toContain("no error was thrown");
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
