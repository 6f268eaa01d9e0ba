import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { RotationPlan } from "../args/plan.ts";

/** What every family of resources is given. */
export interface StackContext {
  plan: RotationPlan;
  /** For resources: below the component, and after the log group. */
  child: { parent: pulumi.Resource; dependsOn: pulumi.Resource[] };
  /** The log of both functions, and the ledger of tokens. */
  logGroup: aws.cloudwatch.LogGroup;
  accountId: pulumi.Output<string>;
  region: pulumi.Output<string>;
  partition: pulumi.Output<string>;
}

/**
 * Makes the log group, which all else depends on: AWS refuses one whose name is taken, while it would silently overwrite
 * the alarms, topics and dashboard of another stack of the same name.
 */
export function createContext(plan: RotationPlan, parent: pulumi.Resource): StackContext {
  const child = { parent };
  const logGroup = new aws.cloudwatch.LogGroup(
    plan.name,
    { name: `/aws/lambda/${plan.name}`, retentionInDays: plan.logRetentionDays, tags: plan.tags },
    { parent, protect: plan.protect },
  );
  return {
    plan,
    child: { parent, dependsOn: [logGroup] },
    logGroup,
    accountId: aws.getCallerIdentityOutput({}, child).accountId,
    region: aws.getRegionOutput({}, child).region,
    partition: aws.getPartitionOutput({}, child).partition,
  };
}
