import type * as pulumi from "@pulumi/pulumi";

/** One token to keep fresh: a secret that apps read. */
export interface TokenArgs {
  /** The name of the secret that apps read, as in "c2m/api-token". */
  name: string;
  /**
   * The full ARN of a secret of that name that is there already, in this account and region: it is adopted. Its
   * policy, tags, key and replicas stay its owner's. By default a secret is created.
   */
  secretArn?: pulumi.Input<string> | undefined;
  /**
   * The scopes of the token; `tokens:revoke` must be among them, unless `revocation` is false.
   * @default ["jobs:submit","tokens:revoke"]
   */
  scopes?: string[] | undefined;
  /**
   * The lifetime to ask C2M for, "1 hour" to "90 days". C2M may grant less; where the next rotation comes too late
   * for that, an alarm says so.
   * @default "60 days"
   */
  lifetime?: string | undefined;
  /**
   * How long a superseded token stays alive, for apps that still hold it; "0 hours" revokes at the end of the
   * rotation. AWS's caching clients keep a secret for an hour.
   * @default "1 hour"
   */
  grace?: string | undefined;
  /**
   * When to rotate, in UTC, every four hours at most: "rate(30 days)", or "cron(0 8 1 * ? *)" for the first of each
   * month at 8:00.
   * @default "rate(30 days)"
   */
  schedule?: string | undefined;
  /**
   * How long after the scheduled time a rotation may begin, in whole hours, as in "3 hours". By default AWS's own: an
   * hour where it comes several times a day, else until the end of the UTC day.
   */
  window?: string | undefined;
  /**
   * False leaves superseded tokens alive until they expire, and needs no `tokens:revoke`.
   * @default true
   */
  revocation?: boolean | undefined;
  /**
   * True rotates the secret no more; the reconciler goes on until nothing is left to revoke.
   * @default false
   */
  retire?: boolean | undefined;
  /**
   * Ids of versions that hold a token without an id, which a person knows to be dead: they are no longer reported.
   * @default []
   */
  deadVersions?: string[] | undefined;
}
