import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** Arguments of {@link LambdaFunction}. */
export interface LambdaFunctionArgs {
  /** The function's name, unique in account and region. */
  functionName: pulumi.Input<string>;
  description: pulumi.Input<string>;
  /** The files of the deployment package; `index.js` exports `handler`. */
  files: pulumi.Input<Record<string, string>>;
  /** What the function may do, beside writing to its log group. */
  statements: pulumi.Input<pulumi.Input<aws.iam.PolicyStatement>[]>;
  /** Where it logs. */
  logGroup: aws.cloudwatch.LogGroup;
  /** In seconds. */
  timeoutSeconds: number;
  /** In MB. */
  memorySize: number;
  environment?: pulumi.Input<Record<string, pulumi.Input<string>>>;
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
    this.role = new aws.iam.Role(
      name,
      {
        description: pulumi.interpolate`What the function ${args.functionName} may do`,
        assumeRolePolicy: pulumi.jsonStringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
        }),
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
        code: pulumi.output(args.files).apply(archiveOf),
        role: this.role.arn,
        timeout: args.timeoutSeconds,
        memorySize: args.memorySize,
        loggingConfig: { logFormat: "JSON", logGroup: args.logGroup.name },
        ...(args.environment ? { environment: { variables: args.environment } } : {}),
      },
      // Without its log permissions the first invocation would write no ledger.
      { ...child, dependsOn: [this.policy] },
    );
    this.registerOutputs({ function: this.function.arn });
  }
}

function policyOf({ statements, logGroup }: LambdaFunctionArgs): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: pulumi.output(statements).apply((own) => [
      ...own,
      {
        Sid: "WriteLog",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: pulumi.interpolate`${logGroup.arn}:*`,
      },
    ]),
  });
}

function archiveOf(files: Record<string, string>): pulumi.asset.Archive {
  const assets = Object.entries(files).map(([path, text]) => [path, new pulumi.asset.StringAsset(text)]);
  return new pulumi.asset.AssetArchive(Object.fromEntries(assets));
}
