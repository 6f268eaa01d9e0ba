import type * as pulumi from "@pulumi/pulumi";
import type { TokenArgs } from "./token-args.ts";

/**
 * Arguments of `TokenRotation`, which are the keys of the stack's config, too. What another resource may give is an
 * `Input` and is checked when it is known; structure and rules are plain, so that everything is checked at preview.
 */
export interface TokenRotationArgs {
  /** The C2M client that tokens are issued to, as in "c2m_1234". */
  clientId: pulumi.Input<string>;
  /** The client's secret. Set it by `pulumi config set --secret clientSecret`. */
  clientSecret?: pulumi.Input<string> | undefined;
  /** In place of clientSecret, the Base32 seed of the client's one-time codes. Set it with --secret. */
  otpSeed?: pulumi.Input<string> | undefined;
  /** With otpSeed, the algorithm of the codes: "SHA1", "SHA256" or "SHA512". By default SHA1. */
  otpAlgorithm?: string | undefined;
  /** With otpSeed, how many digits a code has: 6, 7 or 8. By default 6. */
  otpDigits?: number | undefined;
  /** With otpSeed, how long a code is valid, in seconds. By default 30. */
  otpPeriod?: number | undefined;
  /**
   * In place of clientSecret, the PEM of the client's private key. Set it by `pulumi config set --secret privateKey <
   * key.pem`.
   */
  privateKey?: pulumi.Input<string> | undefined;
  /** With privateKey, the `kid` by which C2M finds the public key. */
  keyId?: pulumi.Input<string> | undefined;
  /** With privateKey, "RS256", "PS256", "ES256" or "EdDSA". By default it follows from the key. */
  signingAlgorithm?: string | undefined;
  /** With privateKey, the `aud` claim; by default the URL of the call that issues. */
  audience?: pulumi.Input<string> | undefined;
  /** The full ARN of a secret that holds the client's credentials already, in place of clientSecret. */
  credentialsSecretArn?: pulumi.Input<string> | undefined;
  /**
   * Whether the present token issues the next, in place of credentials. The first token is put into its secret by
   * hand.
   * @default false
   */
  shortToken?: boolean | undefined;
  /** With shortToken, the `grant_type` to send; by default client_credentials. */
  shortTokenGrantType?: string | undefined;
  /**
   * The name of the secret that will hold the client's credentials. Only the rotation function may read it.
   * @default "c2m/client-credentials"
   */
  credentialsSecretName?: string | undefined;
  /**
   * The token secrets to keep fresh, each an object with the keys below. One can be added at any time, and removed
   * after it was decommissioned.
   */
  tokens: TokenArgs[];
  /**
   * The C2M API, without /auth.
   * @default "https://api.click2mail.com/v2"
   */
  baseUrl?: pulumi.Input<string> | undefined;
  /**
   * Base URLs of C2Ms that were used before and whose tokens may still live: each token is revoked where it was
   * issued. Name the old one here when baseUrl changes, until its tokens have expired.
   * @default []
   */
  formerBaseUrls?: string[] | undefined;
  /**
   * A change freeze: true begins no rotation and revokes nothing, and both say so; a rotation under way is finished.
   * A token that reaches its expiry in the meantime is not renewed.
   * @default false
   */
  paused?: boolean | undefined;
  /**
   * Whether the stack is there to be tried out, and no app depends on its tokens: only then `c2m-tokens rehearse`
   * works on it, which rotates, rolls back and revokes for real.
   * @default false
   */
  sandbox?: boolean | undefined;
  /**
   * For many tokens: true gives each token that has no schedule of its own a day and an hour of the month by its
   * name, the 1st to the 28th, in place of every 30 days from its first one.
   * @default false
   */
  spread?: boolean | undefined;
  /**
   * How long a deleted secret can be restored. 0 to 30, not 1 to 6; 0 lets a development stack be created again at
   * once.
   * @default 30
   */
  recoveryWindowInDays?: number | undefined;
  /**
   * Whether Pulumi refuses to delete the secrets and the log, and AWS the log. A deleted secret leaves its token
   * alive at C2M; the log is the ledger of all tokens.
   * @default true
   */
  protect?: boolean | undefined;
  /**
   * How long the log is kept, which is the ledger of tokens. At least as long as the longest lifetime.
   * @default 120
   */
  logRetentionDays?: number | undefined;
  /**
   * Whether there are alarms, event rules, topics and a dashboard.
   * @default true
   */
  monitoring?: boolean | undefined;
  /**
   * Who gets the alarms by e-mail. Each has to confirm the subscription.
   * @default []
   */
  alarmEmails?: pulumi.Input<string>[] | undefined;
  /**
   * Where the runbook is read, for the alarms' descriptions.
   * @default "docs/runbook.md"
   */
  runbook?: string | undefined;
  /**
   * The customer managed key of the secrets, a full ARN, or "create". By default AWS's own key. To change it, name
   * the one before in formerKmsKeys.
   */
  kmsKey?: pulumi.Input<string> | undefined;
  /**
   * Full ARNs of customer managed keys that the secrets had before: the functions may still read what is encrypted
   * with them. Name the old one here when kmsKey changes, for 90 days.
   * @default []
   */
  formerKmsKeys?: pulumi.Input<string>[] | undefined;
  /**
   * The customer managed key of the log, a full ARN whose policy lets CloudWatch Logs use it, or "create" for the
   * stack's own. By default AWS's own key.
   */
  logKmsKey?: pulumi.Input<string> | undefined;
  /**
   * The customer managed key of the two topics, a full ARN whose policy lets CloudWatch and EventBridge use it, or
   * "create" for the stack's own. By default they are not encrypted. `c2m-tokens doctor` tells whether alarms get
   * through.
   */
  topicKmsKey?: pulumi.Input<string> | undefined;
  /**
   * Regions that hold a copy of each token secret. A superseded token lives until every copy is in sync.
   * @default []
   */
  replicaRegions?: string[] | undefined;
  /**
   * By region, the full ARN of the customer managed key that encrypts the copies there. By default AWS's own key.
   * @default {}
   */
  replicaKeys?: { [region: string]: pulumi.Input<string> } | undefined;
  /**
   * ARNs of the principals that may read the token secrets by the secrets' own policy.
   * @default []
   */
  readers?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /**
   * Tags for everything that can have some, beside those that name the rotation.
   * @default {}
   */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }> | undefined;
  /** Where the functions run, as `subnetIds` and `securityGroupIds`. By default in no VPC. */
  vpc?: VpcArgs | undefined;
  /** The proxy by which the functions reach C2M and AWS, as in "http://proxy.example.com:3128". By default none. */
  proxy?: pulumi.Input<string> | undefined;
  /**
   * With proxy, the hosts that are reached without it; ".amazonaws.com" where the VPC has endpoints for Secrets
   * Manager and CloudWatch Logs.
   * @default []
   */
  noProxy?: string[] | undefined;
  /**
   * Certificates (PEM) of private authorities that the functions trust beside the public ones, as those of a proxy
   * that inspects TLS. By default none.
   */
  caCertificates?: pulumi.Input<string> | undefined;
  /**
   * Whether X-Ray traces the functions.
   * @default false
   */
  tracing?: boolean | undefined;
  /** The ARN of a policy that bounds what the functions' roles may do. By default none. */
  permissionsBoundary?: pulumi.Input<string> | undefined;
  /**
   * The functions' memory, in MB: 128 to 10240.
   * @default 256
   */
  memorySize?: number | undefined;
  /**
   * How many runs of the rotator the account keeps room for, and allows at most: 10 at least, since Secrets Manager
   * starts steps of several secrets at once. By default none is reserved.
   */
  reservedConcurrency?: number | undefined;
}

/** Where the functions have their network interfaces. They need a way to C2M, Secrets Manager and CloudWatch Logs. */
export interface VpcArgs {
  /** The subnets, as in `["subnet-1", "subnet-2"]`; 16 at most. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** The security groups; 5 at most. */
  securityGroupIds: pulumi.Input<pulumi.Input<string>[]>;
}
