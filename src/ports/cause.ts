import { RetryableError, RotationError } from "./errors.ts";

export type CauseKind =
  /** The other side was not reached, or the connection to it broke. */
  | "network"
  /** The other side was reached, and its certificate or its TLS was not accepted. */
  | "tls"
  /** AWS doesn't know who asks: no credentials, or ones that are expired or not valid. */
  | "credentials"
  /** AWS knows who asks and does not allow it. */
  | "denied"
  | "not_found"
  | "throttled"
  /** The request, or what it is about, is not in order. */
  | "invalid"
  /** No answer in time. */
  | "timeout"
  | "unknown";

/** What a failure comes from and what to do about it, in words that hold no secret. */
export interface Cause {
  kind: CauseKind;
  /** The name that AWS, Node or OpenSSL gives it, such as `ECONNREFUSED` or `ExpiredTokenException`. */
  code: string;
  /** What happened: one sentence or more. */
  said: string;
  /** What to do: a command, or a sentence. Empty where nobody can know. */
  remedy: string;
  /** Whether the same may succeed later, without anybody doing anything. */
  retryable: boolean;
}

/** What the caller knows and the error does not. */
export interface Circumstances {
  /** The AWS profile in use, for the commands that mend its credentials. */
  profile?: string | undefined;
  /** Nothing secret was sent, so AWS's own sentence, which may repeat what was sent, may be told. Default false. */
  mayQuote?: boolean;
}

interface Facts {
  code: string;
  message: string;
  /** ` host:port`, or nothing. */
  at: string;
  profile: string | undefined;
}

type Text = string | ((facts: Facts) => string);

interface Rule {
  /** Fits one of the error's code and names. */
  names: RegExp;
  /** Fits its text, where the names say too little. */
  text?: RegExp;
  kind: CauseKind;
  said: Text;
  remedy: Text;
  retryable?: boolean;
}

const privateCa =
  "If your network inspects TLS, or the host has a private CA, set NODE_EXTRA_CA_CERTS to a file (PEM) with that CA's certificates.";
const wayOut = "Check the network, the proxy (HTTPS_PROXY, NO_PROXY), and the endpoint's address and region.";
const keyRemedy = "Check the KMS key, its state and its policy.";

/** ` --profile NAME`, quoted where a shell needs it. */
const flag = ({ profile }: Facts) =>
  profile === undefined
    ? ""
    : ` --profile ${/^[\w.@-]+$/.test(profile) ? profile : `'${profile.replaceAll("'", "'\\''")}'`}`;
const ofProfile = ({ profile }: Facts) => (profile === undefined ? "" : ` of the profile "${profile}"`);
const newSession = (facts: Facts) =>
  `aws sso login${flag(facts)}, if the profile uses SSO; else get new credentials the way you got these.`;

const wrongClock = {
  kind: "credentials",
  said: "AWS refuses the request's time: this machine's clock is more than 5 minutes off",
  remedy: "Set the clock (with NTP).",
} as const;

/** The first that fits counts. */
const rules: readonly Rule[] = [
  {
    names: /^(ENOTFOUND|EAI_\w+)$/,
    kind: "network",
    said: ({ at }) => `The host's name${at} can't be resolved`,
    remedy: `Check the network and its DNS. ${wayOut}`,
    retryable: true,
  },
  {
    names: /^(ETIMEDOUT|ESOCKETTIMEDOUT|timed_out|UND_ERR_\w*TIMEOUT|RequestTimeout(Exception)?)$/,
    kind: "timeout",
    said: ({ at }) => `${at.trim() || "The other side"} did not answer in time`,
    remedy: wayOut,
    retryable: true,
  },
  {
    names: /^(ECONN\w+|EHOST\w+|ENET\w+|EPIPE|EADDRNOTAVAIL|UND_ERR_\w+|ERR_SOCKET\w*|ERR_STREAM_PREMATURE_CLOSE)$/,
    kind: "network",
    said: ({ at, code }) =>
      code === "ECONNREFUSED"
        ? `Nothing accepts connections${at ? ` at${at}` : " there"}`
        : `The connection${at && ` to${at}`} failed`,
    remedy: wayOut,
    retryable: true,
  },
  {
    names: /^(ERR_PROXY\w*|HPE_\w+)$/,
    kind: "network",
    said: ({ at }) => `What answers${at || " there"} speaks no HTTP, or a proxy refused the connection`,
    remedy: wayOut,
    retryable: true,
  },
  {
    names: /^(CERT_(HAS_EXPIRED|NOT_YET_VALID)|CRL_(HAS_EXPIRED|NOT_YET_VALID))$/,
    kind: "tls",
    said: ({ at }) => `The certificate${at && ` of${at}`} is not valid at this machine's time`,
    remedy: `Check this machine's clock; else the host's certificate has to be renewed. ${privateCa}`,
  },
  {
    names: /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    kind: "tls",
    said: "The certificate is for another host than the one that was asked for",
    remedy: `Check the endpoint's address. ${privateCa}`,
  },
  {
    names: /^(EPROTO|ERR_SSL_\w+|ERR_TLS_\w+)$/,
    kind: "tls",
    said: "The other side's TLS can't be understood",
    remedy: `Check that the endpoint's address fits: https where TLS is spoken, http where not. ${privateCa}`,
  },
  {
    // Every code of OpenSSL's verification that Node passes on.
    names:
      /^(UNABLE_TO_\w+|SELF_SIGNED_\w+|DEPTH_ZERO_\w+|CERT_\w+|CRL_\w+|ERROR_IN_C\w+|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/,
    kind: "tls",
    said: ({ at }) => `The certificate${at && ` of${at}`} is not trusted`,
    remedy: privateCa,
  },
  {
    names: /(Throttl|TooManyRequests|RequestLimitExceeded|^SlowDown|BandwidthLimitExceeded|ThroughputExceeded)/,
    kind: "throttled",
    said: "AWS is throttling this account",
    remedy: "Try again later.",
    retryable: true,
  },
  {
    names: /ProviderError$/,
    text: /certificate/i,
    kind: "tls",
    said: "The certificate of the service that gives the credentials is not trusted",
    remedy: privateCa,
  },
  {
    names: /ProviderError$/,
    text: /multi-factor/i,
    kind: "credentials",
    said: (facts) => `The role${ofProfile(facts)} needs a code (MFA), which only the AWS CLI asks for`,
    remedy: (facts) =>
      `eval "$(aws configure export-credentials${flag(facts)} --format env)"; unset AWS_PROFILE AWS_DEFAULT_PROFILE`,
  },
  {
    names: /ProviderError$/,
    text: /aws login|Please reauthenticate|login_session/i,
    kind: "credentials",
    said: (facts) => `The login session${ofProfile(facts)} is missing or has expired`,
    remedy: (facts) => `aws login${flag(facts)}`,
  },
  {
    names: /ProviderError$/,
    text: /SSO|UnauthorizedException|InvalidGrantException|ExpiredTokenException|Token is expired/,
    kind: "credentials",
    said: (facts) => `The SSO session${ofProfile(facts)} is missing or has expired`,
    remedy: (facts) => `aws sso login${flag(facts)}`,
  },
  {
    names: /ProviderError$/,
    text: /ForbiddenException|No access/,
    kind: "credentials",
    said: (facts) => `AWS SSO gives no credentials for the account and role${ofProfile(facts)}`,
    remedy: "Check sso_account_id and sso_role_name in ~/.aws/config, and that the role is assigned to you.",
  },
  {
    names: /ProviderError$/,
    text: /could not be found|was not found|Could not resolve credentials using profile/,
    kind: "credentials",
    said: (facts) => `There are no credentials${ofProfile(facts) || " in the AWS configuration files"}`,
    remedy: "`aws configure list-profiles` shows the profiles there are. Set AWS_PROFILE to one of them.",
  },
  {
    names: /ProviderError$/,
    text: /^Command failed|credential_process/,
    kind: "credentials",
    said: (facts) => `The credential_process${ofProfile(facts)} failed`,
    remedy: "Run the command that ~/.aws/config names there, and see what it says.",
  },
  {
    names: /ProviderError$/,
    kind: "credentials",
    said: ({ profile }) =>
      profile === undefined ? "There are no AWS credentials" : `The profile "${profile}" gives no AWS credentials`,
    remedy: ({ profile }) =>
      profile === undefined
        ? "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as for the AWS CLI."
        : `\`aws configure list-profiles\` shows the profiles there are; \`aws sts get-caller-identity${flag({ profile } as Facts)}\` says what is wrong with this one.`,
  },
  {
    names: /^(InvalidSignature\w*|SignatureDoesNotMatch)$/,
    text: /expired|skew|not yet current/i,
    ...wrongClock,
  },
  { names: /^Request(Expired|TimeTooSkewed|InTheFuture)$/, ...wrongClock },
  {
    names: /^(ExpiredToken\w*|TokenRefreshRequired\w*)$/,
    kind: "credentials",
    said: (facts) => `The session${ofProfile(facts)} has expired`,
    remedy: newSession,
  },
  {
    names:
      /^(UnrecognizedClient\w*|InvalidClientTokenId\w*|InvalidAccessKeyId\w*|AuthFailure|InvalidSignature\w*|SignatureDoesNotMatch|IncompleteSignature\w*|MissingAuthentication\w*|InvalidIdentityToken\w*|IDPRejectedClaim\w*|UnauthorizedException|NotAuthorizedException|InvalidGrantException)$/,
    kind: "credentials",
    said: (facts) => `The credentials${ofProfile(facts)} are not valid at this endpoint`,
    remedy: "Check the access key, the account, the region and the partition.",
  },
  {
    names: /AccessDenied/,
    text: /sts:AssumeRole/,
    kind: "credentials",
    said: (facts) => `The role${ofProfile(facts)} may not be assumed`,
    remedy:
      "Check role_arn and source_profile in ~/.aws/config, the role's trust policy, and the policy of who assumes it.",
  },
  {
    names: /^(Decryption|Encryption)Failure|^KMS|^(Disabled|KeyUnavailable)Exception$/,
    kind: "denied",
    said: "KMS can't use the secret's key",
    remedy: keyRemedy,
  },
  {
    names: /AccessDenied|Forbidden|UnauthorizedOperation|AuthorizationError|OptInRequired|RegionDisabled/,
    kind: "denied",
    said: ({ message }) => `AWS denied ${actionOf(message) ?? "it"}`,
    remedy: ({ message }) =>
      /kms/i.test(message)
        ? `Allow kms:Decrypt on the secret's key to who calls. ${keyRemedy}`
        : "Allow it to who calls, and kms:Decrypt on the secret's key where that is one of your own.",
  },
  {
    names: /^(ResourceNotFound|NotFound|NoSuchEntity|NoSuchKey)/,
    kind: "not_found",
    said: "AWS does not find it",
    remedy: "Check the name, the account and the region.",
  },
  {
    names: /^(InvalidRequest|PreconditionNotMet|InvalidState|ResourceConflict|ResourceInUse)/,
    kind: "invalid",
    said: "AWS refuses it in the resource's present state",
    remedy: "Look at the resource: a secret may be scheduled for deletion.",
  },
  {
    names: /^(LimitExceeded|ServiceQuotaExceeded)/,
    kind: "invalid",
    said: "A quota of AWS is reached",
    remedy: "Look at the resource's size and number, and at the account's quotas.",
  },
  { names: /^ResourceExists/, kind: "invalid", said: "It exists already, and is another", remedy: "" },
  {
    names:
      /^(Invalid\w*|Validation\w*|Malformed\w*|Serialization\w*|MissingParameter\w*|UnknownOperation\w*)(Exception|Error)$/,
    kind: "invalid",
    said: "AWS refuses the request's parameters",
    remedy: "Check the names that were given.",
  },
  {
    names: /^(Internal|ServiceUnavailable|ServiceException|ServiceError)/,
    kind: "unknown",
    said: "AWS failed",
    remedy: "Try again later.",
    retryable: true,
  },
  {
    names: /^(Timeout|Abort)Error$/,
    kind: "timeout",
    said: ({ at }) => `${at.trim() || "The other side"} did not answer in time`,
    remedy: wayOut,
    retryable: true,
  },
  {
    names: /^Error$/,
    text: /^Region is missing$/,
    kind: "invalid",
    said: "The AWS region is missing",
    remedy: "Set AWS_REGION, or region in the profile.",
  },
];

/** How many errors within errors are looked at. */
const mostErrors = 30;

/**
 * What a failure comes from, for command line, client and functions alike: told by codes and names, AWS's, Node's and
 * OpenSSL's, and of texts only what names an action, a resource or a profile. Errors within errors (`cause`, the
 * attempts of a connection) are followed. Never throws.
 */
export function causeOf(error: unknown, circumstances: Circumstances = {}): Cause {
  const errors = within(error);
  for (const one of errors) {
    const cause = known(one, circumstances);
    if (cause) return cause;
  }
  return unknown(errors, circumstances);
}

/** Node's and undici's codes for a connection that never came about … */
const neverConnected = /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|UND_ERR_CONNECT_TIMEOUT|ERR_PROXY_\w+)$/;
/** … the calls in which any other code means it … */
const connecting = new Set(["connect", "getaddrinfo"]);
/** … and what the AWS SDK says, which has no code for it. */
const sdkConnectTimeout = /did not establish a connection/;

/** Whether not one byte of a request can have been sent, by the error that ended its only attempt. */
export function isUnsent(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, syscall, message, errors, cause } = error as Fields;
  // The attempts at a host's addresses: each of them must have failed before it was connected.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(isUnsent);
  if (neverConnected.test(text(code) ?? "") || connecting.has(text(syscall) ?? "")) return true;
  return sdkConnectTimeout.test(text(message) ?? "") || isUnsent(cause);
}

/** Any error, as far as it can be read. */
type Fields = Partial<Record<string, unknown>>;

function within(error: unknown, found: Fields[] = []): Fields[] {
  if (typeof error !== "object" || error === null || found.includes(error as Fields)) return found;
  if (found.length >= mostErrors) return found;
  const fields = error as Fields;
  // The attempts of a connection know their addresses; what holds them doesn't.
  if (Array.isArray(fields.errors)) for (const one of fields.errors) within(one, found);
  found.push(fields);
  return within(fields.cause, found);
}

function known(error: Fields, { profile, mayQuote = false }: Circumstances): Cause | undefined {
  const message = text(error.message) ?? "";
  const facts: Facts = { code: "", message, at: addressOf(error), profile: profileIn(message) ?? profile };
  const foreign = notAws(error);
  if (foreign) return foreign;
  for (const code of namesOf(error, message)) {
    const rule = rules.find(({ names, text: rest }) => names.test(code) && (!rest || rest.test(message)));
    if (!rule) continue;
    const told = { ...facts, code };
    const of = (said: Text) => (typeof said === "string" ? said : said(told));
    const { kind, retryable = false } = rule;
    const words = actionOf(message) === undefined ? message : (/ because (.+)$/s.exec(message)?.[1] ?? "");
    const { httpStatusCode: status, attempts = 1 } = metadataOf(error);
    const quoted = mayQuote && status !== undefined && words !== "" ? `: ${sentence(words)}` : ".";
    const tried = retryable && attempts > 1 ? ` It was tried ${attempts} times.` : "";
    return { kind, code, said: `${of(rule.said)} (${code})${quoted}${tried}`, remedy: of(rule.remedy), retryable };
  }
  return undefined;
}

/**
 * The SDK's credential providers put what stopped them into a text, its code or name included: that says more than the
 * provider's own name.
 */
function namesOf(error: Fields, message: string): string[] {
  const name = text(error.name) ?? "";
  const inText = /ProviderError$/.test(name)
    ? (message.match(/\b(E[A-Z]{4,}|[A-Z]+(_[A-Z]+){2,}|TimeoutError)\b/g) ?? [])
    : [];
  return [...inText, text(error.code), text(error.reason), name, text(error.Code)].filter((one) => one !== undefined);
}

/** An answer that no service of AWS gives, as that of a proxy or of a hotel's login page: the SDK can't read it. */
function notAws(error: Fields): Cause | undefined {
  if (error.name !== "SyntaxError" || !("$response" in error)) return undefined;
  const { statusCode } = (error.$response ?? {}) as { statusCode?: number };
  return {
    kind: "network",
    code: "not_aws",
    said: `What answers${statusCode === undefined ? "" : ` (HTTP ${statusCode})`} is not AWS.`,
    remedy: `A proxy, a login page or another server stands there. ${wayOut}`,
    retryable: true,
  };
}

function unknown(errors: Fields[], { mayQuote = false }: Circumstances): Cause {
  const [first] = errors;
  if (!first) {
    return {
      kind: "unknown",
      code: "unknown",
      said: "Something that is no error was thrown.",
      remedy: "Report it.",
      retryable: false,
    };
  }
  const ours = errors.find((one) => one instanceof RotationError) as RotationError | undefined;
  if (ours) {
    return {
      kind: "unknown",
      code: ours.code,
      said: ours.message,
      remedy: "",
      retryable: ours instanceof RetryableError,
    };
  }
  const name = text(first.name) ?? "Error";
  const code = text(first.code) ?? name;
  const aws = errors.find((one) => "$metadata" in one);
  if (aws) {
    const { httpStatusCode: status } = metadataOf(aws);
    const message = text(aws.message) ?? "";
    // Without a status it has not answered.
    const retryable = status === undefined || status >= 500;
    const what = `AWS ${retryable ? "failed" : "refused it"} (${[text(aws.name), status && `HTTP ${status}`].filter(Boolean).join(", ")})`;
    return {
      kind: "unknown",
      code: text(aws.name) ?? code,
      said: mayQuote && message !== "" ? `${what}: ${sentence(message)}` : `${what}.`,
      remedy: retryable ? "Try again later." : "",
      retryable,
    };
  }
  const names = name === code ? name : `${name}, ${code}`;
  return {
    kind: "unknown",
    code,
    said: `An unexpected error${placeOf(first)} (${names}).`,
    remedy: "Report it.",
    retryable: false,
  };
}

/** ` in status.ts:12:5`: where it was thrown, which tells more than its kind and holds nothing of its text. */
function placeOf({ stack, message }: Fields): string {
  const frames = (text(stack) ?? "").replace(text(message) ?? "", "");
  const place = /^ {4}at .*?([\w.-]+:\d+:\d+)\)?$/m.exec(frames)?.[1];
  return place === undefined ? "" : ` in ${place}`;
}

/** What AWS says may not be done: `secretsmanager:GetSecretValue on arn:…`. */
function actionOf(message: string): string | undefined {
  const [, action, resource] =
    /not authorized to perform: ([\w-]+:[\w*]+)(?: on (?:the )?resource: (arn:[\w:/+=,.@*-]+))?/.exec(message) ?? [];
  return resource === undefined ? action : `${action} on ${resource}`;
}

function profileIn(message: string): string | undefined {
  return /\bprofile[ =:]*\[([^\]\n]+)\]|\bprofile=(\S+)|\bProfile '?([\w.@-]+)'? (?:requires|could not be found|was not found|is not configured|does not contain)/
    .exec(message)
    ?.slice(1)
    .find((one) => one !== undefined);
}

/** What the SDK adds to any error that ends its tries; the status only where AWS answered. */
function metadataOf({ $metadata }: Fields): { httpStatusCode?: number; attempts?: number } {
  return typeof $metadata === "object" && $metadata !== null ? $metadata : {};
}

function addressOf({ hostname, address, port }: Fields): string {
  const host = text(hostname) ?? text(address);
  return host === undefined ? "" : ` ${host}${typeof port === "number" ? `:${port}` : ""}`;
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
