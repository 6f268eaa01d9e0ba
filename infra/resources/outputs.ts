import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "./context.ts";
import type { StoredCredentials } from "./credentials.ts";
import type { LambdaFunction } from "./function.ts";
import type { Monitoring } from "./monitoring.ts";
import { awsManagedKey } from "./standing.ts";
import type { TokenSecret } from "./token-secret.ts";

type ByName<Value> = pulumi.Output<{ [name: string]: Value }>;

/** What a rotation puts out: plain data, in every Pulumi language. */
export interface RotationOutputs {
  tokenSecretArns: ByName<string>;
  credentialsSecretArn: pulumi.Output<string | undefined>;
  rotatorName: pulumi.Output<string>;
  reconcilerName: pulumi.Output<string>;
  logGroupName: pulumi.Output<string>;
  kmsKeyArn: pulumi.Output<string>;
  baseUrl: pulumi.Output<string>;
  graceSeconds: ByName<number>;
  sandbox: pulumi.Output<boolean>;
  alarmTopicArn: pulumi.Output<string | undefined>;
  rotationTopicArn: pulumi.Output<string | undefined>;
  dashboardName: pulumi.Output<string | undefined>;
  readCommands: ByName<string>;
  rotateNowCommands: ByName<string>;
}

export function outputsOf(
  { plan, logGroup, region, partition, accountId, keys }: StackContext,
  nodes: {
    rotator: LambdaFunction;
    reconciler: LambdaFunction;
    tokenSecrets: Record<string, TokenSecret>;
    monitoring: Monitoring | undefined;
  },
  { secretArn }: StoredCredentials,
): RotationOutputs {
  const { monitoring } = nodes;
  const perSecret = (text: (arn: pulumi.Output<string>) => pulumi.Output<string>): ByName<string> =>
    pulumi.output(
      Object.fromEntries(Object.values(nodes.tokenSecrets).map(({ name, arn }) => [name, text(arn)])),
    ) as ByName<string>;
  const command = (arn: pulumi.Output<string>, verb: string, rest = "") =>
    pulumi.interpolate`aws secretsmanager ${verb} --region ${region} --secret-id ${arn}${rest}`;
  return {
    tokenSecretArns: perSecret((arn) => arn),
    credentialsSecretArn: pulumi.output(secretArn),
    rotatorName: nodes.rotator.function.name,
    reconcilerName: nodes.reconciler.function.name,
    logGroupName: logGroup.name,
    kmsKeyArn: keys.secrets ?? pulumi.interpolate`arn:${partition}:kms:${region}:${accountId}:${awsManagedKey}`,
    baseUrl: plan.baseUrl,
    graceSeconds: pulumi.output(
      Object.fromEntries(plan.tokens.map(({ name, graceSeconds }) => [name, graceSeconds])),
    ) as ByName<number>,
    sandbox: pulumi.output(plan.sandbox),
    alarmTopicArn: pulumi.output(monitoring?.alarmTopic.arn),
    rotationTopicArn: pulumi.output(monitoring?.rotationTopic.arn),
    dashboardName: pulumi.output(monitoring?.dashboard.dashboardName),
    readCommands: perSecret((arn) => command(arn, "get-secret-value", " --query SecretString --output text")),
    rotateNowCommands: perSecret((arn) => command(arn, "rotate-secret")),
  };
}
