import type * as pulumi from "@pulumi/pulumi";
import type { Duration } from "../../src/formats/duration.ts";
import type { ScheduleExpression } from "./schedule.ts";

/** One token to keep fresh: a secret that apps read. */
export interface TokenArgs {
  /**
   * The name of the secret.
   * @example "c2m/api-token"
   */
  name: string;
  /**
   * The ARN of a secret that is there already, named `name`, in this account and region: it is adopted. Its value is kept
   * until the first rotation, also where it is a plain token without JSON; its policy, tags, key and replicas stay its
   * owner's business.
   * @default a secret is created
   */
  secretArn?: pulumi.Input<string> | undefined;
  /**
   * The scopes that the token has. `tokens:revoke` must be among them, unless `revocation` is false: without it no token
   * of the client can revoke another.
   * @default ["jobs:submit", "jobs:read", "tokens:revoke"]
   */
  scopes?: readonly string[] | undefined;
  /**
   * The lifetime to ask C2M for: `"1 hour"` to `"90 days"`. C2M may grant less, which raises an alarm.
   * @default "60 days"
   */
  lifetime?: Duration | undefined;
  /**
   * How long a superseded token stays alive, for apps that still hold it. AWS's caching clients keep a secret for an hour.
   * @default "1 hour"
   * @example "0 hours" revokes at the end of the rotation
   */
  grace?: Duration | undefined;
  /**
   * When to rotate, in UTC.
   * @default "rate(30 days)"
   * @example "cron(0 8 1 * ? *)"
   */
  schedule?: ScheduleExpression | undefined;
  /**
   * How long after the scheduled time a rotation may begin, in whole hours. Secrets Manager picks a time within.
   * @default AWS's own: an hour where the schedule is a rate in hours, else until the end of the UTC day
   * @example "3 hours"
   */
  window?: Duration | undefined;
  /**
   * False leaves superseded tokens alive until they expire: for a client that C2M does not grant `tokens:revoke`.
   * @default true
   */
  revocation?: boolean | undefined;
}

/** What a token gets where nothing is said. */
export const tokenDefaults = {
  scopes: ["jobs:submit", "jobs:read", "tokens:revoke"],
  lifetime: "60 days",
  grace: "1 hour",
  schedule: "rate(30 days)",
  revocation: true,
} as const;
