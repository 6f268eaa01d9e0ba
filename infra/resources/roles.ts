import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { decisionLabel } from "../../src/formats/labels.ts";
import { ownerTag } from "../args/plan.ts";
import type { StackContext } from "./context.ts";
import { ownerOf, type TokenSecret } from "./token-secret.ts";

type Statement = aws.iam.PolicyStatement;

/** What the functions work on. */
export interface RoleScope {
  tokenSecrets: Record<string, TokenSecret>;
  /** Undefined for a client without stored credentials. */
  credentialsArn: pulumi.Output<string> | undefined;
}

/** What the rotator may do: rotate the tokens, and read the client's credentials. */
export function rotatorStatements(context: StackContext, scope: RoleScope): Statement[] {
  const { credentialsArn } = scope;
  const rotate = [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
  ];
  return [
    ...onTokens(context, scope, { Sid: "RotateTokens", Action: rotate }),
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
    ...keyStatements(context, ["kms:Decrypt", "kms:GenerateDataKey"], undefined),
  ];
}

/** What the reconciler may do: look at the tokens and at the ledger, and detach. It can neither issue nor promote. */
export function reconcilerStatements(context: StackContext, scope: RoleScope): Statement[] {
  const read = [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:ListSecretVersionIds",
  ];
  return [
    ...onTokens(context, scope, { Sid: "ReadTokens", Action: read }),
    // It can take AWSPENDING off a version and rule out a rollback, and neither store nor promote one.
    ...onTokens(context, scope, {
      Sid: "DetachPending",
      Action: ["secretsmanager:UpdateSecretVersionStage"],
      Condition: { "secretsmanager:VersionStage": ["AWSPENDING", decisionLabel] },
    }),
    {
      Sid: "ReadLedger",
      Effect: "Allow",
      Action: "logs:FilterLogEvents",
      Resource: pulumi.interpolate`${context.logGroup.arn}:*`,
    },
    ...keyStatements(context, ["kms:Decrypt"], scope.credentialsArn),
  ];
}

/**
 * The same for all token secrets: those that the stack made by their tag, since a role has no room for a thousand ARNs, and
 * adopted ones, whose tags are their owner's, by ARN.
 */
function onTokens(
  { plan, accountId, region, partition }: StackContext,
  { tokenSecrets }: RoleScope,
  { Sid, Action, Condition = {} }: { Sid: string; Action: string[]; Condition?: Record<string, string | string[]> },
): Statement[] {
  const secrets = Object.values(tokenSecrets);
  const adopted = secrets.filter(({ secret }) => !secret).map(({ arn }) => arn);
  const byTag: Statement = {
    Sid,
    Effect: "Allow",
    Action,
    Resource: pulumi.interpolate`arn:${partition}:secretsmanager:${region}:${accountId}:secret:*`,
    Condition: { StringEquals: { ...Condition, [`aws:ResourceTag/${ownerTag}`]: ownerOf(plan) } },
  };
  const byArn: Statement = {
    Sid: `${Sid}Adopted`,
    Effect: "Allow",
    Action,
    Resource: adopted,
    ...(Object.keys(Condition).length > 0 ? { Condition: { StringEquals: Condition } } : {}),
  };
  return [...(adopted.length < secrets.length ? [byTag] : []), ...(adopted.length > 0 ? [byArn] : [])];
}

/**
 * Lets a role use the key through Secrets Manager only, for secrets of this account and region. Not by their ARNs, for which
 * there is no room: whose value the role gets is decided by its permissions on the secrets, without which Secrets Manager
 * never asks for the key.
 */
function keyStatements(
  { plan, keys, accountId, region, partition }: StackContext,
  Action: string[],
  except: pulumi.Output<string> | undefined,
): Statement[] {
  const secrets = pulumi.interpolate`arn:${partition}:secretsmanager:${region}:${accountId}:secret:*`;
  const Condition = {
    StringEquals: { "kms:ViaService": pulumi.interpolate`secretsmanager.${region}.amazonaws.com` },
    StringLike: { "kms:EncryptionContext:SecretARN": secrets },
    ...(except ? { StringNotEquals: { "kms:EncryptionContext:SecretARN": except } } : {}),
  };
  const use = { Effect: "Allow", Condition } as const;
  return [
    ...(keys.secrets ? [{ ...use, Sid: "UseKey", Action, Resource: keys.secrets }] : []),
    // What it has encrypted before, and nothing new.
    ...(plan.formerKmsKeys.length > 0
      ? [{ ...use, Sid: "UseFormerKeys", Action: "kms:Decrypt", Resource: plan.formerKmsKeys }]
      : []),
  ];
}
