import { describe, expect, it } from "vitest";
import { type CauseKind, causeOf } from "../../src/ports/cause.ts";
import { PermanentError, RetryableError } from "../../src/ports/errors.ts";

/** An error of Node: known by its code. */
const coded = (code: string, more: object = {}) => Object.assign(new Error("hunter2"), { code, ...more });

/** An error as the SDK throws it: named by AWS, with a text that may repeat what was sent. */
const named = (name: string, message = "hunter2") =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });

/** An error of a credential provider. */
const provider = (message: string, name = "CredentialsProviderError") => Object.assign(new Error(message), { name });

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const verifyCodes = [
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_CRL",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "UNABLE_TO_DECRYPT_CRL_SIGNATURE",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "CERT_SIGNATURE_FAILURE",
  "CRL_SIGNATURE_FAILURE",
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
  "CRL_NOT_YET_VALID",
  "CRL_HAS_EXPIRED",
  "ERROR_IN_CERT_NOT_BEFORE_FIELD",
  "ERROR_IN_CERT_NOT_AFTER_FIELD",
  "ERROR_IN_CRL_LAST_UPDATE_FIELD",
  "ERROR_IN_CRL_NEXT_UPDATE_FIELD",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_CHAIN_TOO_LONG",
  "CERT_REVOKED",
  "INVALID_CA",
  "PATH_LENGTH_EXCEEDED",
  "INVALID_PURPOSE",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "HOSTNAME_MISMATCH",
  "ERR_TLS_CERT_ALTNAME_INVALID",
];

describe("a connection that fails", () => {
  it.each([
    ["ENOTFOUND", "network", /name can't be resolved/],
    ["EAI_AGAIN", "network", /name can't be resolved/],
    ["ECONNREFUSED", "network", /Nothing accepts connections there/],
    ["ECONNRESET", "network", /The connection failed/],
    ["EPIPE", "network", /The connection failed/],
    ["EHOSTUNREACH", "network", /The connection failed/],
    ["ENETUNREACH", "network", /The connection failed/],
    ["UND_ERR_SOCKET", "network", /The connection failed/],
    ["HPE_INVALID_CONSTANT", "network", /speaks no HTTP/],
    ["ETIMEDOUT", "timeout", /did not answer in time/],
    ["UND_ERR_CONNECT_TIMEOUT", "timeout", /did not answer in time/],
  ] as const)("with %s is of kind %s, and may be tried again", (code, kind, said) => {
    expect(causeOf(coded(code))).toMatchObject({ kind, code, retryable: true, said: expect.stringMatching(said) });
    expect(causeOf(coded(code)).remedy).toContain("HTTPS_PROXY");
  });

  it.each(verifyCodes)("with the certificate's fault %s names NODE_EXTRA_CA_CERTS", (code) => {
    const cause = causeOf(coded(code));
    expect(cause).toMatchObject({ kind: "tls", code, retryable: false });
    expect(cause.remedy).toContain("NODE_EXTRA_CA_CERTS");
  });

  it("names the host where the error knows it", () => {
    expect(causeOf(coded("ENOTFOUND", { hostname: "api.example" })).said).toContain("name api.example can't");
    const refused = coded("ECONNREFUSED", { address: "127.0.0.1", port: 1 });
    expect(causeOf(refused).said).toBe("Nothing accepts connections at 127.0.0.1:1 (ECONNREFUSED).");
  });

  it("is found within other errors: fetch's cause, the attempts of a connection, a reason of ours", () => {
    const attempts = [coded("ENETUNREACH", { address: "::1", port: 443 }), coded("ECONNREFUSED")];
    const happyEyeballs = Object.assign(new AggregateError(attempts, ""), { code: "ECONNREFUSED" });
    const failed = new TypeError("fetch failed", { cause: happyEyeballs });
    expect(causeOf(failed)).toMatchObject({ code: "ENETUNREACH", said: expect.stringContaining("::1:443") });
    expect(causeOf(Object.assign(new Error("x"), { name: "TransportError", reason: "timed_out" })).kind).toBe(
      "timeout",
    );
    expect(causeOf(new DOMException("x", "TimeoutError")).kind).toBe("timeout");
    const ours = new RetryableError("store_unavailable", "x", { cause: coded("CERT_UNTRUSTED") });
    expect(causeOf(ours).kind).toBe("tls");
  });

  it("is found in a circle of causes, too", () => {
    const one = new Error("a");
    one.cause = new Error("b", { cause: one });
    expect(causeOf(one).kind).toBe("unknown");
  });
});

describe("credentials", () => {
  const sso = "To refresh this SSO session run 'aws sso login' with the corresponding profile.";

  it.each([
    [provider(`The SSO session associated with this profile has expired. ${sso}`), "aws sso login --profile work"],
    [provider(`The SSO session associated with this profile is invalid. ${sso}`), "aws sso login --profile work"],
    [provider(`Token is expired. ${sso}`, "TokenProviderError"), "aws sso login --profile work"],
    [provider("UnauthorizedException: Session token not found or invalid"), "aws sso login --profile work"],
    [
      provider(`The SSO session token associated with profile=prod was not found or is invalid. ${sso}`),
      "aws sso login --profile prod",
    ],
    [
      provider("Profile admin requires multi-factor authentication, but no MFA code callback was provided."),
      'eval "$(aws configure export-credentials --profile admin --format env)"; unset AWS_PROFILE AWS_DEFAULT_PROFILE',
    ],
    [provider("Your session has expired. Please reauthenticate."), "aws login --profile work"],
    [
      provider("Failed to load a token for session x, please re-authenticate using aws login"),
      "aws login --profile work",
    ],
    [provider("ForbiddenException: No access"), /sso_role_name/],
    [
      provider("Could not resolve credentials using profile: [wrok] in configuration/credentials file(s)."),
      /list-profiles/,
    ],
    [provider("Could not load credentials from any providers"), /aws sts get-caller-identity --profile work/],
    [provider("Command failed: /opt/vault --token hunter2"), /credential_process|names there/],
    [named("ExpiredTokenException"), /aws sso login --profile work/],
    [named("ExpiredToken"), /aws sso login --profile work/],
    [named("UnrecognizedClientException"), /access key/],
    [named("InvalidClientTokenId"), /access key/],
    [named("InvalidSignatureException", "Signature expired: 20261126T1 is now earlier than …"), /Set the clock/],
    [named("InvalidSignatureException", "The request signature we calculated does not match"), /access key/],
    [named("RequestTimeTooSkewed"), /Set the clock/],
    [
      named("AccessDenied", "User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole on resource: x"),
      /trust policy/,
    ],
  ] as const)("%#: are told with the command that mends them", (error, remedy) => {
    const cause = causeOf(error, { profile: "work" });
    expect(cause).toMatchObject({ kind: "credentials", retryable: false });
    if (typeof remedy === "string") expect(cause.remedy).toBe(remedy);
    else expect(cause.remedy).toMatch(remedy);
    expect(JSON.stringify(cause)).not.toContain("hunter2");
  });

  it("without a profile, none is named", () => {
    expect(causeOf(provider(`Token is expired. ${sso}`)).remedy).toBe("aws sso login");
    expect(causeOf(provider("Could not load credentials from any providers"))).toMatchObject({
      said: "There are no AWS credentials (CredentialsProviderError).",
      remedy: expect.stringContaining("Set AWS_PROFILE"),
    });
  });

  it("a profile's name is quoted where a shell needs it", () => {
    expect(causeOf(provider("Token is expired"), { profile: "my $(work)'s" }).remedy).toBe(
      "aws sso login --profile 'my $(work)'\\''s'",
    );
  });

  it.each([
    ["Error: getaddrinfo ENOTFOUND portal.sso.eu-west-1.amazonaws.com", "network"],
    ["TimeoutError: the request socket did not establish a connection", "timeout"],
    ["Error: unable to get local issuer certificate", "tls"],
  ])("that could not be fetched tell why: %s", (message, kind) => {
    expect(causeOf(provider(message)).kind).toBe(kind);
  });
});

describe("an answer of AWS", () => {
  it.each<[string, CauseKind, boolean]>([
    ["AccessDeniedException", "denied", false],
    ["AccessDenied", "denied", false],
    ["DecryptionFailure", "denied", false],
    ["EncryptionFailure", "denied", false],
    ["KMSInvalidStateException", "denied", false],
    ["ResourceNotFoundException", "not_found", false],
    ["ThrottlingException", "throttled", true],
    ["Throttling", "throttled", true],
    ["TooManyRequestsException", "throttled", true],
    ["RequestLimitExceeded", "throttled", true],
    ["SlowDown", "throttled", true],
    ["LimitExceededException", "invalid", false],
    ["InvalidRequestException", "invalid", false],
    ["InvalidParameterException", "invalid", false],
    ["ValidationException", "invalid", false],
    ["PreconditionNotMetException", "invalid", false],
    ["ResourceExistsException", "invalid", false],
    ["RequestTimeoutException", "timeout", true],
  ])("named %s is of kind %s", (code, kind, retryable) => {
    const cause = causeOf(named(code));
    expect(cause).toMatchObject({ kind, code, retryable });
    expect(cause.said).not.toContain("hunter2");
    expect(cause.said).toContain(code);
  });

  it("names what was denied, and on what", () => {
    const message =
      "User: arn:aws:iam::1:user/a is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because x";
    expect(causeOf(named("AccessDeniedException", message)).said).toBe(
      "AWS denied kms:Decrypt (AccessDeniedException).",
    );
    const arn = "arn:aws:secretsmanager:eu-west-1:1:secret:c2m/api-token-AbCdEf";
    const denied = `User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: ${arn} because y`;
    expect(causeOf(named("AccessDeniedException", denied)).said).toContain(`secretsmanager:GetSecretValue on ${arn} (`);
  });

  it("is quoted only where nothing secret was sent", () => {
    expect(causeOf(named("AccessDeniedException", "Because so"), { mayQuote: true }).said).toContain(": Because so.");
    const denied = "User: arn:x is not authorized to perform: kms:Decrypt because no policy allows it";
    expect(causeOf(named("AccessDeniedException", denied), { mayQuote: true }).said).toBe(
      "AWS denied kms:Decrypt (AccessDeniedException): no policy allows it.",
    );
    expect(causeOf(named("StrangeException", "Because so"), { mayQuote: true }).said).toBe(
      "AWS refused it (StrangeException, HTTP 400): Because so.",
    );
    expect(causeOf(named("StrangeException")).said).toBe("AWS refused it (StrangeException, HTTP 400).");
  });

  it("with a status of 500 or more, or none, may be tried again", () => {
    const failed = Object.assign(new Error("hunter2"), { name: "StrangeFailure", $metadata: { httpStatusCode: 500 } });
    expect(causeOf(failed)).toMatchObject({ retryable: true, said: "AWS failed (StrangeFailure, HTTP 500)." });
  });

  it("that no service of AWS gave is told as such", () => {
    const error = new SyntaxError("Unexpected token '<', \"<html>hunter2\" is not valid JSON");
    Object.defineProperty(error, "$response", { value: { statusCode: 200 }, enumerable: false });
    expect(causeOf(error)).toMatchObject({ kind: "network", said: "What answers (HTTP 200) is not AWS." });
  });

  it("for want of a region names AWS_REGION", () => {
    expect(causeOf(new Error("Region is missing"))).toMatchObject({
      kind: "invalid",
      remedy: expect.stringContaining("AWS_REGION"),
    });
  });
});

describe("what is not known", () => {
  it("is told by its kind and its place, never by its text", () => {
    const cause = causeOf(new RangeError("hunter2\n    at hunter2.ts:1:1"));
    expect(cause).toMatchObject({ kind: "unknown", code: "RangeError", retryable: false });
    expect(cause.said).toMatch(/^An unexpected error in cause\.test\.ts:\d+:\d+ \(RangeError\)\.$/);
    expect(causeOf(coded("EISDIR")).said).toContain("(Error, EISDIR)");
  });

  it("and is ours keeps its own words", () => {
    expect(causeOf(new PermanentError("settings_invalid", "Mend it."))).toMatchObject({
      kind: "unknown",
      code: "settings_invalid",
      said: "Mend it.",
      retryable: false,
    });
    expect(causeOf(new RetryableError("rate_limited", "Later.")).retryable).toBe(true);
  });

  it.each(["hunter2", undefined, null, 5, {}, Object.create(null)])(
    "and is no error (%#) is said to be none, without its text",
    (thrown) => {
      expect(JSON.stringify(causeOf(thrown))).not.toContain("hunter2");
    },
  );
});
