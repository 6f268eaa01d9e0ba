import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { VpcArgs } from "../args/rotation-args.ts";
import { bundleFiles } from "./function-code.ts";
import type { FunctionName } from "./functions.ts";

/** Arguments of {@link LambdaFunction}. */
export interface LambdaFunctionArgs {
  /** The function's name, unique in account and region. */
  functionName: pulumi.Input<string>;
  description: pulumi.Input<string>;
  /** Whose code it runs. */
  code: FunctionName;
  /** Further files of the deployment package, by path. */
  files?: pulumi.Input<Record<string, pulumi.Input<string>>> | undefined;
  /** What the function may do, beside writing to its log group. */
  statements: pulumi.Input<pulumi.Input<aws.iam.PolicyStatement>[]>;
  /** Where it logs. */
  logGroup: aws.cloudwatch.LogGroup;
  /** In seconds. */
  timeoutSeconds: number;
  /** In MB. @default 256 */
  memorySize?: number | undefined;
  environment?: pulumi.Input<Record<string, pulumi.Input<string>>> | undefined;
  tags?: Record<string, string> | undefined;
  /** @default outside of any VPC, with a way to the internet */
  vpc?: VpcArgs | undefined;
  /** Whether X-Ray traces it. @default false */
  tracing?: boolean | undefined;
}

/** A function on Node 24 and arm64, with a role of its own that may do what `statements` say and write its log. */
export class LambdaFunction extends pulumi.ComponentResource {
  readonly function: aws.lambda.Function;
  readonly role: aws.iam.Role;
  /** What the function may do. Whatever runs the function depends on it. */
  readonly policy: aws.iam.RolePolicy;

  constructor(name: string, args: LambdaFunctionArgs, options?: pulumi.ComponentResourceOptions) {
    // Not the files: the state would hold them a second time.
    super("c2m-token-rotation:index:LambdaFunction", name, { functionName: args.functionName }, options);
    const child = { parent: this };
    const tags = args.tags ?? {};
    this.role = new aws.iam.Role(
      name,
      {
        description: pulumi.interpolate`What the function ${args.functionName} may do`,
        assumeRolePolicy: pulumi.jsonStringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
        }),
        tags,
      },
      child,
    );
    this.policy = new aws.iam.RolePolicy(name, { role: this.role.name, policy: policyOf(args) }, child);
    this.function = new aws.lambda.Function(
      name,
      {
        name: args.functionName,
        description: args.description,
        runtime: aws.lambda.Runtime.NodeJS24dX,
        architectures: ["arm64"],
        handler: "index.handler",
        code: pulumi.output(args.files ?? {}).apply((files) => archiveOf({ ...bundleFiles(args.code), ...files })),
        role: this.role.arn,
        timeout: args.timeoutSeconds,
        memorySize: args.memorySize ?? 256,
        loggingConfig: { logFormat: "JSON", logGroup: args.logGroup.name },
        tags,
        ...(args.environment ? { environment: { variables: args.environment } } : {}),
        ...(args.vpc
          ? { vpcConfig: { subnetIds: [...args.vpc.subnetIds], securityGroupIds: [...args.vpc.securityGroupIds] } }
          : {}),
        ...(args.tracing ? { tracingConfig: { mode: "Active" } } : {}),
      },
      // Without its log permissions the first invocation would write no ledger.
      { ...child, dependsOn: [this.policy] },
    );
    this.registerOutputs({ function: this.function.arn });
  }
}

function policyOf({ statements, logGroup, vpc, tracing }: LambdaFunctionArgs): pulumi.Output<string> {
  const writeLog = {
    Sid: "WriteLog",
    Effect: "Allow",
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: pulumi.interpolate`${logGroup.arn}:*`,
  };
  return pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: pulumi
      .all([statements, writeLog])
      .apply(([own, log]) => [...own, log, ...(vpc ? [networkStatement] : []), ...(tracing ? [tracingStatement] : [])]),
  });
}

/** Lambda makes the function's network interfaces with the function's role; for these AWS has no narrower resource. */
const networkStatement: aws.iam.PolicyStatement = {
  Sid: "UseNetwork",
  Effect: "Allow",
  Action: [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ],
  Resource: "*",
};

/** X-Ray has no resources to name. */
const tracingStatement: aws.iam.PolicyStatement = {
  Sid: "WriteTraces",
  Effect: "Allow",
  Action: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
  Resource: "*",
};

function archiveOf(files: Record<string, string>): pulumi.asset.Archive {
  const assets = Object.entries(files).map(([path, text]) => [path, new pulumi.asset.StringAsset(text)]);
  return new pulumi.asset.AssetArchive(Object.fromEntries(assets));
}
