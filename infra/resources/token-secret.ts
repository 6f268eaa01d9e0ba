import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ReplicaArgs } from "../args/rotation-args.ts";
import type { TokenArgs } from "../args/token-args.ts";
import { arnRule, isArnOf } from "../args/token-rules.ts";

/** A secret that apps read. */
export interface TokenSecret {
  name: string;
  arn: pulumi.Output<string>;
  /** Undefined where it is adopted. */
  secret: aws.secretsmanager.Secret | undefined;
}

/** What all token secrets of a rotation have. */
export interface TokenSecretOptions {
  description: string;
  secretArgs: aws.secretsmanager.SecretArgs;
  replicas: readonly ReplicaArgs[];
  readers: readonly pulumi.Input<string>[];
  protect: boolean;
  parent: pulumi.Resource;
}

/** Creates a token secret and its policy, or takes the one that is there, which is left as it is. */
export function createTokenSecret(name: string, token: TokenArgs, options: TokenSecretOptions): TokenSecret {
  if (token.secretArn !== undefined) {
    const arn = pulumi.output(token.secretArn).apply((given) => {
      if (!isArnOf(given, token.name)) throw new pulumi.RunError(`The token ${token.name}: secretArn ${arnRule}.`);
      return given;
    });
    return { name: token.name, arn, secret: undefined };
  }
  const { description, secretArgs, replicas, readers, protect, parent } = options;
  const secret = new aws.secretsmanager.Secret(
    name,
    {
      ...secretArgs,
      name: token.name,
      description,
      ...(replicas.length > 0 ? { replicas: replicas.map(replicaOf) } : {}),
    },
    { parent, protect },
  );
  createSecretPolicy(name, secret, readers, { parent });
  return { name: token.name, arn: secret.arn, secret };
}

/** Lets nobody in without TLS, and the readers read. */
export function createSecretPolicy(
  name: string,
  secret: aws.secretsmanager.Secret,
  readers: readonly pulumi.Input<string>[],
  options: pulumi.CustomResourceOptions,
): void {
  const allowReaders = {
    Sid: "AllowReaders",
    Effect: "Allow",
    Principal: { AWS: readers },
    Action: ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
    Resource: "*",
  };
  new aws.secretsmanager.SecretPolicy(
    name,
    {
      secretArn: secret.arn,
      blockPublicPolicy: true,
      // In the policy of a secret, `*` is that secret.
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "DenyWithoutTls",
            Effect: "Deny",
            Principal: "*",
            Action: "secretsmanager:*",
            Resource: "*",
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
          ...(readers.length > 0 ? [allowReaders] : []),
        ],
      }),
    },
    options,
  );
}

function replicaOf({ region, kmsKeyArn }: ReplicaArgs): aws.types.input.secretsmanager.SecretReplica {
  return { region, ...(kmsKeyArn === undefined ? {} : { kmsKeyId: kmsKeyArn }) };
}
