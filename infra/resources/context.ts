import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { ledgerGroup } from "../../src/formats/ledger.ts";
import { inPlace } from "../args/place-rules.ts";
import type { RotationPlan } from "../args/plan.ts";
import { createKey, type Place } from "./key.ts";
import { awsManagedKey, keyAfter, lookAtStanding } from "./standing.ts";

/** What every family of resources is given. */
export interface StackContext extends Place {
  plan: RotationPlan;
  /** For resources: below the component, and after the log group. */
  child: { parent: pulumi.Resource; dependsOn: pulumi.Resource[] };
  /** The log of both functions, and the ledger of tokens. */
  logGroup: aws.cloudwatch.LogGroup;
  /** The ARNs of the customer managed keys; undefined where there is none. */
  keys: Record<"secrets" | "log" | "topics", pulumi.Output<string> | undefined>;
  /** What the secrets are encrypted with: AWS's own key has to be named, or a secret that had another would keep it. */
  secretKeyId: pulumi.Output<string>;
}

/**
 * Makes the log group, which all but the key depends on: AWS refuses one whose name is taken, while it would silently
 * overwrite the alarms, topics and dashboard of another stack of the same name.
 */
export function createContext(given: RotationPlan, parent: pulumi.Resource): StackContext {
  const child = { parent };
  const place = {
    accountId: aws.getCallerIdentityOutput({}, child).accountId,
    region: aws.getRegionOutput({}, child).region,
    partition: aws.getPartitionOutput({}, child).partition,
  };
  const placed = inPlace(given, place);
  const standing = pulumi.output(lookAtStanding(placed, parent));
  // All that has tags waits until it is known that nothing is lost.
  const plan = { ...placed, tags: pulumi.all([placed.tags, standing]).apply(([tags]) => tags) };
  const { kmsKey, logKmsKey, topicKmsKey } = plan;
  const own = [kmsKey, logKmsKey, topicKmsKey].includes("create") ? createKey(plan, place, parent) : undefined;
  const keyOf = (key: RotationPlan["kmsKey"]) => (key === "create" ? own : key);
  const keys = { secrets: keyOf(kmsKey), log: keyOf(logKmsKey), topics: keyOf(topicKmsKey) };
  const logGroup = new aws.cloudwatch.LogGroup(
    plan.name,
    {
      name: ledgerGroup(plan.name),
      retentionInDays: plan.logRetentionDays,
      deletionProtectionEnabled: plan.protect,
      tags: plan.tags,
      ...(keys.log ? { kmsKeyId: keys.log } : {}),
    },
    { parent, protect: plan.protect },
  );
  const secretKeyId = keyAfter(keys.secrets ?? pulumi.output(awsManagedKey), standing, plan);
  return { ...place, plan, child: { parent, dependsOn: [logGroup] }, logGroup, keys, secretKeyId };
}
