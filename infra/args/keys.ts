import { publicBaseUrl } from "../../src/c2m/base-url.ts";

/** One thing that a user may say. Its key is the same in the stack's config, in the arguments and in messages. */
export interface Key {
  type: "string" | "integer" | "boolean" | "array" | "object";
  /** What it is, in a few words: for messages. */
  meaning: string;
  /** What it does, in whole sentences: for Pulumi.yaml, the docs and the editor. */
  says: string;
  /** What holds where nothing is said; absent: nothing does, or AWS decides. */
  default?: unknown;
}

/**
 * All that can be said of a rotation, beside its name. This is the one place of a key, its meaning and its default: tests
 * hold Pulumi.yaml, docs/deploy.md and the docs of the arguments' types to it.
 */
export const rotationKeys = {
  clientId: {
    type: "string",
    meaning: "the C2M client that the tokens are issued to",
    says: 'The C2M client that tokens are issued to, as in "c2m_1234".',
  },
  clientSecret: {
    type: "string",
    meaning: "how the client proves itself",
    says: "The client's secret. Set it by `pulumi config set --secret clientSecret`.",
  },
  otpSeed: {
    type: "string",
    meaning: "the seed of the client's one-time codes",
    says: "In place of clientSecret, the Base32 seed of the client's one-time codes. Set it with --secret.",
  },
  otpAlgorithm: {
    type: "string",
    meaning: "the algorithm of the one-time codes",
    says: 'With otpSeed, the algorithm of the codes: "SHA1", "SHA256" or "SHA512". By default SHA1.',
  },
  otpDigits: {
    type: "integer",
    meaning: "the length of the one-time codes",
    says: "With otpSeed, how many digits a code has: 6, 7 or 8. By default 6.",
  },
  otpPeriod: {
    type: "integer",
    meaning: "how long a one-time code is valid",
    says: "With otpSeed, how long a code is valid, in seconds. By default 30.",
  },
  privateKey: {
    type: "string",
    meaning: "the client's private key",
    says: "In place of clientSecret, the PEM of the client's private key. Set it by `pulumi config set --secret privateKey < key.pem`.",
  },
  keyId: {
    type: "string",
    meaning: "the id of the private key",
    says: "With privateKey, the `kid` by which C2M finds the public key.",
  },
  signingAlgorithm: {
    type: "string",
    meaning: "the algorithm of the assertion's signature",
    says: 'With privateKey, "RS256", "PS256", "ES256" or "EdDSA". By default it follows from the key.',
  },
  audience: {
    type: "string",
    meaning: "whom the assertion is for",
    says: "With privateKey, the `aud` claim; by default the URL of the call that issues.",
  },
  credentialsSecretArn: {
    type: "string",
    meaning: "a secret with the client's credentials",
    says: "The full ARN of a secret that holds the client's credentials already, in place of clientSecret.",
  },
  shortToken: {
    type: "boolean",
    meaning: "whether the present token issues the next",
    says: "Whether the present token issues the next, in place of credentials. The first token is put into its secret by hand.",
    default: false,
  },
  shortTokenGrantType: {
    type: "string",
    meaning: "the grant type of the issue call",
    says: "With shortToken, the `grant_type` to send; by default client_credentials.",
  },
  credentialsSecretName: {
    type: "string",
    meaning: "the secret that will hold the client's credentials",
    says: "The name of the secret that will hold the client's credentials. Only the rotation function may read it.",
    default: "c2m/client-credentials",
  },
  tokens: {
    type: "array",
    meaning: "the token secrets to keep fresh",
    says: "The token secrets to keep fresh, each an object with the keys below. One can be added at any time, and removed after it was decommissioned.",
  },
  baseUrl: {
    type: "string",
    meaning: "the C2M API",
    says: "The C2M API, without /auth.",
    default: publicBaseUrl,
  },
  formerBaseUrls: {
    type: "array",
    meaning: "C2Ms that were used before",
    says: "Base URLs of C2Ms that were used before and whose tokens may still live: each token is revoked where it was issued. Name the old one here when baseUrl changes, until its tokens have expired.",
    default: [],
  },
  paused: {
    type: "boolean",
    meaning: "whether nothing is rotated or revoked",
    says: "A change freeze: true begins no rotation and revokes nothing, and both say so; a rotation under way is finished. A token that reaches its expiry in the meantime is not renewed.",
    default: false,
  },
  sandbox: {
    type: "boolean",
    meaning: "whether the stack is there to be tried out",
    says: "Whether the stack is there to be tried out, and no app depends on its tokens: only then `c2m-tokens rehearse` works on it, which rotates, rolls back and revokes for real.",
    default: false,
  },
  spread: {
    type: "boolean",
    meaning: "whether tokens are rotated on different days",
    says: "For many tokens: true gives each token that has no schedule of its own a day and an hour of the month by its name, the 1st to the 28th, in place of every 30 days from its first one.",
    default: false,
  },
  recoveryWindowInDays: {
    type: "integer",
    meaning: "how long a deleted secret can be restored",
    says: "How long a deleted secret can be restored. 0 to 30, not 1 to 6; 0 lets a development stack be created again at once.",
    default: 30,
  },
  protect: {
    type: "boolean",
    meaning: "whether the secrets and the log can't be deleted",
    says: "Whether Pulumi refuses to delete the secrets and the log, and AWS the log. A deleted secret leaves its token alive at C2M; the log is the ledger of all tokens.",
    default: true,
  },
  logRetentionDays: {
    type: "integer",
    meaning: "how long the log is kept, which is the ledger of tokens",
    says: "How long the log is kept, which is the ledger of tokens. At least as long as the longest lifetime.",
    default: 120,
  },
  monitoring: {
    type: "boolean",
    meaning: "alarms, event rules, topics and dashboard",
    says: "Whether there are alarms, event rules, topics and a dashboard.",
    default: true,
  },
  alarmEmails: {
    type: "array",
    meaning: "who gets the alarms",
    says: "Who gets the alarms by e-mail. Each has to confirm the subscription.",
    default: [],
  },
  runbook: {
    type: "string",
    meaning: "where the runbook is read",
    says: "Where the runbook is read, for the alarms' descriptions.",
    default: "docs/runbook.md",
  },
  kmsKey: {
    type: "string",
    meaning: "what the secrets are encrypted with",
    says: 'The customer managed key of the secrets, a full ARN, or "create". By default AWS\'s own key. To change it, name the one before in formerKmsKeys.',
  },
  formerKmsKeys: {
    type: "array",
    meaning: "keys that the secrets had before",
    says: "Full ARNs of customer managed keys that the secrets had before: the functions may still read what is encrypted with them. Name the old one here when kmsKey changes, for 90 days.",
    default: [],
  },
  logKmsKey: {
    type: "string",
    meaning: "what the log is encrypted with",
    says: "The customer managed key of the log, a full ARN whose policy lets CloudWatch Logs use it, or \"create\" for the stack's own. By default AWS's own key.",
  },
  topicKmsKey: {
    type: "string",
    meaning: "what the topics are encrypted with",
    says: 'The customer managed key of the two topics, a full ARN whose policy lets CloudWatch and EventBridge use it, or "create" for the stack\'s own. By default they are not encrypted. `c2m-tokens doctor` tells whether alarms get through.',
  },
  replicaRegions: {
    type: "array",
    meaning: "regions with a copy of each token secret",
    says: "Regions that hold a copy of each token secret. A superseded token lives until every copy is in sync.",
    default: [],
  },
  replicaKeys: {
    type: "object",
    meaning: "the keys of the copies",
    says: "By region, the full ARN of the customer managed key that encrypts the copies there. By default AWS's own key.",
    default: {},
  },
  readers: {
    type: "array",
    meaning: "who may read the token secrets",
    says: "ARNs of the principals that may read the token secrets by the secrets' own policy.",
    default: [],
  },
  tags: {
    type: "object",
    meaning: "tags for everything",
    says: "Tags for everything that can have some, beside those that name the rotation.",
    default: {},
  },
  vpc: {
    type: "object",
    meaning: "where the functions run",
    says: "Where the functions run, as `subnetIds` and `securityGroupIds`. By default in no VPC.",
  },
  proxy: {
    type: "string",
    meaning: "the proxy of the functions",
    says: 'The proxy by which the functions reach C2M and AWS, as in "http://proxy.example.com:3128". By default none.',
  },
  noProxy: {
    type: "array",
    meaning: "hosts that are reached without the proxy",
    says: 'With proxy, the hosts that are reached without it; ".amazonaws.com" where the VPC has endpoints for Secrets Manager and CloudWatch Logs.',
    default: [],
  },
  caCertificates: {
    type: "string",
    meaning: "private certificate authorities",
    says: "Certificates (PEM) of private authorities that the functions trust beside the public ones, as those of a proxy that inspects TLS. By default none.",
  },
  tracing: {
    type: "boolean",
    meaning: "whether X-Ray traces the functions",
    says: "Whether X-Ray traces the functions.",
    default: false,
  },
  permissionsBoundary: {
    type: "string",
    meaning: "what the functions' roles may do at most",
    says: "The ARN of a policy that bounds what the functions' roles may do. By default none.",
  },
  memorySize: {
    type: "integer",
    meaning: "the functions' memory",
    says: "The functions' memory, in MB: 128 to 10240.",
    default: 256,
  },
  reservedConcurrency: {
    type: "integer",
    meaning: "the concurrency kept for the rotator",
    says: "How many runs of the rotator the account keeps room for, and allows at most: 10 at least, since Secrets Manager starts steps of several secrets at once. By default none is reserved.",
  },
} as const satisfies Record<string, Key>;

/** All that can be said of one token. */
export const tokenKeys = {
  name: {
    type: "string",
    meaning: "the secret that apps read",
    says: 'The name of the secret that apps read, as in "c2m/api-token".',
  },
  secretArn: {
    type: "string",
    meaning: "the secret that is adopted",
    says: "The full ARN of a secret of that name that is there already, in this account and region: it is adopted. Its policy, tags, key and replicas stay its owner's. By default a secret is created.",
  },
  scopes: {
    type: "array",
    meaning: "what the token may do",
    says: "The scopes of the token; `tokens:revoke` must be among them, unless `revocation` is false.",
    default: ["jobs:submit", "tokens:revoke"],
  },
  lifetime: {
    type: "string",
    meaning: "the lifetime to ask C2M for",
    says: 'The lifetime to ask C2M for, "1 hour" to "90 days". C2M may grant less; where the next rotation comes too late for that, an alarm says so.',
    default: "60 days",
  },
  grace: {
    type: "string",
    meaning: "how long a superseded token stays alive",
    says: 'How long a superseded token stays alive, for apps that still hold it; "0 hours" revokes at the end of the rotation. AWS\'s caching clients keep a secret for an hour.',
    default: "1 hour",
  },
  schedule: {
    type: "string",
    meaning: "when to rotate",
    says: 'When to rotate, in UTC, every four hours at most: "rate(30 days)", or "cron(0 8 1 * ? *)" for the first of each month at 8:00.',
    default: "rate(30 days)",
  },
  window: {
    type: "string",
    meaning: "how long after the scheduled time a rotation may begin",
    says: 'How long after the scheduled time a rotation may begin, in whole hours, as in "3 hours". By default AWS\'s own: an hour where it comes several times a day, else until the end of the UTC day.',
  },
  revocation: {
    type: "boolean",
    meaning: "whether superseded tokens are revoked",
    says: "False leaves superseded tokens alive until they expire, and needs no `tokens:revoke`.",
    default: true,
  },
  retire: {
    type: "boolean",
    meaning: "whether the token is given up",
    says: "True rotates the secret no more; the reconciler goes on until nothing is left to revoke.",
    default: false,
  },
  deadVersions: {
    type: "array",
    meaning: "versions whose token is known to be dead",
    says: "Ids of versions that hold a token without an id, which a person knows to be dead: they are no longer reported.",
    default: [],
  },
} as const satisfies Record<string, Key>;

export type RotationKey = keyof typeof rotationKeys;
export type TokenKey = keyof typeof tokenKeys;

/** The keys of which exactly one is said: how the client proves itself. */
export const mechanismKeys = ["clientSecret", "otpSeed", "privateKey", "credentialsSecretArn", "shortToken"] as const;
