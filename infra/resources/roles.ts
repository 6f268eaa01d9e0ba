import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

type Statement = aws.iam.PolicyStatement;

/** What the functions work on. */
export interface RoleScope {
  tokenArns: pulumi.Output<string>[];
  /** Undefined for a client without stored credentials. */
  credentialsArn: pulumi.Output<string> | undefined;
  logGroup: aws.cloudwatch.LogGroup;
  /** The customer managed key of the secrets, if there is one. */
  keyArn: pulumi.Output<string> | undefined;
  region: pulumi.Input<string>;
}

/** What the rotator may do: rotate the tokens, and read the client's credentials. */
export function rotatorStatements({ tokenArns, credentialsArn, keyArn, region }: RoleScope): Statement[] {
  return [
    {
      Sid: "RotateTokens",
      Effect: "Allow",
      Action: [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
      ],
      Resource: tokenArns,
    },
    ...(credentialsArn
      ? [
          {
            Sid: "ReadCredentials",
            Effect: "Allow",
            Action: "secretsmanager:GetSecretValue",
            Resource: credentialsArn,
          } as const,
        ]
      : []),
    ...keyStatements(keyArn, "write", credentialsArn ? [...tokenArns, credentialsArn] : tokenArns, region),
  ];
}

/** What the reconciler may do: look at the tokens and at the ledger, and detach. It can neither issue nor promote. */
export function reconcilerStatements({ tokenArns, logGroup, keyArn, region }: RoleScope): Statement[] {
  return [
    {
      Sid: "ReadTokens",
      Effect: "Allow",
      Action: ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:ListSecretVersionIds"],
      Resource: tokenArns,
    },
    {
      // It can take AWSPENDING off a version, and neither store nor promote one.
      Sid: "DetachPending",
      Effect: "Allow",
      Action: "secretsmanager:UpdateSecretVersionStage",
      Resource: tokenArns,
      Condition: { StringEquals: { "secretsmanager:VersionStage": "AWSPENDING" } },
    },
    {
      Sid: "ReadLedger",
      Effect: "Allow",
      Action: "logs:FilterLogEvents",
      Resource: pulumi.interpolate`${logGroup.arn}:*`,
    },
    ...keyStatements(keyArn, "read", tokenArns, region),
  ];
}

/**
 * Lets a role use the key for these secrets, through Secrets Manager only.
 *
 * @param use `read` a value, or `write` one too
 */
function keyStatements(
  keyArn: pulumi.Output<string> | undefined,
  use: "read" | "write",
  secretArns: pulumi.Input<string>[],
  region: pulumi.Input<string>,
): Statement[] {
  if (!keyArn) return [];
  return [
    {
      Sid: "UseKey",
      Effect: "Allow",
      Action: use === "read" ? ["kms:Decrypt"] : ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: keyArn,
      Condition: {
        StringEquals: {
          "kms:EncryptionContext:SecretARN": secretArns,
          "kms:ViaService": pulumi.interpolate`secretsmanager.${region}.amazonaws.com`,
        },
      },
    },
  ];
}
