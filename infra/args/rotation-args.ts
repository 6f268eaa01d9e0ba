import type * as pulumi from "@pulumi/pulumi";
import { publicBaseUrl } from "../../src/c2m/base-url.ts";
import type { CredentialsArgs } from "./credentials-args.ts";
import type { TokenArgs } from "./token-args.ts";

/** Arguments of `TokenRotation`. */
export interface TokenRotationArgs {
  /** The C2M client that the tokens are issued to. */
  clientId: string;
  /** How the client proves itself. */
  credentials: CredentialsArgs;
  /** The token secrets. One can be added or removed at any time; a removed one has to be decommissioned first. */
  tokens: readonly TokenArgs[];
  /**
   * The C2M API, without `/auth`.
   * @default "https://api.click2mail.com/v2"
   */
  baseUrl?: string | undefined;
  /**
   * How long a deleted secret can be restored, in days: 7 to 30, or 0, which deletes at once and lets a development stack
   * be created again under the same names.
   * @default 30
   */
  recoveryWindowInDays?: number | undefined;
  /**
   * Whether Pulumi refuses to delete the secrets, their key and the log. A deleted secret leaves its token alive at C2M,
   * unseen, and its name is taken for the recovery window; the log is the ledger of all tokens.
   * @default true
   */
  protect?: boolean | undefined;
  /**
   * How long the functions' log is kept, in days. It is the ledger of issued and revoked tokens, so it must be kept at
   * least as long as the longest lifetime.
   * @default 120
   */
  logRetentionDays?: number | undefined;
  /**
   * Alarms, event rules and dashboard; false creates none.
   * @default {}
   */
  monitoring?: MonitoringOptions | false | undefined;
  /**
   * The customer managed KMS key that the secrets are encrypted with: its full ARN, or `"create"` for one of their own.
   * @default AWS's key for Secrets Manager, which apps of other accounts can't use
   */
  kmsKey?: EncryptionKey | undefined;
  /** Regions that hold a copy of each token secret. A superseded token lives until every copy is in sync. @default none */
  replicas?: readonly ReplicaArgs[] | undefined;
  /**
   * ARNs of the principals that may read the token secrets by the secrets' own policy. @default none: the account's
   * identity policies decide alone
   */
  readers?: readonly pulumi.Input<string>[] | undefined;
  /** Tags for everything that can have some, beside those that name the rotation. @default {} */
  tags?: Record<string, string> | undefined;
  /** Runs the functions in a VPC. It needs a way to C2M, Secrets Manager and CloudWatch Logs. @default none */
  vpc?: VpcArgs | undefined;
  /** Whether X-Ray traces the functions. @default false */
  tracing?: boolean | undefined;
}

/** The full ARN of a customer managed key, or `"create"`. */
export type EncryptionKey = "create" | pulumi.Input<string>;

/** A copy of every token secret. */
export interface ReplicaArgs {
  /** @example "eu-west-1" */
  region: string;
  /** ARN of a customer managed key of that region. @default AWS's key there */
  kmsKeyArn?: pulumi.Input<string> | undefined;
}

/** Where a function has its network interfaces. */
export interface VpcArgs {
  subnetIds: readonly pulumi.Input<string>[];
  securityGroupIds: readonly pulumi.Input<string>[];
}

/** What of the monitoring can be chosen. */
export interface MonitoringOptions {
  /** Who gets the alarms by e-mail; each has to confirm a subscription. @default none */
  emails?: readonly string[] | undefined;
  /** Where the runbook is read, for the alarms' descriptions. @default "docs/runbook.md" */
  runbook?: string | undefined;
}

/** What `TokenRotation` does where nothing is said. */
export const rotationDefaults = {
  baseUrl: publicBaseUrl,
  recoveryWindowInDays: 30,
  protect: true,
  logRetentionDays: 120,
  runbook: "docs/runbook.md",
} as const;
