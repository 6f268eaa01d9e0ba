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

  const at = { hostname: "api.example", port: 443 };
  it.each([
    ["ENOTFOUND", "The host's name api.example:443 can't be resolved", "The host's name can't be resolved"],
    ["ETIMEDOUT", "api.example:443 did not answer in time", "The other side did not answer in time"],
    ["ECONNRESET", "The connection to api.example:443 failed", "The connection failed"],
    ["ECONNREFUSED", "Nothing accepts connections at api.example:443", "Nothing accepts connections there"],
    [
      "HPE_INVALID_CONSTANT",
      "What answers api.example:443 speaks no HTTP, or a proxy refused the connection",
      "What answers there speaks no HTTP, or a proxy refused the connection",
    ],
    [
      "CERT_HAS_EXPIRED",
      "The certificate of api.example:443 is not valid at this machine's time",
      "The certificate is not valid at this machine's time",
    ],
    [
      "SELF_SIGNED_CERT_IN_CHAIN",
      "The certificate of api.example:443 is not trusted",
      "The certificate is not trusted",
    ],
  ])("with %s says where, if it is known", (code, there, anywhere) => {
    expect(causeOf(coded(code, at)).said).toBe(`${there} (${code}).`);
    expect(causeOf(coded(code)).said).toBe(`${anywhere} (${code}).`);
  });

  it("at a host that did not answer the SDK in time names it", () => {
    const late = Object.assign(new Error("hunter2"), { name: "TimeoutError", ...at });
    expect(causeOf(late).said).toBe("api.example:443 did not answer in time (TimeoutError).");
    expect(causeOf(new DOMException("x", "TimeoutError")).said).toBe(
      "The other side did not answer in time (TimeoutError).",
    );
  });

  it("tells how often it was tried, where it was more than once and may be tried again", () => {
    const tried = (code: string, attempts: number) => causeOf(coded(code, { $metadata: { attempts } })).said;
    expect(tried("ECONNRESET", 3)).toBe("The connection failed (ECONNRESET). It was tried 3 times.");
    expect(tried("ECONNRESET", 1)).toBe("The connection failed (ECONNRESET).");
    expect(tried("CERT_UNTRUSTED", 3)).toBe("The certificate is not trusted (CERT_UNTRUSTED).");
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

  const assume = "User: x is not authorized to perform: sts:AssumeRole on resource: y";
  it.each([
    [provider("multi-factor"), "The role{} needs a code (MFA), which only the AWS CLI asks for"],
    [provider("Please reauthenticate."), "The login session{} is missing or has expired"],
    [provider("Token is expired"), "The SSO session{} is missing or has expired"],
    [provider("ForbiddenException: No access"), "AWS SSO gives no credentials for the account and role{}"],
    [provider("Command failed: hunter2"), "The credential_process{} failed"],
    [named("ExpiredTokenException"), "The session{} has expired"],
    [named("UnrecognizedClientException"), "The credentials{} are not valid at this endpoint"],
    [named("AccessDenied", assume), "The role{} may not be assumed"],
  ])("%#: are told with the profile that they are of, if there is one", (error, said) => {
    const of = (profile: string) => `${said.replace("{}", profile)} (${error.name}).`;
    expect(causeOf(error, { profile: "work" }).said).toBe(of(' of the profile "work"'));
    expect(causeOf(error).said).toBe(of(""));
  });

  it.each([
    ["Could not resolve credentials using profile: [wrok] in configuration/credentials file(s).", "wrok"],
    ["Profile admin could not be found or parsed in shared credentials file.", "admin"],
    ["The SSO session token associated with profile=prod was not found.", "prod"],
  ])("that are missing name the profile that AWS's text names: %s", (text, profile) => {
    const said = /SSO/.test(text)
      ? `The SSO session of the profile "${profile}" is missing or has expired`
      : `There are no credentials of the profile "${profile}"`;
    expect(causeOf(provider(text)).said).toBe(`${said} (CredentialsProviderError).`);
  });

  it("that are in no file are said to be in none", () => {
    expect(causeOf(provider("The credentials could not be found.")).said).toBe(
      "There are no credentials in the AWS configuration files (CredentialsProviderError).",
    );
    expect(causeOf(provider("Could not load credentials"), { profile: "work" }).said).toBe(
      'The profile "work" gives no AWS credentials (CredentialsProviderError).',
    );
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

  it("that denies says what to allow", () => {
    const kms = "User: x is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext";
    expect(causeOf(named("AccessDeniedException", kms)).remedy).toBe(
      "Allow kms:Decrypt on the secret's key to who calls. Check the KMS key, its state and its policy.",
    );
    expect(causeOf(named("AccessDeniedException"))).toMatchObject({
      said: "AWS denied it (AccessDeniedException).",
      remedy: "Allow it to who calls, and kms:Decrypt on the secret's key where that is one of your own.",
    });
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
    expect(causeOf(failed)).toEqual({
      kind: "unknown",
      code: "StrangeFailure",
      retryable: true,
      said: "AWS failed (StrangeFailure, HTTP 500).",
      remedy: "Try again later.",
    });
    const unanswered = Object.assign(new Error("hunter2"), { name: "StrangeFailure", $metadata: {} });
    expect(causeOf(unanswered)).toMatchObject({ retryable: true, said: "AWS failed (StrangeFailure)." });
    expect(causeOf(named("StrangeException"))).toMatchObject({ retryable: false, remedy: "" });
  });

  it("that no service of AWS gave is told as such", () => {
    const error = new SyntaxError("Unexpected token '<', \"<html>hunter2\" is not valid JSON");
    Object.defineProperty(error, "$response", { value: { statusCode: 200 }, enumerable: false });
    expect(causeOf(error)).toMatchObject({
      kind: "network",
      code: "not_aws",
      said: "What answers (HTTP 200) is not AWS.",
      remedy: expect.stringMatching(/^A proxy, a login page or another server stands there\. .*HTTPS_PROXY/),
      retryable: true,
    });
    const without = Object.assign(new SyntaxError("hunter2"), { $response: undefined });
    expect(causeOf(without).said).toBe("What answers is not AWS.");
    const notAnAnswer = Object.assign(new Error("hunter2"), { $response: {} });
    expect(causeOf(notAnAnswer).code).toBe("Error");
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
      if (typeof thrown === "object" && thrown !== null) return;
      expect(causeOf(thrown)).toEqual({
        kind: "unknown",
        code: "unknown",
        said: "Something that is no error was thrown.",
        remedy: "Report it.",
        retryable: false,
      });
    },
  );
});
