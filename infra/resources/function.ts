import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { SettingsFile } from "../../src/formats/settings.ts";
import { reconcilerTimeoutSeconds, rotatorTimeoutSeconds } from "../../src/formats/time-table.ts";
import type { RotationPlan } from "../args/plan.ts";
import type { StackContext } from "./context.ts";
import { bundleFiles } from "./function-code.ts";
import type { FunctionName } from "./functions.ts";
import { type RoleScope, reconcilerStatements, rotatorStatements } from "./roles.ts";

/** Where Lambda unpacks the private authorities' certificates, below /var/task. */
const caFile = "ca.pem";

/** More than so many tokens take the reconciler longer. */
const manyTokens = 100;

/** The longest that Lambda gives. */
const longestTimeoutSeconds = 900;

/** The two functions, each with a role of its own. */
export function createFunctions(
  context: StackContext,
  settings: pulumi.Output<SettingsFile>,
  scope: RoleScope,
): Record<FunctionName, LambdaFunction> {
  const { plan, child } = context;
  const secrets = Object.values(scope.tokenSecrets).flatMap(({ secret }) => secret ?? []);
  return {
    rotator: new LambdaFunction(
      `${plan.name}-rotator`,
      {
        context,
        settings,
        code: "rotator",
        description: "Rotates C2M API tokens, one step per invocation by Secrets Manager",
        timeoutSeconds: rotatorTimeoutSeconds,
        statements: rotatorStatements(context, scope),
        secrets,
      },
      child,
    ),
    reconciler: new LambdaFunction(
      `${plan.name}-reconciler`,
      {
        context,
        settings,
        code: "reconciler",
        description: "Revokes superseded and orphaned C2M API tokens, and measures their state, once an hour",
        timeoutSeconds: plan.tokens.length > manyTokens ? longestTimeoutSeconds : reconcilerTimeoutSeconds,
        statements: reconcilerStatements(context, scope),
        secrets,
      },
      child,
    ),
  };
}

interface LambdaFunctionArgs {
  context: StackContext;
  settings: pulumi.Output<SettingsFile>;
  /** Whose code it runs. */
  code: FunctionName;
  description: string;
  timeoutSeconds: number;
  /** What the function may do, beside writing to its log group. */
  statements: aws.iam.PolicyStatement[];
  /** What it knows by its tag: tagged before the policy goes by the tag. */
  secrets: pulumi.Resource[];
}

/** A function on Node 24 and arm64, with a role of its own that may do what `statements` say and write its log. */
export class LambdaFunction extends pulumi.ComponentResource {
  readonly function: aws.lambda.Function;
  readonly role: aws.iam.Role;
  /** What the function may do. Whatever runs the function depends on it. */
  readonly policy: aws.iam.RolePolicy;

  constructor(name: string, args: LambdaFunctionArgs, options: pulumi.ComponentResourceOptions) {
    super("c2m-token-rotation:index:LambdaFunction", name, { functionName: name }, options);
    const { plan, logGroup, child } = args.context;
    const own = { ...child, parent: this };
    const { tags, vpc, tracing } = plan;
    this.role = new aws.iam.Role(
      name,
      {
        description: `What the function ${name} may do`,
        assumeRolePolicy: pulumi.jsonStringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
        }),
        tags,
        ...(plan.permissionsBoundary ? { permissionsBoundary: plan.permissionsBoundary } : {}),
      },
      own,
    );
    this.policy = new aws.iam.RolePolicy(
      name,
      { role: this.role.name, policy: policyOf(args) },
      { ...own, dependsOn: [...own.dependsOn, ...args.secrets] },
    );
    this.function = new aws.lambda.Function(
      name,
      {
        name,
        description: args.description,
        runtime: aws.lambda.Runtime.NodeJS24dX,
        architectures: ["arm64"],
        handler: "index.handler",
        code: pulumi.all([args.settings, plan.caCertificates]).apply(([file, pem]) =>
          archiveOf({
            ...bundleFiles(args.code),
            "tokens.json": JSON.stringify(file),
            ...(pem === undefined ? {} : { [caFile]: pem }),
          }),
        ),
        role: this.role.arn,
        timeout: args.timeoutSeconds,
        memorySize: plan.memorySize,
        ...(args.code === "rotator" && plan.reservedConcurrency !== undefined
          ? { reservedConcurrentExecutions: plan.reservedConcurrency }
          : {}),
        loggingConfig: { logFormat: "JSON", logGroup: logGroup.name },
        environment: { variables: { ROTATION_NAME: plan.name, ...networkOf(plan) } },
        tags,
        ...(vpc ? { vpcConfig: vpc } : {}),
        ...(tracing ? { tracingConfig: { mode: "Active" } } : {}),
      },
      // Without its log permissions the first invocation would write no ledger.
      { ...own, dependsOn: [...own.dependsOn, this.policy] },
    );
    this.registerOutputs({ function: this.function.arn });
  }
}

/** Node itself reads these, before any code of ours runs. */
function networkOf({ proxy, noProxy, caCertificates }: RotationPlan): Record<string, pulumi.Input<string>> {
  return {
    ...(proxy ? { NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: proxy, NO_PROXY: noProxy.join(",") } : {}),
    ...(caCertificates ? { NODE_EXTRA_CA_CERTS: `/var/task/${caFile}` } : {}),
  };
}

function policyOf({ statements, context }: LambdaFunctionArgs): pulumi.Output<string> {
  const { plan, logGroup } = context;
  const writeLog = {
    Sid: "WriteLog",
    Effect: "Allow",
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: pulumi.interpolate`${logGroup.arn}:*`,
  };
  return pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      ...statements,
      writeLog,
      ...(plan.vpc ? [networkStatement] : []),
      ...(plan.tracing ? [tracingStatement] : []),
    ],
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
